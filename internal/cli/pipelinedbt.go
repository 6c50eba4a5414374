package cli

import (
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) pipelineDBTCommand() *cobra.Command {
	var folder, schema string
	cmd := &cobra.Command{
		Use:   "dbt <pipeline>",
		Short: "Write the tables of a store as sources for dbt",
		Long: `Write the tables of a pipeline as sources for dbt: their columns with types, tests of
their keys, and the age of rows from which dbt warns, which follows from the
installed schedule. The pipeline must have run once. Without -o, the sources go to
standard output.`,
		Example: `  lakeql pipeline dbt inventory -o models/inventory
  lakeql pipeline dbt inventory --store postgres://inventory@db.example.com/inventory --schema public`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, stop := interruptible()
			defer stop()
			store, name, err := c.namedStore(ctx, args[0], &pipelineFlags{})
			if err != nil {
				return err
			}
			defer store.Close()
			text, err := store.DBT(ctx, name, schema)
			if err != nil {
				return err
			}
			write := func(w io.Writer) error {
				_, err := w.Write(text)
				return err
			}
			if folder == "" {
				return write(c.stdout)
			}
			if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // files of a project, for everybody to read
				return provider.Usagef("make the folder: %v", err).Because(err)
			}
			return render.ToFile(filepath.Join(folder, pipeline.DBTFile), write)
		},
	}
	c.storeFlag(cmd)
	c.workspaceFlags(cmd) // a Lakebase store's password comes from its workspace
	f := cmd.Flags()
	f.StringVarP(&folder, "output", "o", "", "folder for the file sources.yml (default: standard output)")
	f.StringVar(&schema, "schema", "public", "schema of the store's tables")
	return cmd
}
