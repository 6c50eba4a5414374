package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// transformations are what the documents need before StackQL takes the documented statements. They
// are applied to each service document, in order.
func transformations() []transformation {
	return []transformation{
		{"hide-required-attributes", hideRequiredAttributes},
	}
}

// transformation changes a document for StackQL. Its name is written into the bundle's documents.
type transformation struct {
	name  string
	apply func(document *yaml.Node) error
}

// hideRequiredAttributes keeps the required attributes of request bodies out of any-sdk's sight.
// It would want each of them as an @ parameter even where @@json holds it, and so refuse the
// documented form of EXEC. The list stays readable as x-lakeql-required.
func hideRequiredAttributes(document *yaml.Node) error {
	schemas := child(child(document, "components"), "schemas")
	for _, item := range pairs(child(document, "paths")) {
		for _, operation := range pairs(item.value) {
			for _, media := range pairs(child(child(operation.value, "requestBody"), "content")) {
				schema := child(media.value, "schema")
				if ref := child(schema, "$ref"); ref != nil {
					name, ok := strings.CutPrefix(ref.Value, "#/components/schemas/")
					if schema = child(schemas, name); !ok || schema == nil {
						return fmt.Errorf("%s %s: no schema %s", operation.key, item.key, ref.Value)
					}
				}
				for _, attribute := range pairs(schema) {
					if attribute.key == "required" {
						attribute.name.Value = "x-lakeql-required"
					}
				}
			}
		}
	}
	return nil
}

// pair is an entry of a YAML mapping.
type pair struct {
	key   string
	name  *yaml.Node
	value *yaml.Node
}

func pairs(n *yaml.Node) []pair {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var all []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		all = append(all, pair{n.Content[i].Value, n.Content[i], n.Content[i+1]})
	}
	return all
}

func child(n *yaml.Node, key string) *yaml.Node {
	for _, p := range pairs(n) {
		if p.key == key {
			return p.value
		}
	}
	return nil
}

// registry writes the documents below dir as StackQL's registry has them: src/<provider>/<version>/…
// and dist/<provider>/<version>.tgz with dist/providers.yaml, below root.
func registry(dir, root string, out io.Writer) error {
	folders, err := fs.Glob(os.DirFS(dir), "*/*/provider.yaml")
	if err != nil {
		return err
	}
	index := bytes.NewBufferString("providers:\n")
	for _, file := range folders {
		folder := path.Dir(file)
		name, version := path.Dir(folder), path.Base(folder)
		files, err := bundle(os.DirFS(filepath.Join(dir, filepath.FromSlash(folder))))
		if err != nil {
			return fmt.Errorf("bundle %s: %w", name, err)
		}
		if err := writeSource(filepath.Join(root, "src", name, version), files); err != nil {
			return err
		}
		archive, err := pack(version, files)
		if err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
		target := filepath.Join(root, "dist", name, version+".tgz")
		if err := writeFile(target, archive); err != nil {
			return err
		}
		fmt.Fprintf(index, "  %s:\n    versions:\n      - %s\n", name, version)
		if _, err := fmt.Fprintf(out, "%s: %d files, %d bytes\n", target, len(files), len(archive)); err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(root, "dist", "providers.yaml"), index.Bytes())
}

// sourceFile is a document of the bundle.
type sourceFile struct {
	name string
	data []byte
}

// bundle gives a provider's documents as StackQL takes them, sorted by name.
func bundle(folder fs.FS) ([]sourceFile, error) {
	services, err := fs.Glob(folder, "services/*.yaml")
	if err != nil {
		return nil, err
	}
	files := []sourceFile{}
	for _, name := range slices.Concat([]string{"provider.yaml"}, services) {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		if name != "provider.yaml" {
			if data, err = transform(data); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		files = append(files, sourceFile{name, data})
	}
	return files, nil
}

// transform applies every transformation to a document.
func transform(data []byte) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, t := range transformations() {
		if err := t.apply(document.Content[0]); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		fmt.Fprintf(&b, "# transformed for StackQL: %s\n", t.name)
	}
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&document); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

func writeSource(dir string, files []sourceFile) error {
	for _, f := range files {
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(f.name)), f.data); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // for all to read
		return err
	}
	return os.WriteFile(name, data, 0o644) //nolint:gosec // for all to read
}

// pack makes the archive that StackQL pulls: entries begin with the version, folders stand before
// what is in them, because StackQL makes none by itself, and nothing depends on when or by whom the
// archive was made.
func pack(version string, files []sourceFile) ([]byte, error) {
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	for _, dir := range []string{version + "/", version + "/services/"} {
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755, Format: tar.FormatUSTAR}); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: path.Join(version, f.name), Mode: 0o644, Size: int64(len(f.data)), Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := zipped.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
