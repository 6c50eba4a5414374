package cli

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) pipelineRunCommand() *cobra.Command {
	var flags pipelineFlags
	var quiet, all bool
	cmd := &cobra.Command{
		Use:   "run [folder]",
		Short: "Run every query of a pipeline in every workspace",
		Long: `Run every query of the pipeline in every workspace, and store the rows. Queries run
concurrently within the limits of each workspace. lakeql retries a query after a
rate limit or a transient error. At the end it prints a row for each table, or with
--all for each workspace and query.

An interrupted run resumes. Workers on other machines can share it: see lakeql
worker.

Then it runs the checks of the folder, and sends the notifications of notify in
pipeline.yaml. It keeps a notification that cannot be delivered, and sends it after
the next run.

Exit status:
  0  Every query succeeded.
  1  Some queries failed, a check of the severity --fail-on failed, or a notification
     was not delivered; lakeql lists them.
  2  The pipeline is invalid.
  4  Every query failed because a credential is missing or lacks a permission.`,
		Example: `  lakeql pipeline run inventory
  lakeql pipeline run inventory --store postgres://inventory@db.example.com/inventory
  lakeql pipeline run --emulator inventory    # needs no account`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.pipelineRun(folderOf(args), &flags, quiet, all) },
	}
	c.workspaceFlags(cmd)
	c.liveFlags(cmd)
	c.outputFlags(cmd)
	c.storeFlag(cmd)
	c.adoptFlag(cmd)
	cmd.Flags().StringVar(&flags.failOn, "fail-on", string(checks.Never), "least severity of a failed check for exit status 1: info, warning, error, critical; never ignores all checks")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "do not print the rows of the tables")
	cmd.Flags().BoolVar(&all, "all", false, "print a row for each workspace and query")
	c.workFlags(cmd, &flags)
	return cmd
}

// workFlags adds the flags of commands that run queries.
func (c *command) workFlags(cmd *cobra.Command, flags *pipelineFlags) {
	f := cmd.Flags()
	f.IntVar(&flags.concurrency, "concurrency", 0, "maximum number of concurrent queries of a pipeline (default: concurrency in pipeline.yaml)")
	f.StringVar(&flags.logFormat, "log", "", "log each query to standard error as a line of text or json")
}

// checkConcurrency refuses invalid numbers of concurrent queries.
func (f *pipelineFlags) checkConcurrency() error {
	if f.concurrency < 0 || f.concurrency > pipeline.MaxConcurrency {
		return provider.Usagef("--concurrency %d is not between 1 and %d", f.concurrency, pipeline.MaxConcurrency)
	}
	return nil
}

