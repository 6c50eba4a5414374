package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

// forgetFlags are the flags of pipeline forget.
type forgetFlags struct {
	pipelineFlags

	what        pipeline.Forgetting
	dryRun, yes bool
}

func (c *command) pipelineForgetCommand() *cobra.Command {
	var flags forgetFlags
	cmd := &cobra.Command{
		Use:   "forget <pipeline>",
		Short: "Delete the rows and history of workspaces, tables, or columns that left",
		Long: `Delete from the store the rows and the history of workspaces, tables, or columns. The
rows of a workspace that the account does not list any more, and of a table whose SQL
file is gone, stay in the store, marked stale, until you forget them. lakeql pipeline
status --workspaces shows them with the state left.

forget prints the number of rows first, and asks on a terminal; elsewhere, add --yes.
It deletes in one transaction, and nothing that an unfinished run queries. A workspace
or table that comes back starts a new history. Exported files stay.

--workspace with --table deletes the rows of the workspaces in these tables only.
--column takes columns that the query does not return any more.`,
		Example: `  lakeql pipeline forget inventory --workspace dbc-1a2b3c4d-5e6f --dry-run
  lakeql pipeline forget inventory --workspace dbc-1a2b3c4d-5e6f --yes
  lakeql pipeline forget inventory --table apps --store postgres://inventory@db.example.com/inventory
  lakeql pipeline forget inventory --column clusters.creator`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.pipelineForget(args[0], &flags) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&flags.what.Workspaces, "workspace", nil, "deployment name of a workspace to forget; repeatable")
	f.StringSliceVar(&flags.what.Tables, "table", nil, "table to forget; repeatable")
	f.StringSliceVar(&flags.what.Columns, "column", nil, "column to forget, as <table>.<column>; repeatable")
	f.BoolVar(&flags.dryRun, "dry-run", false, "print the number of rows, and delete none")
	f.BoolVarP(&flags.yes, "yes", "y", false, "do not ask")
	c.lookFlags(cmd, &flags.pipelineFlags)
	return cmd
}

// check refuses flags that select nothing, or two things.
func (f *forgetFlags) check() error {
	w := f.what
	switch {
	case len(w.Workspaces)+len(w.Tables)+len(w.Columns) == 0:
		return provider.Usagef("nothing is named that is to be forgotten").
			Hintf("add --workspace, --table, or --column")
	case len(w.Columns) > 0 && len(w.Workspaces)+len(w.Tables) > 0:
		return provider.Usagef("--column is about all rows of its table: give it alone")
	}
	for _, name := range w.Columns {
		if table, column, ok := strings.Cut(name, "."); !ok || table == "" || column == "" {
			return provider.Usagef("--column %s is not <table>.<column>", provider.Quote(name))
		}
	}
	return nil
}

func (c *command) pipelineForget(argument string, flags *forgetFlags) error {
	opts, err := c.renderOptions()
	if err != nil {
		return err
	}
	if err := flags.check(); err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	store, name, err := c.namedStore(ctx, argument, &flags.pipelineFlags)
	if err != nil {
		return err
	}
	defer store.Close()
	what := flags.what
	what.Pipeline = name
	found, err := store.Forgettable(ctx, what)
	if err != nil {
		return err
	}
	if err := c.show(ctx, pipeline.ForgottenRows(found), opts); err != nil {
		return err
	}
	for _, part := range found {
		if !part.Left() {
			c.note("the pipeline still queries some of these: its next run stores their rows again, as new ones")
			break
		}
	}
	if flags.dryRun {
		c.note("nothing was deleted: this is a dry run")
		return nil
	}
	if !flags.yes {
		if err := c.agree(ctx, fmt.Sprintf("delete %s?", counted(found))); err != nil {
			return err
		}
	}
	gone, err := store.Forget(ctx, what)
	if err != nil {
		return err
	}
	c.note("deleted %s", counted(gone))
	return nil
}

// counted sums up what is forgotten.
func counted(all []pipeline.Forgotten) string {
	var rows, history int64
	columns := 0
	for _, part := range all {
		rows += part.Rows
		history += part.History
		if part.Column != "" {
			columns++
		}
	}
	text := fmt.Sprintf("%d rows and %d history rows", rows, history)
	if columns > 0 {
		noun := "columns"
		if columns == 1 {
			noun = "column"
		}
		text = fmt.Sprintf("%d %s, with values in %s", columns, noun, text)
	}
	return text
}

// agree asks on a terminal, and returns an error unless the answer is yes.
func (c *command) agree(ctx context.Context, question string) error {
	if !terminal.Is(c.stdin) {
		return provider.Usagef("nothing was deleted: nobody is there to be asked, as standard input is not a terminal").
			Hintf("add --yes to delete, or --dry-run to see the numbers only")
	}
	_, _ = fmt.Fprintf(c.stderr, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() { // reading a terminal cannot be interrupted; the process ends soon
		line, _ := bufio.NewReader(c.stdin).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case text := <-answer:
		if text == "y" || text == "yes" {
			return nil
		}
	case <-ctx.Done():
	}
	return provider.Errorf(provider.Canceled, "nothing was deleted")
}
