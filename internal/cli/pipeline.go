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

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

// pipelineFlags are those of the commands about pipelines.
type pipelineFlags struct {
	folder      string
	concurrency int
	logFormat   string
}

func (c *command) pipelineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pipeline",
		Short: "Keep an inventory of workspaces, with its history",
		Long: `A pipeline is a folder of SQL files, one a table, and a file pipeline.yaml. Each
query is asked of each workspace; the rows go into a store, an SQLite file or a
PostgreSQL server, which also keeps what changed. A query that fails keeps the
rows of the last time, marked stale; it is never taken for rows that are gone.

A run that is interrupted, by Ctrl-C, a crash or a lost connection, goes on
where it was when the pipeline is run again.`,
		Example: `  lakeql pipeline init inventory         # a folder with queries to begin with
  lakeql pipeline check inventory        # what would be asked, without asking
  lakeql pipeline run inventory
  lakeql pipeline diff branches --folder inventory --since 24h
  lakeql exec --store inventory/inventory.db "SELECT * FROM branches_at('2026-11-01')"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.pipelineInitCommand(), c.pipelineCheckCommand(), c.pipelineRunCommand(), c.pipelineStatusCommand(),
		c.pipelineDiffCommand(), c.pipelineExportCommand(), c.pipelineScheduleCommand(), c.pipelineStopCommand())
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
	cmd.Flags().StringVar(&c.store, "store", "", "where rows and history are kept: an SQLite file, or postgres://… (default: what pipeline.yaml says)")
}

// openStore opens the store that --store names, or the pipeline.
func (c *command) openStore(ctx context.Context, d *pipeline.Definition, asker *asker) (*pipeline.Store, error) {
	return pipeline.OpenStore(ctx, c.storeOf(d), c.minter(asker))
}

// storeOf names the store: --store, or else what the pipeline says, if there is one.
func (c *command) storeOf(d *pipeline.Definition) string {
	if d == nil {
		return c.store
	}
	return cmp.Or(c.store, pipeline.StoreOf(d))
}

// existingStore opens the store of a folder, or of --store, for a command that looks at it.
func (c *command) existingStore(ctx context.Context, folder string) (*pipeline.Store, error) {
	var d *pipeline.Definition
	if c.store == "" {
		var err error
		if d, err = pipeline.Load(folder); err != nil {
			return nil, err
		}
	}
	if err := pipeline.StoreExists(c.storeOf(d)); err != nil {
		return nil, err
	}
	return c.openStore(ctx, d, nil)
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
	d, err := pipeline.Load(folder)
	if err != nil {
		return err
	}
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
	return &cobra.Command{
		Use:   "init [folder]",
		Short: "Make a folder with queries to begin with",
		Long: `Make a folder with pipeline.yaml and queries about Lakebase, clusters, jobs,
warehouses, Unity Catalog, people and tokens. Change them as you like: each file
says in its first lines what its table is called and by which columns its rows
are told apart. Nothing that is there is overwritten.`,
		Example: "  lakeql pipeline init inventory",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			folder := cmp.Or(folderOf(args), ".")
			made, err := pipeline.Init(folder)
			if err != nil {
				return err
			}
			c.note("made %d files in %s", len(made), folder)
			c.note("see what they ask: lakeql pipeline check %s; then: lakeql pipeline run %s", folder, folder)
			return nil
		},
	}
}

func (c *command) pipelineCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [folder]",
		Short: "Check the queries of a pipeline, and show the calls they make",
		Long: `Check pipeline.yaml and every query against the documents of the API, without a
call, and print the calls that each query makes in a workspace. The exit status is
2 if any of them would not run.`,
		Example: "  lakeql pipeline check inventory",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return c.pipelineCheck(folderOf(args)) },
	}
	c.workspaceFlags(cmd)
	c.outputFlags(cmd)
	c.storeFlag(cmd)
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
			if err := store.CheckStore(ctx, d); err != nil {
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

// explain lists the calls of each query.
func (a *asker) explain(ctx context.Context, d *pipeline.Definition) (provider.Rows, error) {
	columns := []provider.Column{{Name: "table", Type: "string"}}
	var all [][]any
	for i := range d.Tables {
		query, err := d.Probe(&d.Tables[i])
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

// reportEach tells each of several errors, and gives one that sums them up.
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
	return &provider.Error{Code: provider.CodeOf(all[0]), Message: fmt.Sprintf("the pipeline has %d faults, which are told above", len(all))}
}

func (c *command) pipelineStatusCommand() *cobra.Command {
	var flags pipelineFlags
	var tables, workspaces bool
	var limit int
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the runs of a store, or what its tables hold",
		Example: `  lakeql pipeline status --folder inventory
  lakeql pipeline status --folder inventory --workspaces   # what is stale, and why
  lakeql pipeline status --store postgres://inventory@db.example.com/inventory`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return c.look(flags.folder, func(ctx context.Context, s *pipeline.Store) (provider.Rows, error) {
				switch {
				case tables && workspaces:
					return nil, &provider.Error{Code: provider.Usage, Message: "--tables and --workspaces are two questions: ask one of them"}
				case tables:
					return s.StatusTables(ctx)
				case workspaces:
					return s.StatusWorkspaces(ctx)
				}
				return s.StatusRuns(ctx, limit)
			})
		},
	}
	c.lookFlags(cmd, &flags)
	f := cmd.Flags()
	f.BoolVar(&tables, "tables", false, "show each table: its workspaces, how many are stale, how old its rows are")
	f.BoolVar(&workspaces, "workspaces", false, "show each workspace and table: when its rows were asked for, and why they are stale")
	f.IntVar(&limit, "runs", 5, "how many runs of each pipeline to show")
	return cmd
}

