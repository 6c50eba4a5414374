package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) pipelineScheduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Have pipelines run by themselves",
		Long: `Have pipelines run by themselves, at the times that their schedule says (cron
syntax, in pipeline.yaml). A schedule is kept in the store with the pipeline as it
is; workers (lakeql worker) begin its runs, each once however many there are. If
all were down at some of its times, it runs once when one is back. A time that
comes before the last run is over is left out, and list tells so.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	change := func(use, short string, do func(ctx context.Context, s *pipeline.Store, name string) error) {
		var flags pipelineFlags
		sub := &cobra.Command{
			Use: use + " <pipeline>", Short: short, Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				return c.look(flags.folder, func(ctx context.Context, s *pipeline.Store) (provider.Rows, error) {
					if err := do(ctx, s, args[0]); err != nil {
						return nil, err
					}
					return s.StatusSchedules(ctx)
				})
			},
		}
		c.lookFlags(sub, &flags)
		cmd.AddCommand(sub)
	}
	cmd.AddCommand(c.scheduleInstallCommand(), c.scheduleListCommand())
	change("pause", "Begin no more runs", func(ctx context.Context, s *pipeline.Store, name string) error { return s.Pause(ctx, name, true) })
	change("resume", "Begin runs again, from the next time on", func(ctx context.Context, s *pipeline.Store, name string) error { return s.Pause(ctx, name, false) })
	change("trigger", "Begin a run now, which workers carry out", func(ctx context.Context, s *pipeline.Store, name string) error {
		run, err := s.Trigger(ctx, name, who())
		if err == nil {
			c.note("run %d of %s has begun", run.ID, name)
		}
		return err
	})
	change("remove", "Take a schedule away; rows and history stay", func(ctx context.Context, s *pipeline.Store, name string) error { return s.Remove(ctx, name) })
	return cmd
}

func (c *command) scheduleInstallCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "install [folder]",
		Short:   "Put a pipeline and its schedule into the store, in place of what was there",
		Example: "  lakeql pipeline schedule install inventory --store postgres://inventory@db.example.com/inventory",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			opts, err := c.renderOptions()
			if err != nil {
				return err
			}
			return c.withPipeline(folderOf(args), func(ctx context.Context, asker *asker, d *pipeline.Definition) error {
				store, err := c.openStore(ctx, d, asker)
				if err != nil {
					return err
				}
				defer store.Close()
				if _, err := store.Install(ctx, d); err != nil {
					return err
				}
				rows, err := store.StatusSchedules(ctx)
				if err != nil {
					return err
				}
				return c.show(ctx, rows, opts)
			})
		},
	}
	c.storeFlag(cmd)
	c.workspaceFlags(cmd)
	c.outputFlags(cmd)
	return cmd
}

func (c *command) scheduleListCommand() *cobra.Command {
	var flags pipelineFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List the schedules of a store", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return c.look(flags.folder, func(ctx context.Context, s *pipeline.Store) (provider.Rows, error) { return s.StatusSchedules(ctx) })
		},
	}
	c.lookFlags(cmd, &flags)
	return cmd
}
