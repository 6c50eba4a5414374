package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/internal/report"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

// reportFlags are the flags of pipeline report.
type reportFlags struct {
	out string
}

func (c *command) pipelineReportCommand() *cobra.Command {
	var flags reportFlags
	cmd := &cobra.Command{
		Use:   "report [folder | pipeline]",
		Short: "Write a page about a store: freshness, changes, failures, costs",
		Long: `Write one file of HTML about the rows of a pipeline: how fresh they are by workspace
and table, which queries failed, what changed by day, the latest changes with their
old and new values, and the computes that cost most. The page needs no network and no
script. It can be mailed and printed.

Failed and old rows are in the page, so the exit status is 0. With --store and no
folder, the page is about all pipelines of the store.`,
		Example: `  lakeql pipeline report inventory -o report.html
  lakeql pipeline report --store postgres://inventory@db.example.com/inventory -o report.html`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.pipelineReport(args, &flags) },
	}
	c.storeFlag(cmd)
	c.workspaceFlags(cmd) // a Lakebase store's password comes from its workspace
	cmd.Flags().StringVarP(&flags.out, "output", "o", "", "file to write; - is standard output (default: standard output, if it is no terminal)")
	return cmd
}

func (c *command) pipelineReport(args []string, flags *reportFlags) error {
	if flags.out == "" && terminal.Is(c.stdout) {
		return provider.Usagef("a page of HTML is not for a terminal").
			Hintf("write it to a file: -o report.html")
	}
	ctx, stop := interruptible()
	defer stop()
	store, options, err := c.reported(ctx, args)
	if err != nil {
		return err
	}
	defer store.Close()
	write := func(w io.Writer) error { return report.Write(ctx, w, store.Reader(options.Name), options) }
	if flags.out == "" || flags.out == "-" {
		return write(c.stdout)
	}
	return render.ToFile(flags.out, write)
}

// reported opens the store that a report is about.
func (c *command) reported(ctx context.Context, args []string) (*pipeline.Store, report.Options, error) {
	argument := ""
	if len(args) > 0 || c.store == "" {
		argument = folderOf(args)
	}
	store, name, err := c.namedStore(ctx, argument, &pipelineFlags{})
	return store, report.Options{Name: name, LooksSecret: dispatch.LooksSecret}, err
}