// lookFlags are those of commands that look into a store.
func (c *command) lookFlags(cmd *cobra.Command, flags *pipelineFlags) {
	cmd.Flags().StringVarP(&flags.folder, "folder", "C", ".", "folder of the pipeline")
	c.storeFlag(cmd)
	c.workspaceFlags(cmd) // a Lakebase store's password comes from its workspace
	c.outputFlags(cmd)
}

// look shows rows of a store.
func (c *command) look(folder string, rows func(context.Context, *pipeline.Store) (provider.Rows, error)) error {
	opts, err := c.renderOptions()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	store, err := c.existingStore(ctx, folder)
	if err != nil {
		return err
	}
	defer store.Close()
	found, err := rows(ctx, store)
	if err != nil {
		return err
	}
	return c.show(ctx, found, opts)
}

func (c *command) pipelineDiffCommand() *cobra.Command {
	var flags pipelineFlags
	var since string
	cmd := &cobra.Command{
		Use:   "diff <table>",
		Short: "Show what changed in a table",
		Long: `Show the rows of a table that were added, changed or removed: when, in which
workspace, by their key; of a change which columns, from what to what. A column that
the query did not give before is no change. The same is in <table>_history, for SQL.`,
		Example: `  lakeql pipeline diff branches --folder inventory --since 24h
  lakeql pipeline diff users --since 2026-11-01 -o jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			from, err := parseSince(since, time.Now())
			if err != nil {
				return err
			}
			return c.look(flags.folder, func(ctx context.Context, s *pipeline.Store) (provider.Rows, error) { return s.Diff(ctx, args[0], from) })
		},
	}
	c.lookFlags(cmd, &flags)
	cmd.Flags().StringVar(&since, "since", "", "from when on: a time such as 2026-11-01 or 2026-11-01T06:00:00Z, or how long ago: 24h, 7d (default: all that is kept)")
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
	return time.Time{}, &provider.Error{Code: provider.Usage, Message: "--since " + provider.Quote(text) + " is neither a time nor how long ago it was", Hint: "write 2026-11-01, 2026-11-01T06:00:00Z, 24h or 7d"}
}

func (c *command) pipelineExportCommand() *cobra.Command {
	var flags pipelineFlags
	var tables []string
	cmd := &cobra.Command{
		Use:   "export <folder>",
		Short: "Write the tables of a store as Parquet files",
		Long: `Write what the tables hold as Parquet files, which DuckDB, Spark and others read
as tables partitioned by workspace:

  <folder>/<table>/deployment_name=<workspace>/run-<run>.parquet

The run is the one whose rows these are. Files of runs that were exported before
stay, so that exports add up; the columns run_id and observed_at tell them apart.`,
		Example: `  lakeql pipeline export ./lake -C inventory
  duckdb -c "SELECT * FROM read_parquet('lake/branches/*/*.parquet') WHERE run_id = 12"`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return c.look(flags.folder, func(ctx context.Context, s *pipeline.Store) (provider.Rows, error) {
				return s.Export(ctx, args[0], tables)
			})
		},
	}
	c.lookFlags(cmd, &flags)
	cmd.Flags().StringSliceVar(&tables, "table", nil, "a table to export; may be repeated (default: all)")
	return cmd
}

func (c *command) pipelineStopCommand() *cobra.Command {
	var flags pipelineFlags
	cmd := &cobra.Command{
		Use:   "stop <pipeline>",
		Short: "Stop the run of a pipeline that is not over",
		Long: `Stop the run of a pipeline, by its name, on whatever machine it runs: queries that
have not begun are not asked, and those that are under way change nothing any
more. What was finished stays.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, stop := interruptible()
			defer stop()
			store, err := c.existingStore(ctx, flags.folder)
			if err != nil {
				return err
			}
			defer store.Close()
			stopped, err := store.Stop(ctx, args[0])
			if err == nil && !stopped {
				err = &provider.Error{Code: provider.Unknown, Message: "no run of " + provider.Quote(args[0]) + " is under way", Hint: "see lakeql pipeline status"}
			}
			return err
		},
	}
	cmd.Flags().StringVarP(&flags.folder, "folder", "C", ".", "folder of the pipeline")
	c.storeFlag(cmd)
	return cmd
}
