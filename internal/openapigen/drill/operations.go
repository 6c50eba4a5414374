package drill

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// operations returns the operations of the documents below a folder, with a digest of each. The digest
// covers request, answer and their schemas, and no description.
func operations(documents fs.FS) (map[string]string, error) {
	files, err := fs.Glob(documents, "databricks_*/*/services/*.yaml")
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, file := range files {
		data, err := fs.ReadFile(documents, file)
		if err != nil {
			return nil, err
		}
		var doc serviceDocument
		if err := yaml.Unmarshal(data, &doc); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		provider, _, _ := strings.Cut(file, "/")
		service := strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".yaml")
		for path, methods := range doc.Paths {
			for verb, operation := range methods {
				id, ok := operation["operationId"].(string)
				if !ok {
					return nil, fmt.Errorf("%s: %s %s has no operationId", file, verb, path)
				}
				digest, err := doc.digest(path, verb, operation)
				if err != nil {
					return nil, fmt.Errorf("%s: %s: %w", file, id, err)
				}
				found[provider+"."+service+"."+id] = digest
			}
		}
	}
	return found, nil
}

// serviceDocument is the part of an OpenAPI document that operations refer to.
type serviceDocument struct {
	Paths      map[string]map[string]map[string]any `yaml:"paths"`
	Components map[string]map[string]any            `yaml:"components"`
}

const componentPrefix = "#/components/"

func (d *serviceDocument) digest(path, verb string, operation map[string]any) (string, error) {
	parts := map[string]any{"": []any{verb, path, bare(operation)}}
	waiting := references(operation, nil)
	for len(waiting) > 0 {
		ref := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		if _, seen := parts[ref]; seen {
			continue
		}
		kind, name, _ := strings.Cut(strings.TrimPrefix(ref, componentPrefix), "/")
		component, ok := d.Components[kind][name]
		if !ok {
			return "", fmt.Errorf("there is no %s", ref)
		}
		parts[ref] = bare(component)
		waiting = references(component, waiting)
	}
	h := sha256.New()
	for _, ref := range slices.Sorted(maps.Keys(parts)) {
		text, err := json.Marshal(parts[ref])
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %s\n", ref, text) //nolint:errcheck // a hash takes everything
	}
	return string(h.Sum(nil)), nil
}

// bare is a part of a document without its descriptions.
func bare(value any) any {
	switch value := value.(type) {
	case map[string]any:
		rest := make(map[string]any, len(value))
		for key, v := range value {
			if _, text := v.(string); key != "description" || !text {
				rest[key] = bare(v)
			}
		}
		return rest
	case []any:
		rest := make([]any, len(value))
		for i, v := range value {
			rest[i] = bare(v)
		}
		return rest
	}
	return value
}

// references appends the references in a part of a document.
func references(value any, to []string) []string {
	switch value := value.(type) {
	case map[string]any:
		for key, v := range value {
			if ref, ok := v.(string); ok && key == "$ref" {
				to = append(to, ref)
			}
			to = references(v, to)
		}
	case []any:
		for _, v := range value {
			to = references(v, to)
		}
	}
	return to
}
