package cli

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/docgen"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// docsOptions are the flags of lakeql docs.
type docsOptions struct {
	from, to, format string
	check, strict    bool
}

// The forms of pages.
const (
	docusaurus = "docusaurus"
	reference  = "reference"
	markdown   = "markdown"
)

func docsFormats() []string { return []string{docusaurus, reference, markdown} }

func (c *command) docsCommand() *cobra.Command {
	var o docsOptions
	cmd := &cobra.Command{
		Use:   "docs [name]",
		Short: "Write the documentation pages of a provider",
		Long: `Write one page for each provider, service, and resource to
<output-dir>/<provider>/services/<service>/<resource>/index.md.

The source is the documents inside lakeql, or a folder of documents in StackQL's
layout (--provider-dir). The folder contains provider.yaml and services/*.yaml, or
several such folders as <provider>/<version>/.

--format selects the form of the pages:

  docusaurus  for Docusaurus. Links start at the root of a site that shows one
              provider's folder. The pages have the form of StackQL's generator,
              with its faults repaired; those of lakeql's own providers say more.
  reference   for Docusaurus. With --provider-dir, each page of a service or a
              resource has the bytes that StackQL's generator writes, faults
              included: some pages may not compile. Without it, the pages have
              the same form, and the texts of the documents inside lakeql.
  markdown    plain Markdown for a Git host, with tables and relative links. A name
              limits it: provider, provider.service, or provider.service.resource.

--check writes nothing. It lists pages that are missing, differ, or are left over,
and fails if there is one. --strict looks at the documents of --provider-dir first:
it lists what is suspicious in them with file, line, column, and the name of a rule,
and fails if there is something.`,
		Example: `  lakeql docs --output-dir website/docs
  lakeql docs --provider-dir registry/src/okta/v0.1.0 --output-dir website/docs
  lakeql docs --format markdown databricks_workspace.postgres
  lakeql docs --output-dir website/docs --check
  lakeql docs --provider-dir registry/src/okta/v0.1.0 --strict --check`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.docs(o, strings.Join(args, "")) },
	}
	cmd.Flags().StringVar(&o.from, "provider-dir", "", "folder with the documents of another provider, in StackQL's layout")
	cmd.Flags().StringVar(&o.to, "output-dir", "docs", "folder for the pages")
	cmd.Flags().StringVar(&o.format, "format", docusaurus, "form of the pages: "+strings.Join(docsFormats(), ", "))
	cmd.Flags().BoolVar(&o.check, "check", false, "compare the pages with those in the folder, and write nothing")
	cmd.Flags().BoolVar(&o.strict, "strict", false, "fail on what is suspicious in the documents of --provider-dir")
	cmd.ValidArgsFunction = completeNames
	_ = cmd.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return docsFormats(), cobra.ShellCompDirectiveNoFileComp
	}) // fails for an unknown flag only
	return cmd
}

func (c *command) docs(o docsOptions, name string) error {
	if !slices.Contains(docsFormats(), o.format) {
		return provider.Usagef("%s is no form of pages", provider.Quote(o.format)).Hintf("--format takes %s", strings.Join(docsFormats(), ", "))
	}
	if name != "" && o.format != markdown {
		return provider.Usagef("a name limits the pages of --format markdown alone").Hintf("leave out %s, or add --format markdown", provider.Quote(name))
	}
	if o.strict {
		if err := c.lint(o.from); err != nil {
			return err
		}
	}
	catalogue, docs, err := documentsIn(o.from)
	if err != nil {
		return err
	}
	providers, err := catalogue.Providers()
	if err != nil {
		return err
	}
	parts := make([]string, 3)
	if name != "" {
		if parts, err = existing(catalogue, name, 3); err != nil {
			return err
		}
		providers = slices.DeleteFunc(slices.Clone(providers), func(p *provider.Provider) bool { return p.Name != parts[0] })
	}
	// A short run that makes much garbage: collecting it less often halves the time for 20 MB more.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	if os.Getenv("GOMEMLIMIT") == "" { // the documents of other providers can be large
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(512 << 20))
	}
	var files errgroup.Group // pages are written while the next ones are put together
	files.SetLimit(8)
	var pages errgroup.Group
	check := &pageCheck{}
	// The documents of other providers get pages in the form of StackQL's generator.
	opts := docgen.Options{Extended: o.from == "" && o.format != reference, Reference: o.format == reference}
	for _, p := range providers {
		opts := opts
		if docs != nil {
			if opts.Folder, err = docs.Folder(p.Name); err != nil {
				return err
			}
		}
		write := func(path string, page []byte) error { //nolint:unparam // Generate takes a function that may fail
			files.Go(func() error {
				file := filepath.Join(o.to, p.Name, filepath.FromSlash(path))
				if o.check {
					return check.compare(file, page)
				}
				return writePage(file, page)
			})
			return nil
		}
		pages.Go(func() error {
			if o.format == markdown {
				return docgen.Markdown(catalogue, p.Name, parts[1], parts[2], opts, write)
			}
			return docgen.Generate(catalogue, p.Name, opts, write)
		})
	}
	if err := errors.Join(pages.Wait(), files.Wait()); err != nil || !o.check {
		return err
	}
	for _, p := range providers {
		if err := check.leftOver(filepath.Join(o.to, p.Name), parts[1], parts[2]); err != nil {
			return err
		}
	}
	return check.report(c.stdout)
}

// existing splits a full name of at most limit parts, each of which has to exist. The parts behind the name are
// empty.
func existing(catalogue *provider.Catalogue, name string, limit int) ([]string, error) {
	parts := strings.Split(name, ".")
	if len(parts) > limit {
		return nil, provider.Usagef("%s has more than %d parts", provider.Quote(name), limit)
	}
	found, _, err := catalogue.Lookup(parts...)
	if err != nil {
		return nil, err
	}
	if found.Resource != nil { // a former name stands for today's
		parts[0], parts[1], parts[2] = found.Resource.Provider, found.Resource.Service, found.Resource.Name
	}
	return append(parts, make([]string, limit-len(parts))...), nil
}

// documentsIn reads the documents in a folder; without a folder, the embedded ones.
func documentsIn(dir string) (*provider.Catalogue, *openapi.Documents, error) {
	if dir == "" {
		catalogue, err := connect.Catalogue()
		return catalogue, nil, err
	}
	load := openapi.Load
	if _, err := os.Stat(filepath.Join(dir, "provider.yaml")); err != nil {
		load = openapi.LoadAll
	}
	docs, err := load(os.DirFS(dir))
	if err != nil {
		return nil, nil, err
	}
	return provider.NewCatalogue(docs), docs, nil
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
