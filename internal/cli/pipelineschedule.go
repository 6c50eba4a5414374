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
		Short: "Run pipelines on a schedule",
		Long: `Run pipelines at the times of the schedule in pipeline.yaml (cron syntax). install
stores a copy of the pipeline with its schedule; reinstall it after editing. Workers
(lakeql worker) start the runs. Any number of workers starts each run once. If no
worker was running at a scheduled time, the next worker starts one run. A scheduled
time during a run is skipped, and list reports it.`,
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
	change("pause", "Start no further scheduled runs", func(ctx context.Context, s *pipeline.Store, name string) error { return s.Pause(ctx, name, true) })
	change("resume", "Start scheduled runs again, from the next scheduled time", func(ctx context.Context, s *pipeline.Store, name string) error { return s.Pause(ctx, name, false) })
	change("trigger", "Start a run now; workers execute it", func(ctx context.Context, s *pipeline.Store, name string) error {
		run, err := s.Trigger(ctx, name, who())
		if err == nil {
			c.note("run %d of %s has begun", run.ID, name)
		}
		return err
	})
	change("remove", "Delete a schedule; rows and history stay", func(ctx context.Context, s *pipeline.Store, name string) error { return s.Remove(ctx, name) })
	return cmd
}

func (c *command) scheduleInstallCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "install [folder]",
		Short:   "Store a copy of a pipeline with its schedule, replacing the previous copy",
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
				if err := c.fits(ctx, store, d); err != nil { // which compares it with the last run
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
	c.adoptFlag(cmd)
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
