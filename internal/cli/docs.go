package cli

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/docgen"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) docsCommand() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "docs",
		Short: "Write the documentation pages of a provider",
		Long: `Write one page for each provider, service, and resource to
<output-dir>/<provider>/services/<service>/<resource>/index.md. The pages are Markdown
for Docusaurus. Their links start at the root of a site that shows one provider's folder.

The source is the documents inside lakeql, or a folder of documents in StackQL's
layout (--provider-dir). The folder contains provider.yaml and services/*.yaml, or
several such folders as <provider>/<version>/.`,
		Example: `  lakeql docs --output-dir website/docs
  lakeql docs --provider-dir registry/src/okta/v0.1.0 --output-dir website/docs`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.docs(from, to) },
	}
	cmd.Flags().StringVar(&from, "provider-dir", "", "folder with the documents of another provider, in StackQL's layout")
	cmd.Flags().StringVar(&to, "output-dir", "docs", "folder for the pages")
	return cmd
}

func (c *command) docs(from, to string) error {
	catalogue, err := documentsIn(from)
	if err != nil {
		return err
	}
	providers, err := catalogue.Providers()
	if err != nil {
		return err
	}
	// A short run that makes much garbage: collecting it less often halves the time for 20 MB more.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var files errgroup.Group // pages are written while the next ones are put together
	files.SetLimit(8)
	var pages errgroup.Group
	for _, p := range providers {
		write := func(path string, page []byte) error { //nolint:unparam // Generate takes a function that may fail
			files.Go(func() error { return writePage(filepath.Join(to, p.Name, filepath.FromSlash(path)), page) })
			return nil
		}
		pages.Go(func() error {
			// The documents of other providers get the pages that StackQL's generator would write.
			return docgen.Generate(catalogue, p.Name, docgen.Options{Extended: from == ""}, write)
		})
	}
	return errors.Join(pages.Wait(), files.Wait())
}

// documentsIn reads the documents in a folder; without a folder, the embedded ones.
func documentsIn(dir string) (*provider.Catalogue, error) {
	if dir == "" {
		return connect.Catalogue()
	}
	load := openapi.Load
	if _, err := os.Stat(filepath.Join(dir, "provider.yaml")); err != nil {
		load = openapi.LoadAll
	}
	docs, err := load(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	return provider.NewCatalogue(docs), nil
}

// writePage writes a page and the folders it stands in.
func writePage(file string, page []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // pages are for all to read
		return pageError(err)
	}
	return pageError(os.WriteFile(file, page, 0o644)) //nolint:gosec // pages are for all to read
}

func pageError(err error) error {
	if err == nil {
		return nil
	}
	return provider.Usagef("write the pages: %v", err).Because(err)
}
