package openapi

import (
	"io/fs"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestOurDocumentsAreValidOpenAPI has another implementation read the documents.
func TestOurDocumentsAreValidOpenAPI(t *testing.T) {
	for _, format := range []string{"duration", "field-mask"} {
		openapi3.DefineStringFormat(format, `.*`) // kin-openapi refuses formats that it does not know
	}
	files, err := fs.Glob(os.DirFS("."), "*/*/services/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			loader := openapi3.NewLoader()
			doc, err := loader.LoadFromFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := doc.Validate(loader.Context); err != nil {
				t.Error(err)
			}
			if doc.OpenAPI != "3.0.3" {
				t.Errorf("version %q", doc.OpenAPI)
			}
		})
	}
}
