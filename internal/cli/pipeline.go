package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

// pipelineFlags are the flags of the pipeline commands.
type pipelineFlags struct {
	folder      string
	concurrency int
	logFormat   string
	failOn      string
	notify      []string
}

func (c *command) pipelineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pipeline",
		Short: "Store an inventory of workspaces with its history",
		Long: `A pipeline is a folder with a file pipeline.yaml and one SQL file for each table. A
run executes each query in each workspace. The store, an SQLite file or a
PostgreSQL server, keeps the rows and the history of their changes. A failed query
keeps its last rows, marked stale; lakeql never records them as removed.

A run interrupted by Ctrl-C, a crash, or a lost connection resumes when you run the
pipeline again.

Each command names a pipeline by its folder, or by its name if --store is given.`,
		Example: `  lakeql pipeline init inventory         # create a folder with queries
  lakeql pipeline check inventory        # list the calls without sending them
  lakeql pipeline run inventory
  lakeql pipeline test inventory         # run the checks over the store
  lakeql pipeline status inventory
  lakeql pipeline diff inventory branches --since 24h
  lakeql exec --store inventory/inventory.db "SELECT * FROM branches_at('2026-11-01')"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.pipelineInitCommand(), c.pipelineCheckCommand(), c.pipelineRunCommand(), c.pipelineStatusCommand(),
		c.pipelineDiffCommand(), c.pipelineExportCommand(), c.pipelineTestCommand(), c.pipelineScheduleCommand(), c.pipelineStopCommand(), c.pipelineForgetCommand())
	cmd.AddCommand(c.pipelineReportCommand(), c.pipelineDBTCommand())
	return cmd
}

// folderOf is the folder of a pipeline: the argument, or where the command runs.
func folderOf(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}

func (c *command) storeFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.store, "store", "", "store of the rows and history: an SQLite file, or postgres://… (default: store in pipeline.yaml)")
}

// openStore opens the store that --store names, or the pipeline.
func (c *command) openStore(ctx context.Context, d *pipeline.Definition, asker *asker) (*pipeline.Store, error) {
	return pipeline.OpenStore(ctx, c.storeOf(d), c.minter(asker))
}

// storeOf returns the store: --store, otherwise the setting of the pipeline, if d is not nil.
func (c *command) storeOf(d *pipeline.Definition) string {
	if d == nil {
		return c.store
	}
	return cmp.Or(c.store, pipeline.StoreOf(d))
}

// adoptFlag is that of commands that bring a folder into a store.
func (c *command) adoptFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.adopt, "adopt", false, "take the place of the pipeline of this name that another folder has in the store")
}

// withPipeline reads the pipeline of a folder, checks it, and hands it on with who asks its queries.
func (c *command) withPipeline(folder string, use func(ctx context.Context, asker *asker, d *pipeline.Definition) error) error {
	ctx, stop := interruptible()
	defer stop()
	asker, err := c.askers()
	if err != nil {
		return err
	}
	defer asker.connection.close()
	d, err := pipeline.Load(ctx, folder)
	if err != nil {
		return c.needsFolder(folder, err)
	}
	d.Adopt = c.adopt
	if err := pipeline.Check(ctx, d, asker); err != nil {
		return c.reportEach(err)
	}
	return use(ctx, asker, d)
}

// who names the person that begins a run.
func who() string {
	host, _ := os.Hostname() // it is only told
	u, err := user.Current()
	if err != nil {
		return host
	}
	return u.Username + "@" + host
}

func (c *command) pipelineInitCommand() *cobra.Command {
	var from fromFlags
	cmd := &cobra.Command{
		Use:   "init [folder]",
		Short: "Create a folder with pipeline.yaml, example queries, and checks",
		Long: `Create a folder with pipeline.yaml, queries for Lakebase, clusters, jobs,
warehouses, Unity Catalog, users, and tokens, and checks of security and cost. Edit
them as needed. The first lines of each file declare the name of its table and the
key columns, or the settings of the check. lakeql overwrites no existing file.

With --from-stackql, the queries come from a project of stackql-deploy, or from a
folder of .iql files. lakeql names each statement that it leaves out, with the
reason. The exit status is then 3.`,
		Example: `  lakeql pipeline init inventory
  lakeql pipeline init inventory --from-stackql ../stack --environment prd`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			folder := cmp.Or(folderOf(args), ".")
			if from.stackql != "" {
				return c.initFrom(folder, &from)
			}
			if from.environment != "" || len(from.vars) > 0 {
				return provider.Usagef("--environment and --var belong to --from-stackql")
			}
			made, err := pipeline.Init(folder)
			if err != nil {
				return err
			}
			c.note("made %d files in %s", len(made), folder)
			c.note("see what they ask: lakeql pipeline check %s; then: lakeql pipeline run %s", folder, folder)
			return nil
		},
	}
	c.fromFlags(cmd, &from)
	return cmd
}

func (c *command) pipelineCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [folder]",
		Short: "Check the queries of a pipeline, and list their calls",
		Long: `Check pipeline.yaml and every query against the API's documents, and print the calls
