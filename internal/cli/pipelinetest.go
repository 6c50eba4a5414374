package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/provider"
)

// testFlags are the flags of pipeline test.
type testFlags struct {
	names          []string
	failOn, format string
	rows           bool
}

func (c *command) pipelineTestCommand() *cobra.Command {
	var flags testFlags
	cmd := &cobra.Command{
		Use:   "test [pipeline]",
		Short: "Run the checks of a pipeline over its store",
		Long: `Run the checks of a pipeline: each file checks/*.sql is a query over the tables of
the store that must return no row, or one number within bounds. The queries read
the store, call no API, and change nothing. The pipeline is its folder, or its name
in the store of --store; then the checks are those of its last run.

States:
  pass     The query returned what is expected.
  fail     It returned failing rows, or a number out of bounds.
  unknown  Rows that it reads are old or missing, and no failing row was found.
  error    The query is invalid, or reached a limit.

Exit status:
  0  All checks passed, or those that fail are below --fail-on.
  1  A check of the severity --fail-on or above failed, or one has the state error.
  2  The pipeline or the command line is invalid.
  3  No check failed, and some are unknown.`,
		Example: `  lakeql pipeline test inventory
  lakeql pipeline test inventory --check tokens_without_end --rows
  lakeql pipeline test inventory --format junit -f checks.xml
  lakeql pipeline test inventory --format github --fail-on warning   # in a GitHub workflow
  lakeql pipeline test inventory --store postgres://inventory@db.example.com/inventory`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.pipelineTest(folderOf(args), &flags) },
	}
	c.workspaceFlags(cmd) // a Lakebase store's password comes from its workspace
	c.outputFlags(cmd)
	c.storeFlag(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&flags.names, "check", nil, "name of a check to run; repeatable (default: all)")
	f.StringVar(&flags.failOn, "fail-on", string(checks.Error), "least severity of a failed check for exit status 1: info, warning, error, critical; never ignores all states")
	f.StringVar(&flags.format, "format", string(checks.Table), "report format: table, written as -o says, or junit, sarif, github, json for CI")
	f.BoolVar(&flags.rows, "rows", false, "list each failing row in the table")
	return cmd
}

func (c *command) pipelineTest(folder string, flags *testFlags) error {
	opts, err := c.renderOptions()
	if err != nil {
		return err
	}
	format, err := checks.ParseFormat(flags.format)
	if err != nil {
		return err
	}
	failOn, err := checks.ParseFailOn(flags.failOn)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	var d *pipeline.Definition // nil: the argument is the name of a pipeline in the store
	if c.store == "" || folder == "." || isPipeline(folder) {
		if d, err = pipeline.Load(ctx, folder); err != nil {
			return err
		}
	}
	if err := pipeline.StoreExists(c.storeOf(d)); err != nil {
		return err
	}
	asker, err := c.askers()
	if err != nil {
		return err
	}
	defer asker.connection.close()
	store, err := c.openStore(ctx, d, asker)
	if err != nil {
		return err
	}
	defer store.Close()
	if d == nil {
		if d, err = store.Definition(ctx, folder); err != nil {
			return err
		}
	}
	if len(d.Checks) == 0 {
		return provider.Usagef("the pipeline %s has no checks", d.Name).
			Hintf("make one: a query in the folder %s of the pipeline", pipeline.ChecksFolder)
	}
	reader, closeReader, err := c.checkReader(ctx, store, c.storeOf(d), asker)
	if err != nil {
		return err
	}
	defer closeReader()
	report := &checks.Report{Pipeline: d.Name, At: time.Now(), FailOn: failOn, Version: versionNumber(), Place: placeOfChecks(folder)}
	if report.Results, err = d.Evaluate(ctx, reader, flags.names); err != nil {
		return err
	}
	report.Took = time.Since(report.At)
	if format == checks.Table {
		err = c.show(ctx, report.Rows(flags.rows), opts)
	} else {
		err = c.toOutput(func(w io.Writer) error { return report.Write(w, format) })
	}
	if err != nil {
		return err
	}
	return report.Error()
}

// placeOfChecks returns the paths of a folder's checks as CI shows them: relative to the current folder, if
// they are below it, and with slashes.
func placeOfChecks(folder string) func(*checks.Check) string {
	return func(c *checks.Check) string {
		if c.File == "" { // the store does not have it
			return pipeline.ChecksFolder + "/" + c.Name + ".sql"
		}
		path := filepath.Join(folder, c.File)
		if filepath.IsAbs(path) {
			if here, err := os.Getwd(); err == nil {
				if below, err := filepath.Rel(here, path); err == nil && below != ".." && !strings.HasPrefix(below, ".."+string(filepath.Separator)) {
					path = below
				}
			}
		}
		return filepath.ToSlash(path)
	}
}
