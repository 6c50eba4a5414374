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
stores a copy of the pipeline with its schedule; reinstall it after editing, or install
it with --follow. list shows whether the folder was changed since. Workers (lakeql
worker) start the runs. Any number of workers starts each run once. If no worker was
running at a scheduled time, the next worker starts one run. A scheduled time during a
run is skipped, and list reports it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	change := func(use, short string, do func(ctx context.Context, s *pipeline.Store, name string) error) {
		var flags pipelineFlags
		sub := &cobra.Command{
			Use: use + " <pipeline>", Short: short, Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				return c.look(args[0], &flags, func(ctx context.Context, s *pipeline.Store, name string) (provider.Rows, error) {
					if err := do(ctx, s, name); err != nil {
						return nil, err
					}
					return c.schedules(ctx, s, "")
				})
			},
		}
		c.lookFlags(sub, &flags)
		cmd.AddCommand(sub)
	}
	cmd.AddCommand(c.scheduleInstallCommand(), c.scheduleListCommand())
	change("pause", "Start no further scheduled runs", func(ctx context.Context, s *pipeline.Store, name string) error { return s.Pause(ctx, name, true) })
	change("resume", "Start scheduled runs again, from the next scheduled time", func(ctx context.Context, s *pipeline.Store, name string) error { return s.Pause(ctx, name, false) })
	change("trigger", "Start a run now; workers execute it", c.trigger)
	change("remove", "Delete a schedule; rows and history stay", func(ctx context.Context, s *pipeline.Store, name string) error { return s.Remove(ctx, name) })
	return cmd
}

// trigger begins a run, and says whether a worker is there for it.
func (c *command) trigger(ctx context.Context, s *pipeline.Store, name string) error {
	run, err := s.Trigger(ctx, name, who())
	if err != nil {
		return err
	}
	hosts, err := schedulers(ctx, s)
	if err != nil {
		return err
	}
	if len(hosts) == 0 {
		c.note("run %d of %s has begun, and waits for a worker: lakeql worker --store %s", run.ID, name, provider.Printable(s.Place()))
		return nil
	}
	c.note("run %d of %s has begun", run.ID, name)
	return nil
}

// schedules shows the schedule of a pipeline (empty: of all), and notes those whose folder was changed.
func (c *command) schedules(ctx context.Context, s *pipeline.Store, name string) (provider.Rows, error) {
	all, err := s.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	var shown []pipeline.Schedule
	for _, schedule := range all {
		if name != "" && schedule.Pipeline != name {
			continue
		}
		shown = append(shown, schedule)
		folder := provider.Printable(schedule.Folder)
		switch state := schedule.FolderState; {
		case schedule.Follows && state == pipeline.FolderInvalid:
			c.note("the next run of %s fails: %s", schedule.Pipeline, provider.Printable(schedule.Differ))
		case schedule.Follows && state == pipeline.FolderGone:
			c.note("the next run of %s fails: its folder %s is gone", schedule.Pipeline, folder)
		case schedule.Follows:
		case state == pipeline.FolderDifferent:
			c.note("the folder %s differs from the installed schedule of %s in %s: run lakeql pipeline schedule install again, or let the schedule follow the folder with --follow", folder, schedule.Pipeline, provider.Printable(schedule.Differ))
		case state == pipeline.FolderInvalid:
			c.note("the folder %s of %s is invalid: %s", folder, schedule.Pipeline, provider.Printable(schedule.Differ))
		case state == pipeline.FolderGone:
			c.note("the folder %s of %s is gone: the schedule runs its copy", folder, schedule.Pipeline)
		}
	}
	return pipeline.StatusSchedules(shown), nil
}

// schedulers lists the hosts of the workers that begin and work any run. A lakeql pipeline run works on its own.
func schedulers(ctx context.Context, s *pipeline.Store) (hosts []string, err error) {
	workers, err := s.Workers(ctx)
	for _, w := range workers {
		if w.Schedules {
			hosts = append(hosts, w.Host)
		}
	}
	return hosts, err
}

// noteWorkers says who begins the runs of a schedule.
func (c *command) noteWorkers(ctx context.Context, s *pipeline.Store) error {
	hosts, err := schedulers(ctx, s)
	if err != nil {
		return err
	}
	switch len(hosts) {
	case 0:
		c.note("a worker starts the runs, and none is running: lakeql worker --store %s", provider.Printable(s.Place()))
	case 1:
		c.note("a worker starts the runs: one is running, on %s", provider.Printable(hosts[0]))
	default:
		c.note("workers start the runs: %d are running", len(hosts))
	}
	return nil
}

func (c *command) scheduleInstallCommand() *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "install [folder]",
		Short: "Store a copy of a pipeline with its schedule, replacing the previous copy",
		Long: `Store a copy of a pipeline with its schedule, replacing the previous copy. A worker
starts the runs; install says whether one is running.

With --follow, each run reads the folder again, so that edited queries need no new
install. The folder must then be on the machine of a worker. If it is invalid, the run
fails, and its rows become stale.`,
		Example: `  lakeql pipeline schedule install inventory --store postgres://inventory@db.example.com/inventory
  lakeql pipeline schedule install inventory --follow`,
		Args: cobra.MaximumNArgs(1),
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
				if _, err := store.Install(ctx, d, follow); err != nil {
					return err
				}
				if err := c.fits(ctx, store, d); err != nil { // which compares it with the last run
					return err
				}
				rows, err := c.schedules(ctx, store, "")
				if err != nil {
					return err
				}
				if err := c.noteWorkers(ctx, store); err != nil {
					return err
				}
				return c.show(ctx, rows, opts)
			})
		},
	}
	cmd.Flags().BoolVar(&follow, "follow", false, "read the folder at each run, instead of the stored copy")
	c.storeFlag(cmd)
	c.adoptFlag(cmd)
	c.workspaceFlags(cmd)
	c.outputFlags(cmd)
	return cmd
}

func (c *command) scheduleListCommand() *cobra.Command {
	var flags pipelineFlags
	cmd := &cobra.Command{
		Use: "list [pipeline]", Short: "List the schedules of a store", Args: cobra.MaximumNArgs(1),
		Long: `List the schedules of a store, or the one of a pipeline. folder_state compares the
stored copy with its folder: same, different, invalid, gone, elsewhere (the folder is
on another machine), or unknown.`,
		RunE: func(_ *cobra.Command, args []string) error {
			argument, _ := argumentOf(args, 1)
			return c.look(argument, &flags, c.schedules)
		},
	}
	c.lookFlags(cmd, &flags)
	return cmd
}
