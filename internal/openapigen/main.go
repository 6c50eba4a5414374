// Command openapigen writes the generated files of this repository:
//
//	openapigen generate           the documents, from the official SDK's source and the overlays
//	openapigen compile            the catalogue that the program embeds
//	openapigen registry [folder]  the documents as StackQL's registry has them
//	openapigen drill version...   nothing: a table of upgrades from version to version of the SDK
//
// It runs in the repository's root.
package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lakeql/lakeql/internal/openapigen/document"
	"github.com/lakeql/lakeql/internal/openapigen/drill"
	"github.com/lakeql/lakeql/internal/openapigen/observe"
	"github.com/lakeql/lakeql/internal/openapigen/registry"
	"github.com/lakeql/lakeql/openapi"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "openapigen:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == "generate":
		return generate("openapi", out)
	case len(args) == 1 && args[0] == "compile":
		return compile("openapi", filepath.Join("openapi", "catalogue.zip"), out)
	case len(args) == 1 && args[0] == "registry":
		return bundle("openapi", ".", out)
	case len(args) == 2 && args[0] == "registry":
		return bundle("openapi", args[1], out)
	case len(args) > 1 && args[0] == "drill":
		return drill.Run(context.Background(), ".", args[1:], out)
	default:
		return errors.New("usage: openapigen generate | compile | registry [folder] | drill VERSION [VERSION]")
	}
}

// generate replaces the documents below dir. It writes nothing if kin-openapi rejects a document.
func generate(dir string, out io.Writer) error {
	api, err := observe.Read(context.Background())
	if err != nil {
		return err
	}
	made, err := document.Generate(api, os.DirFS(filepath.Join(dir, "overlays")))
	if err != nil {
		return err
	}
	if err := validate(made.Files); err != nil {
		return err
	}
	if err := writePending(filepath.Join(dir, "overlays", "pending.csv"), made, out); err != nil {
		return err
	}
	old, err := fs.Glob(os.DirFS(dir), "databricks_*")
	if err != nil {
		return err
	}
	for _, folder := range old {
		if err := os.RemoveAll(filepath.Join(dir, folder)); err != nil {
			return err
		}
	}
	size := 0
	for name, data := range made.Files {
		size += len(data)
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), data); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "%s: %d documents, %d bytes\n", dir, len(made.Files), size)
	return err
}

// writePending writes the pending lines to a file. Without any, it removes the file.
func writePending(file string, made *document.Result, out io.Writer) error {
	lines, err := made.PendingCSV()
	if err != nil {
		return err
	}
	if lines == nil {
		if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := writeFile(file, lines); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d lines to decide\n", file, len(made.Pending))
	return err
}

// bundle writes the documents below dir as a registry at root, signed if the environment has a key.
func bundle(dir, root string, out io.Writer) error {
	var key ed25519.PrivateKey
	if given := os.Getenv(registry.KeyVariable); given != "" {
		var err error
		if key, err = registry.ParseKey(given); err != nil {
			return fmt.Errorf("%s: %w", registry.KeyVariable, err)
		}
	}
	return registry.Write(dir, root, key, out)
}

func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // for all to read
		return err
	}
	return os.WriteFile(name, data, 0o644) //nolint:gosec // for all to read
}

// compile writes the catalogue of the documents below dir.
func compile(dir, file string, out io.Writer) error {
	docs, err := openapi.LoadAll(os.DirFS(dir))
	if err != nil {
		return err
	}
	if err := docs.Check(); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := openapi.Compile(docs, &b); err != nil {
		return err
	}
	if err := writeFile(file, b.Bytes()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d bytes\n", file, b.Len())
	return err
}
