package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) emulatorCommand() *cobra.Command {
	var opts emulator.Options
	var faults []string
	var workspaces int
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Run a workspace on this machine to try and test against",
		Long: `Serve workspaces and their account on a port of this machine until Ctrl-C, and
print the variables that point lakeql and the Databricks SDKs at them. Every
operation of the documents is answered; what is made and changed is kept in
memory. Lists choose by their filters, and refuse one that they cannot read. A
workspace is reached by its deployment name, as <name>.localhost; each name has
data of its own.

With --postgres, each token that is minted for an endpoint becomes the password of
a role of that PostgreSQL server, until it expires. The role is named as the
identity that calls; it is made if it is missing, with no right but to log in. The
databases of the endpoint's branch, such as databricks_postgres, are made if they
are missing, and belong to lakeql_emulator, a role of which all these are members:
they may create what they like in them. A database that is there stays as it is,
and none is ever dropped. Of several tokens of an identity the newest opens the
server. The string's own role is a superuser, or has CREATEROLE and CREATEDB;
endpoints' hosts are the server's host; its port is not in the API's answers. The string is as libpq
has it, and what it leaves out comes from PGPASSWORD, ~/.pgpass and their like.`,
		Example: `  lakeql emulator --address 127.0.0.1:5467 --token secret
  DATABRICKS_HOST=http://127.0.0.1:5467 DATABRICKS_TOKEN=secret lakeql exec \
    "EXEC databricks_workspace.postgres.postgres_projects.list"

  # answer the first two calls with 503
  lakeql emulator --fault 'POST /api/2.0/postgres/credentials: 503 x2'

  # an account with a thousand workspaces, in which clusters take a while to start
  lakeql emulator --workspaces 1000 --operation-time 20s

  # tokens that open a PostgreSQL server
  PGPASSWORD=… lakeql emulator --postgres 'host=127.0.0.1 user=postgres dbname=postgres'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			for _, text := range faults {
				fault, err := emulator.ParseFault(text)
				if err != nil {
					return err
				}
				opts.Faults = append(opts.Faults, fault)
			}
			if workspaces < 0 {
				return &provider.Error{Code: provider.Usage, Message: fmt.Sprintf("--workspaces %d is negative", workspaces)}
			}
			opts.Workspaces = emulator.WorkspaceNames(workspaces)
			return c.emulate(opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Address, "address", "127.0.0.1:0", "loopback address to listen at; port 0 means a free one")
	f.StringVar(&opts.Token, "token", "", "token that opens the workspace; made up if empty")
	f.Uint64Var(&opts.Seed, "seed", 0, "number that determines the data")
	f.IntVar(&opts.Scale, "scale", 0, "how many more Lakebase projects, job runs, users and tables there are than the few of the story")
	f.IntVar(&workspaces, "workspaces", 0, "how many workspaces the account lists; 0 means a few")
	f.StringVar(&opts.AccountID, "account-id", "", "the account that the workspaces belong to; made up if empty")
	f.DurationVar(&opts.OperationTime, "operation-time", 0, "how long clusters take to start and operations to finish; 0 means until they are asked for")
	f.StringVar(&opts.Postgres, "postgres", "", "connection string of a PostgreSQL server whose roles get the minted tokens as passwords")
	f.DurationVar(&opts.Latency, "latency", 0, "added to every call, such as 50ms")
	f.Float64Var(&opts.RateLimit, "rate-limit", 0, "calls a second before the answer is 429; 0 means no limit")
	f.StringArrayVar(&faults, "fault", nil, "something to go wrong, such as 'GET /api/2.0/postgres/projects: 429 x2'; may be repeated")
	return cmd
}

func (c *command) emulate(opts emulator.Options) error {
	catalogue, err := connect.Catalogue()
	if err != nil {
		return err
	}
	opts.Catalogue = catalogue
	ctx, stop := interruptible()
	defer stop()
	server, err := emulator.Start(opts)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c.stdout, "export DATABRICKS_HOST=%s DATABRICKS_TOKEN=%s DATABRICKS_ACCOUNT_ID=%s\n", server.URL(), server.Token(), server.AccountID()); err != nil {
		_ = server.Close() // the error at hand counts
		return err
	}
	<-ctx.Done()
	return server.Close()
}
