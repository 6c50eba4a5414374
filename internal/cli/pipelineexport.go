package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) pipelineExportCommand() *cobra.Command {
	var flags pipelineFlags
	var tables []string
	var by, format string
	var options pipeline.ExportOptions
	cmd := &cobra.Command{
		Use:   "export <pipeline> <folder>",
		Short: "Write the tables of a store as Parquet, CSV, or JSON files",
		Long: `Write the rows of the tables as files. DuckDB, Spark, and other programs read them as
tables partitioned by workspace:

  <folder>/<table>/deployment_name=<workspace>/run-<run>.parquet

<run> is the run that read the rows. The files of earlier exports stay, so exports
accumulate. The columns run_id, observed_at, and stale distinguish them. --history adds
the changes of each run:

  <folder>/<table>_history/run_id=<run>/changes.parquet

--by table writes one file for each table in place of the last one, <table>.parquet and
<table>_history.parquet, with the workspace as a column.

Without the pipeline, export writes the tables of all pipelines of the store in --store,
or of the pipeline in the current folder.`,
		Example: `  lakeql pipeline export inventory ./lake
  lakeql pipeline export inventory ./lake --history --since-run 12
  lakeql pipeline export inventory ./sheets --by table --format csv
  duckdb -c "SELECT * FROM read_parquet('lake/branches/*/*.parquet') WHERE run_id = 12"`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			switch by {
			case "table", "workspace":
				options.ByTable = by == "table"
			default:
				return provider.Usagef("--by %s is neither workspace nor table", provider.Quote(by))
			}
			options.Format = pipeline.ExportFormat(format)
			if err := options.Valid(); err != nil { // before the notes about old rows
				return err
			}
			if err := c.needsSecond(args, &flags, "folder"); err != nil {
				return err
			}
			argument, rest := argumentOf(args, 2)
			return c.lookWhole(argument, &flags, tables, func(ctx context.Context, s *pipeline.Store, tables []string) (provider.Rows, error) {
				return s.Export(ctx, rest[0], tables, options)
			})
		},
	}
	c.lookFlags(cmd, &flags)
	c.wholeFlag(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&tables, "table", nil, "table to export; repeatable (default: all tables)")
	f.StringVar(&by, "by", "workspace", "files to write: one for each workspace and run, or one for each table")
	f.StringVar(&format, "format", string(pipeline.ParquetFile), "format of the files: parquet, csv, json (one object a line)")
	f.BoolVar(&options.History, "history", false, "write the changes of the rows, too")
	f.Int64Var(&options.SinceRun, "since-run", 0, "write the rows and changes of later runs only")
	return cmd
}
