package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) emulatorCommand() *cobra.Command {
	var opts emulator.Options
	var faults []string
	var workspaces string
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Serve a test account and its workspaces on this machine",
		Long: `Serve an account and its workspaces on a loopback port until Ctrl-C, and print the
environment variables that direct lakeql and the Databricks SDKs to them. The
emulator answers every documented operation and keeps changes in memory. Lists
apply their filters; the emulator rejects a filter that it cannot parse. The host
<name>.localhost selects the workspace with that deployment name. Each workspace
has its own data. With --workspaces, other names than the account's get status 404.

A rule of --fault is a method, a path, a colon and a space, and a failure:

  VERB [WORKSPACE]/PATH: FAILURE [OPTION…]

- VERB is an HTTP method, or * for every one. In WORKSPACE and PATH, * stands for any
  characters. Without WORKSPACE the rule is for every workspace.
- FAILURE is a status from 400 to 599, slow=DURATION, cut, malformed, reset,
  repeat-token, or fail (the response is correct, and what it starts fails later).
- OPTION is xN (the rule ends after N requests), N% (it hits that part of the
  requests), and for a status retry-after=SECONDS and
  body=json|html|text|empty|scim|api12.

With --postgres, each token minted for an endpoint becomes the password of a role
on that PostgreSQL server until the token expires:

- The role has the name of the calling identity. The emulator creates it if it is
  missing; its only privilege is to log in.
- The emulator creates the databases of the endpoint's branch, such as
  databricks_postgres, if they are missing. The role lakeql_emulator owns them. All
  token roles are its members and can create objects in them.
- The emulator leaves an existing database unchanged, and never drops one.
- Each identity's newest token is its valid password.
- The role of the connection string must be a superuser, or have CREATEROLE and
  CREATEDB.
- Endpoints report the server's host. API responses have no port.
- The connection string has libpq's format. PGPASSWORD, ~/.pgpass, and the other
  libpq defaults complete it.`,
		Example: `  lakeql emulator --address 127.0.0.1:5467 --token secret
  DATABRICKS_HOST=http://127.0.0.1:5467 DATABRICKS_TOKEN=secret lakeql exec \
    "EXEC databricks_workspace.postgres.postgres_projects.list"

  # answer the first two calls with status 503
  lakeql emulator --fault 'POST /api/2.0/postgres/credentials: 503 x2'

  # serve a thousand workspaces whose clusters take 20 seconds to start
  lakeql emulator --workspaces 1000 --operation-time 20s

  # set minted tokens as passwords of a PostgreSQL server
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
			var err error
			if opts.Workspaces, err = deployments(workspaces); err != nil {
				return err
			}
			return c.emulate(opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Address, "address", "127.0.0.1:0", "loopback address to listen on; port 0 selects a free port")
	f.StringVar(&opts.Token, "token", "", "token that the workspaces accept (default: a random token)")
	f.Uint64Var(&opts.Seed, "seed", 0, "seed of the data; the same seed creates the same data")
	f.IntVar(&opts.Scale, "scale", 0, "number of Lakebase projects, job runs, users, and tables to add to each workspace")
	f.StringVar(&workspaces, "workspaces", "0", "number of workspaces that the account has, or their deployment names, such as dbc-1,dbc-2; 0 lists a few and serves every name")
	f.StringVar(&opts.AccountID, "account-id", "", "id of the account (default: derived from the seed)")
	f.DurationVar(&opts.OperationTime, "operation-time", 0, "time that clusters take to start and operations to finish; 0 finishes them at the first poll")
	f.StringVar(&opts.Postgres, "postgres", "", "connection string of a PostgreSQL server whose roles receive the minted tokens as passwords")
	f.DurationVar(&opts.Latency, "latency", 0, "delay of every response, such as 50ms")
	f.Float64Var(&opts.RateLimit, "rate-limit", 0, "maximum number of calls a second, beyond which the emulator answers 429; 0 sets no limit")
	f.StringArrayVar(&faults, "fault", nil, "rule that makes responses fail, such as 'GET /api/2.0/postgres/projects: 429 x2'; repeatable")
	return cmd
}

// deployments reads the workspaces of the account: how many, or their names.
func deployments(text string) ([]string, error) {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return strings.Split(text, ","), nil //nolint:nilerr // names then, which the emulator checks
	case n < 0:
		return nil, provider.Usagef("--workspaces %d is negative", n)
	}
	return emulator.WorkspaceNames(n), nil
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
	if err := server.CheckPostgres(ctx); err != nil {
		_ = server.Close() // the error at hand counts
		return err
	}
	if _, err := fmt.Fprintf(c.stdout, "export DATABRICKS_HOST=%s DATABRICKS_TOKEN=%s DATABRICKS_ACCOUNT_ID=%s\n", server.URL(), server.Token(), server.AccountID()); err != nil {
		_ = server.Close() // the error at hand counts
		return err
	}
	<-ctx.Done()
	return server.Close()
}