that each query makes in a workspace. lakeql sends none of them. The exit status is
2 if a query is invalid.`,
		Example: "  lakeql pipeline check inventory",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return c.pipelineCheck(folderOf(args)) },
	}
	c.workspaceFlags(cmd)
	c.outputFlags(cmd)
	c.storeFlag(cmd)
	c.adoptFlag(cmd)
	return cmd
}

func (c *command) pipelineCheck(folder string) error {
	opts, err := c.renderOptions()
	if err != nil {
		return err
	}
	return c.withPipeline(folder, func(ctx context.Context, asker *asker, d *pipeline.Definition) error {
		if err := pipeline.StoreExists(c.storeOf(d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		} else if err == nil {
			store, err := c.openStore(ctx, d, asker)
			if err != nil {
				return err
			}
			defer store.Close()
			if err := c.fits(ctx, store, d); err != nil {
				return err
			}
		}
		rows, err := asker.explain(ctx, d)
		if err != nil {
			return err
		}
		return c.show(ctx, rows, opts)
	})
}

// fits reports why a pipeline does not fit a store, and notes its changes for the readers of its tables.
func (c *command) fits(ctx context.Context, store *pipeline.Store, d *pipeline.Definition) error {
	if err := store.CheckStore(ctx, d); err != nil {
		return err
	}
	differences, err := store.Differences(ctx, d)
	for _, text := range differences {
		c.note("%s", provider.Printable(text))
	}
	return err
}

// explain lists the calls of each query.
func (a *asker) explain(ctx context.Context, d *pipeline.Definition) (provider.Rows, error) {
	columns := []provider.Column{{Name: "table", Type: "string"}}
	var all [][]any
	for i := range d.Tables {
		query, err := d.Probe(ctx, &d.Tables[i])
		if err != nil {
			return nil, err
		}
		session := a.session("", nil)
		session.QueriesOnly = false // EXPLAIN is about one
		for rows, err := range session.Run(ctx, "EXPLAIN "+query) {
			if err != nil {
				session.Close()
				return nil, err
			}
			if len(columns) == 1 {
				columns = append(columns, rows.Columns()...)
			}
			for {
				row, err := rows.Next(ctx)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					session.Close()
					return nil, err
				}
				all = append(all, append([]any{d.Tables[i].Name}, row...))
			}
		}
		session.Close()
	}
	return provider.NewRows(columns, all), nil
}

// show writes rows to the output.
func (c *command) show(ctx context.Context, rows provider.Rows, opts render.Options) error {
	return c.toOutput(func(w io.Writer) error {
		_, err := render.Write(ctx, w, rows, opts)
		return errors.Join(err, rows.Close())
	})
}

// reportEach prints each of several errors, and returns one that sums them up.
func (c *command) reportEach(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	all := joined.Unwrap()
	if len(all) == 1 {
		return all[0]
	}
	for _, e := range all {
		_, _ = fmt.Fprintf(c.stderr, "error: %s\n", e)
		if hint := provider.HintOf(e); hint != "" {
			_, _ = fmt.Fprintf(c.stderr, "hint: %s\n", hint)
		}
	}
	return provider.Errorf(provider.CodeOf(all[0]), "the pipeline has %d faults, which are told above", len(all))
}

func (c *command) pipelineStatusCommand() *cobra.Command {
	var flags pipelineFlags
	var tables, workspaces, checked bool
	var limit int
	cmd := &cobra.Command{
		Use:   "status [pipeline]",
		Short: "Show the last runs of a pipeline, or the state of its tables",
		Long: `Show the last runs of a pipeline with their duration in seconds, or the state of its
tables, workspaces, or checks. With --store and no pipeline, show those of all pipelines of the
store.

A run without a worker is interrupted, or waiting for one if it has not begun.
Workspaces and tables that the pipeline does not query any more have the state left.`,
		Example: `  lakeql pipeline status inventory
  lakeql pipeline status inventory --workspaces   # list stale tables and their errors
  lakeql pipeline status inventory --checks
  lakeql pipeline status --store postgres://inventory@db.example.com/inventory`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if tables && workspaces || checked && (tables || workspaces) {
				return provider.Usagef("--tables, --workspaces and --checks are different questions: ask one of them")
			}
			argument, _ := argumentOf(args, 1)
			return c.look(argument, &flags, func(ctx context.Context, s *pipeline.Store, name string) (provider.Rows, error) {
				if name != "" {
					if err := s.CheckPipeline(ctx, name); err != nil {
						return nil, err
					}
				}
				switch {
				case tables:
					return s.StatusTables(ctx, name)
				case workspaces:
					return s.StatusWorkspaces(ctx, name)
				case checked:
					return s.StatusChecks(ctx, name)
				}
				return s.StatusRuns(ctx, name, limit)
			})
		},
	}
	c.lookFlags(cmd, &flags)
	f := cmd.Flags()
	f.BoolVar(&tables, "tables", false, "list each table with its workspaces, the number of stale ones, and the age of its rows")
	f.BoolVar(&workspaces, "workspaces", false, "list each workspace and table with the time of its last query, and the error if it is stale")
	f.BoolVar(&checked, "checks", false, "list each check with its state after the last run, since when, and why")
	f.IntVar(&limit, "runs", 5, "number of runs to list for each pipeline")
	return cmd
}

