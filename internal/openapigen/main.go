// Command openapigen makes what is generated in this repository from the documents in openapi:
//
//	openapigen compile            the catalogue that the program embeds
//	openapigen registry [folder]  the documents as StackQL's registry has them
//
// It runs in the repository's root.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

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
	case len(args) == 1 && args[0] == "compile":
		return compile("openapi", filepath.Join("openapi", "catalogue.zip"), out)
	case len(args) == 1 && args[0] == "registry":
		return registry("openapi", ".", out)
	case len(args) == 2 && args[0] == "registry":
		return registry("openapi", args[1], out)
	default:
		return errors.New("usage: openapigen compile | registry [folder]")
	}
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
