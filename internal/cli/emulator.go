package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/emulator"
)

func (c *command) emulatorCommand() *cobra.Command {
	var opts emulator.Options
	var faults []string
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Run a workspace on this machine to try and test against",
		Long: `Serve a workspace on a port of this machine until Ctrl-C, and print the variables
that point lakeql and the Databricks SDKs at it. It knows the operations of the
documents and keeps its state in memory.`,
		Example: `  lakeql emulator --address 127.0.0.1:5467 --token secret
  DATABRICKS_HOST=http://127.0.0.1:5467 DATABRICKS_TOKEN=secret lakeql exec \
    "EXEC databricks_workspace.postgres.postgres_projects.list"

  # answer the first two calls with 503
  lakeql emulator --fault 'POST /api/2.0/postgres/credentials: 503 x2'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			for _, text := range faults {
				fault, err := emulator.ParseFault(text)
				if err != nil {
					return err
				}
				opts.Faults = append(opts.Faults, fault)
			}
			return c.emulate(opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Address, "address", "127.0.0.1:0", "loopback address to listen at; port 0 means a free one")
	f.StringVar(&opts.Token, "token", "", "token that opens the workspace; made up if empty")
	f.Uint64Var(&opts.Seed, "seed", 0, "number that determines the data")
	f.IntVar(&opts.Scale, "scale", 0, "how many projects there are besides the few of the story")
	f.DurationVar(&opts.Latency, "latency", 0, "added to every call, such as 50ms")
	f.Float64Var(&opts.RateLimit, "rate-limit", 0, "calls a second before the answer is 429; 0 means no limit")
	f.StringArrayVar(&faults, "fault", nil, "something to go wrong, such as 'GET /api/2.0/postgres/projects: 429 x2'; may be repeated")
	return cmd
}

func (c *command) emulate(opts emulator.Options) error {
	catalogue, err := embeddedCatalogue()
	if err != nil {
		return err
	}
	opts.Catalogue = catalogue
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := emulator.Start(opts)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c.stdout, "export DATABRICKS_HOST=%s DATABRICKS_TOKEN=%s\n", server.URL(), server.Token()); err != nil {
		_ = server.Close() // the error at hand counts
		return err
	}
	<-ctx.Done()
	return server.Close()
}