// lookFlags adds the flags of commands that read a store.
func (c *command) lookFlags(cmd *cobra.Command, flags *pipelineFlags) {
	c.folderFlag(cmd, flags)
	c.storeFlag(cmd)
	c.workspaceFlags(cmd) // a Lakebase store's password comes from its workspace
	c.outputFlags(cmd)
}

// wholeFlag adds the flag of commands whose rows may be old or missing, and whose exit status reports it.
func (c *command) wholeFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.onError, "on-error", string(engine.Fail), "effect of old or missing rows, because a workspace failed or was not asked yet: fail ends the command; partial returns the rows of the store and exits with status 3")
}

// noteGaps notes what tables of a store lack, and returns the names of those without some of their rows.
func noteGaps(ctx context.Context, s *pipeline.Store, tables []string, note func(line string)) (missing []string, err error) {
	notes, err := s.Notes(ctx, tables)
	for _, n := range notes {
		table := provider.Printable(n.Table)
		note(table + ": " + provider.Printable(n.Text))
		if n.Missing {
			missing = append(missing, table)
		}
	}
	return missing, err
}

// diff returns the changes of a table since a time, which it reads; see [parseSince].
func diff(ctx context.Context, s *pipeline.Store, table string, since time.Time, note func(line string)) (provider.Rows, error) {
	told, err := s.CheckSince(ctx, table, since)
	if err != nil {
		return nil, err
	}
	if told != "" {
		note(table + ": " + told)
	}
	return s.Diff(ctx, table, since)
}

func (c *command) pipelineDiffCommand() *cobra.Command {
	var flags pipelineFlags
	var since string
	cmd := &cobra.Command{
		Use:   "diff <pipeline> <table>",
		Short: "List the added, changed, and removed rows of a table",
		Long: `List the added, changed, and removed rows of a table, with the time, the workspace,
and the key. A changed row lists its changed columns with their old and new values.
A column that is new in the query is not a change. The table <table>_history holds
the same rows for SQL. Without the pipeline, the table is one of the store in --store,
or of the pipeline in the current folder.`,
		Example: `  lakeql pipeline diff inventory branches --since 24h
  lakeql pipeline diff inventory users --since 2026-11-01 -o jsonl`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			from, err := parseSince(since, time.Now())
			if err != nil {
				return err
			}
			if err := c.needsSecond(args, &flags, "table"); err != nil {
				return err
			}
			argument, tables := argumentOf(args, 2)
			return c.lookWhole(argument, &flags, tables, func(ctx context.Context, s *pipeline.Store, tables []string) (provider.Rows, error) {
				return diff(ctx, s, tables[0], from, c.noteLine)
			})
		},
	}
	c.lookFlags(cmd, &flags)
	c.wholeFlag(cmd)
	cmd.Flags().StringVar(&since, "since", "", "start of the period: a time such as 2026-11-01 or 2026-11-01T06:00:00Z, or an age such as 24h or 7d (default: the whole history)")
	return cmd
}

// parseSince reads a time, or how long ago it was.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if number, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.ParseFloat(number, 64); err == nil && days >= 0 && days < 36_500 {
			return now.Add(-time.Duration(days * 24 * float64(time.Hour))), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	if t, ok := pipeline.ParseTime(text); ok {
		return t, nil
	}
	return time.Time{}, provider.Usagef("--since %s is neither a time nor how long ago it was", provider.Quote(text)).
		Hintf("write 2026-11-01, 2026-11-01T06:00:00Z, 24h or 7d")
}

func (c *command) pipelineStopCommand() *cobra.Command {
	var flags pipelineFlags
	cmd := &cobra.Command{
		Use:   "stop <pipeline>",
		Short: "Stop the current run of a pipeline",
		Long: `Stop the current run of a pipeline, on whichever machine it runs. Queries
that have not started do not start, and running queries store no rows. The rows of
finished queries stay.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, stop := interruptible()
			defer stop()
			store, name, err := c.namedStore(ctx, args[0], &flags)
			if err != nil {
				return err
			}
			defer store.Close()
			stopped, err := store.Stop(ctx, name)
			if err == nil && !stopped {
				err = provider.Errorf(provider.Unknown, "no run of %s is under way", provider.Quote(name)).
					Hintf("see lakeql pipeline status")
			}
			return err
		},
	}
	c.folderFlag(cmd, &flags)
	c.storeFlag(cmd)
	c.workspaceFlags(cmd) // a Lakebase store's password comes from its workspace
	return cmd
}
