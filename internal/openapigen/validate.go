package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// formats are the formats of strings in the documents beyond OpenAPI's own. kin-openapi rejects unknown
// formats.
func formats() []string { return []string{"duration", "field-mask"} }

// validate has kin-openapi judge every service document, and lists all faults. Other files are not its own.
func validate(files map[string][]byte) error {
	for _, format := range formats() {
		openapi3.DefineStringFormat(format, `.*`)
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.Contains(name, "/services/") {
			continue
		}
		loader := openapi3.NewLoader()
		document, err := loader.LoadFromData(files[name])
		if err == nil {
			err = document.Validate(loader.Context)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("kin-openapi refuses %s: %w", name, err))
		}
	}
	return errors.Join(faults...)
}
