package cli

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/pipeline/notify"
	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) workerCommand() *cobra.Command {
	var flags pipelineFlags
	var metrics string
	var lease time.Duration
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Execute the pipeline runs of a store, on any number of machines",
		Long: `Start scheduled runs and execute the queries of all runs of a store, until Ctrl-C or
SIGTERM. Any number of workers, on any number of machines, share one PostgreSQL
server. A worker needs only the store and a credential for the workspaces. If a
worker dies, other workers take over its queries after its lease expires.

A worker logs each query. --metrics serves Prometheus metrics at /metrics, and the
probes /livez and /readyz: a worker is ready while its store answers. River is the
queue, so River's tools work with the same database.`,
		Example: `  lakeql worker --store postgres://inventory@db.example.com/inventory --metrics :9187
  lakeql worker --store 'postgres:///databricks_postgres?lakebase_endpoint=projects/inventory/branches/production/endpoints/primary'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.work(&flags, metrics, lease) },
	}
	c.workspaceFlags(cmd)
	c.liveFlags(cmd)
	c.storeFlag(cmd)
	c.workFlags(cmd, &flags)
	f := cmd.Flags()
	f.Lookup("store").Usage = "store of runs, rows, and history: postgres://…, or an SQLite file, which serves one worker at a time (required)"
	f.Lookup("log").DefValue, flags.logFormat = "text", "text"
	f.StringVar(&metrics, "metrics", "", "address for Prometheus metrics at /metrics, and for /livez and /readyz, such as 127.0.0.1:9187")
	f.StringSliceVar(&flags.notify, "notify", []string{notify.Webhook}, "kinds of notifications to send: webhook, file, command; the store has the files and commands, so whoever can write to it decides what this worker writes or runs; none sends nothing")
	f.DurationVar(&lease, "lease", 15*time.Second, "time after this worker's last heartbeat until other workers take over its queries")
	return cmd
}

func (c *command) work(flags *pipelineFlags, metricsAddress string, lease time.Duration) error {
	logger, err := c.logger(flags.logFormat)
	if err != nil {
		return err
	}
	if err := flags.checkConcurrency(); err != nil {
		return err
	}
	if lease < time.Second {
		return provider.Usagef("--lease is below a second")
	}
	if c.store == "" {
		return provider.Usagef("no store is named").
			Hintf("give it with --store postgres://…, or an SQLite file")
	}
	ctx, stop := interruptible()
	defer stop()
	asker, err := c.askers()
	if err != nil {
		return err
	}
	defer asker.connection.close()
	store, err := pipeline.OpenOrMakeStore(ctx, c.store, c.minter(asker), func() {
		state := "does not exist yet"
		if postgres.Is(c.store) {
			state = "is empty"
		}
		c.note("the store %s %s: the worker makes its tables, and waits for a pipeline (lakeql pipeline schedule install with this --store)", provider.Printable(postgres.Place(c.store)), state)
	})
	if err != nil {
		return err
	}
	defer store.Close()
	alerts, closeAlerts, err := c.alerts(ctx, store, nil, asker, flags.notify)
	if err != nil {
		return err
	}
	defer closeAlerts()
	worker := &pipeline.Worker{Alerts: alerts, Store: store, Asker: asker, Logger: logger, Concurrency: flags.concurrency, Lease: lease, Schedules: true}
	if metricsAddress != "" {
		worker.Metrics = pipeline.NewMetrics(store)
		closeMetrics, err := c.serveMetrics(ctx, metricsAddress, worker.Handler())
		if err != nil {
			return err
		}
		defer closeMetrics()
	}
	return worker.Work(ctx, nil)
}

// serveMetrics serves a handler, which answers /metrics, until the returned function is called.
func (c *command) serveMetrics(ctx context.Context, address string, handler http.Handler) (func(), error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, provider.Usagef("serve metrics: %v", err).Hintf("choose another address for --metrics; port 0 is a free one").Because(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			c.note("metrics are not served any more: %v", err)
		}
	}()
	c.note("metrics are at http://%s/metrics", listener.Addr())
	return func() {
		_ = server.Close() // whoever reads asks again
		<-done
	}, nil
}