// logger makes the logger for --log; nil without a format.
func (c *command) logger(format string) (*slog.Logger, error) {
	switch format {
	case "":
		return nil, nil //nolint:nilnil // none is asked for
	case "text":
		return slog.New(slog.NewTextHandler(c.stderr, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(c.stderr, nil)), nil
	}
	return nil, provider.Usagef("--log %s is neither text nor json", provider.Quote(format))
}

func (c *command) pipelineRun(folder string, flags *pipelineFlags, quiet, all bool) error {
	opts, err := c.renderOptions()
	if err != nil {
		return err
	}
	logger, err := c.logger(flags.logFormat)
	if err != nil {
		return err
	}
	if err := flags.checkConcurrency(); err != nil {
		return err
	}
	failOn, err := checks.ParseFailOn(flags.failOn)
	if err != nil {
		return err
	}
	return c.withPipeline(folder, func(ctx context.Context, asker *asker, d *pipeline.Definition) error {
		store, err := c.openStore(ctx, d, asker)
		if err != nil {
			return err
		}
		defer store.Close()
		if err := c.fits(ctx, store, d); err != nil {
			return err
		}
		alerts, closeAlerts, err := c.alerts(ctx, store, d, asker, nil)
		if err != nil {
			return err
		}
		defer closeAlerts()
		worker := &pipeline.Worker{Store: store, Asker: asker, Logger: logger, Pipelines: []string{d.Name}, Concurrency: flags.concurrency, Interval: lookInterval, Trouble: c.troubles(), Alerts: alerts}
		p, err := c.follow(ctx, worker, d, logger != nil)
		if err != nil {
			return err
		}
		if !quiet && p.Total() > 0 {
			summary := store.SummaryTables
			if all {
				summary = store.Summary
			}
			rows, err := summary(ctx, p.Run.ID)
			if err != nil {
				return err
			}
			if err := c.show(ctx, rows, opts); err != nil {
				return err
			}
		}
		left, err := store.LeftWorkspaces(ctx, &p.Run)
		if err != nil {
			return err
		}
		c.noteLeft(d, left)
		return c.alertResult(ctx, store, p, failOn, c.runResult(ctx, store, p))
	})
}

// follow works until the run of a pipeline is over, and shows how far it has come.
func (c *command) follow(ctx context.Context, worker *pipeline.Worker, d *pipeline.Definition, logs bool) (*pipeline.Progress, error) {
	var run *pipeline.Run
	var last *pipeline.Progress
	over := false
	silent := 0 // times that the store did not say how far the run is
	display := &progressDisplay{out: c.stderr, live: terminal.Is(c.stderr) && !logs, width: func() int { width, _ := terminal.Size(c.stderr); return width }}
	defer display.end()
	err := worker.Work(ctx, func(ctx context.Context) (bool, error) {
		if run == nil {
			begun, before, err := worker.Store.Begin(ctx, d, who())
			if err != nil {
				return false, err
			}
			run = begun
			if before != nil {
				becomes := "it goes on"
				if before.ID != run.ID {
					becomes = "it was stopped, because the pipeline is another one now"
				}
				c.note("run %d, begun %s by %s, was not over: %s", before.ID, before.Begun.Local().Format("2006-01-02 15:04:05"), before.StartedBy, becomes)
			}
		}
		p, err := worker.Store.Progress(ctx, run.ID)
		if err != nil { // the store may come back
			if silent++; time.Duration(silent)*lookInterval == storePatience {
				c.note("the store does not answer, and is waited for: %v", err)
			}
			return false, nil
		}
		silent = 0
		last = p
		if !over {
			display.show(p)
		}
		if over = p.Over(); !over {
			return false, nil
		}
		checked, err := worker.Store.Checked(ctx, run.ID)
		return checked || err != nil, nil
	})
	if err != nil {
		return nil, err
	}
	if last != nil && !last.Over() { // queries ended since
		if p, err := worker.Store.Progress(context.WithoutCancel(ctx), run.ID); err == nil {
			last = p
		}
	}
	if last == nil || !last.Over() {
		return nil, provider.Errorf(provider.Canceled, "interrupted: %s", unfinished(last)).
			Hintf("run it again to go on where it was")
	}
	return last, nil
}

// troubleInterval is the time between two messages about a failing store.
const troubleInterval = 10 * time.Second

// troubles returns a function that reports a failing store: at once, and again while the failure lasts.
func (c *command) troubles() func(error) {
	var mu sync.Mutex
	var last string
	var at time.Time
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		text := provider.Printable(err.Error())
		if text == last && time.Since(at) < troubleInterval {
			return
		}
		last, at = text, time.Now()
		c.note("%s; the run waits and tries again (Ctrl-C ends it, and the next run goes on from there)", text)
	}
}

// storePatience is the time without an answer of the store before a message.
const storePatience = 10 * lookInterval

func unfinished(p *pipeline.Progress) string {
	if p == nil {
		return "nothing was asked"
	}
	return fmt.Sprintf("%d of %d queries of run %d are done, and stay so", p.Done, p.Total(), p.Run.ID)
}

// runResult is the error of a run that was not answered whole.
func (c *command) runResult(ctx context.Context, store *pipeline.Store, p *pipeline.Progress) error {
	switch {
	case p.Run.State == pipeline.Done:
		return nil
	case p.Run.State == pipeline.Stopped:
		return provider.Errorf(provider.Canceled, "run %d was stopped: %s", p.Run.ID, cmp.Or(p.Run.Error, fmt.Sprintf("%d of %d queries are done, and stay so", p.Done, p.Total())))
	case p.Total() == 0:
		return provider.Errorf(p.Run.Code, "run %d failed: %s", p.Run.ID, p.Run.Error)
	}
	failures, err := store.Failures(ctx, p.Run.ID)
	if err != nil {
		return err
	}
	refused := p.Done == 0
	for _, f := range failures {
		refused = refused && f.Code == provider.Unauthorized
	}
	c.noteFailures(failures)
	e := provider.Errorf(provider.API, "%d of %d queries failed: their workspaces keep the rows of the last time, if there are any, marked stale; pipeline_status lists them", p.Fail, p.Total())
	if p.Skip > 0 {
		e.Message += fmt.Sprintf("; %d were not asked, because on_error is stop", p.Skip)
	}
	if refused && len(failures) > 0 {
		e.Code = provider.Unauthorized
	}
	return e
}
