//go:build unix

package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

// lakebaseStore is the connection string of an endpoint's database: the endpoint says the host, the identity
// the user, and a minted password opens it.
func lakebaseStore(c *cluster, more string) string {
	return fmt.Sprintf("postgres://:%d/databricks_postgres?lakebase_endpoint=projects/p/branches/production/endpoints/primary%s", c.Port, more)
}

// TestLakebaseStore keeps a pipeline in Lakebase: in a PostgreSQL server that only passwords open which the
// API mints.
func TestLakebaseStore(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	s := databaseStore(t, c, "databricks_postgres") // to look at it
	config := "workspaces: [dbc-1, dbc-2]\n" + never

	t.Run("minted passwords open it", func(t *testing.T) {
		env, stop := runEmulator(t, "--postgres", c.DSN())
		defer stop()
		dsn := lakebaseStore(c, "&sslmode=disable")
		dir := company(t, config)
		for _, want := range []string{"the first time", "the second time"} {
			got := pipelineCommand(t, env, "run", "--store", dsn, "--log", "json", "-o", "json", dir)
			if got.status != 0 {
				t.Fatalf("%s: status %d, stderr:\n%s", want, got.status, got.stderr)
			}
			if rows := jsonRows(t, got.stdout); sum(t, rows, "rows") != mustCount(t, s, "projects")+mustCount(t, s, "clusters") || sum(t, rows, "rows") == 0 {
				t.Errorf("%s: %v", want, rows)
			}
			noToken(t, env, got)
		}
		if owners := s.ask(t, "SELECT DISTINCT tableowner FROM pg_tables WHERE tablename LIKE 'lakeql_%'"); len(owners) != 1 || owners[0]["tableowner"] != owner {
			t.Errorf("the tables belong to %v, not to whom the password was minted for", owners)
		}
		if n := s.one(t, "SELECT count(*) AS n FROM projects_history"); n != fmt.Sprint(mustCount(t, s, "projects")) {
			t.Errorf("the history has %s rows after a second run with nothing changed", n)
		}
		for _, args := range [][]string{{"status"}, {"diff", "projects"}, {"schedule", "install", dir}, {"schedule", "list"}} {
			got := pipelineCommand(t, env, append(args, "--store", dsn)...)
			if got.status != 0 || got.stdout == "" {
				t.Errorf("%v: status %d, stderr:\n%s", args, got.status, got.stderr)
			}
			noToken(t, env, got)
		}
		trigger(t, env, store{name: dsn}, "company")
		worker := startWorker(t, env, store{name: dsn})
		eventually(t, "a worker carries out a run", func() bool { return mustCount(t, s, "lakeql_run WHERE state = 'done'") == 3 })
		worker.stop(t)
		noToken(t, env, result{stderr: strings.Join(worker.logged(), "\n")})
	})

	t.Run("without TLS it is not opened unasked", func(t *testing.T) {
		env, stop := runEmulator(t, "--postgres", c.DSN())
		defer stop()
		got := pipelineCommand(t, env, "run", "--store", lakebaseStore(c, ""), company(t, config))
		if got.status != 1 || !strings.Contains(got.stderr, "server refused TLS connection") {
			t.Errorf("status %d, stderr:\n%s", got.status, got.stderr)
		}
		noToken(t, env, got)
	})

	t.Run("a newer password takes the place of the one in hand", func(t *testing.T) {
		env, stop := runEmulator(t, "--postgres", c.DSN())
		defer stop()
		dsn := lakebaseStore(c, "&sslmode=disable")
		worker := startWorker(t, env, store{name: dsn})
		alive(t, s, worker)
		runs := func(what string) {
			t.Helper()
			before := mustCount(t, s, "lakeql_run WHERE state = 'done'")
			s.change(t, "UPDATE lakeql_schedule SET next_at = now() - interval '1 second'")
			eventually(t, what, func() bool { return mustCount(t, s, "lakeql_run WHERE state = 'done'") > before })
		}
		runs("the worker works: before that, a lost password ends it")
		c.do(t, fmt.Sprintf("ALTER ROLE %q PASSWORD 'another'", owner))
		c.do(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'databricks_postgres'")
		runs("the worker mints another password")
	})
}

// noToken shows that the output of a command has neither a password nor the token of the API.
func noToken(t *testing.T, env []string, got result) {
	t.Helper()
	for _, text := range []string{got.stdout, got.stderr} {
		if strings.Contains(text, "eyJ") || strings.Contains(text, strings.TrimPrefix(env[1], "DATABRICKS_TOKEN=")) {
			t.Errorf("a password is printed:\n%s", text)
		}
	}
}

// TestStorePasswords shows that the password of a connection string is not printed, whatever is wrong with it.
func TestStorePasswords(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{})
	dir := company(t, "workspaces: [dbc-1]\n"+never)
	address := testworld.ClosedAddress(t)
	for name, dsn := range map[string]string{
		"nobody listens":         fmt.Sprintf("postgres://me:s3cr3t@%s/inventory?sslmode=disable", address),
		"as a parameter":         fmt.Sprintf("postgres://%s/inventory?user=me&password=s3cr3t&sslmode=disable", address),
		"with a mistyped scheme": fmt.Sprintf("postgress://me:s3cr3t@%s/inventory", address),
		"of another server":      fmt.Sprintf("mysql://me:s3cr3t@%s/inventory", address),
		"with a bad escape":      fmt.Sprintf("postgres://me:s3cr3t%%zz@%s/inventory", address),
		"with a bad port":        "postgres://me:s3cr3t@127.0.0.1:port/inventory",
		"with a bad setting":     fmt.Sprintf("postgres://me:s3cr3t@%s/inventory?sslmode=never", address),
		"with a bad scheme":      fmt.Sprintf("post gres://me:s3cr3t@%s/inventory", address),
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{
				{"pipeline", "run", "--store", dsn, dir},
				{"worker", "--store", dsn},
				{"pipeline", "status", "--store", dsn},
				{"pipeline", "schedule", "list", "--store", dsn},
				{"pipeline", "check", "--store", dsn, dir},
				{"pipeline", "status", "-C", company(t, "workspaces: [dbc-1]\nstore: \""+dsn+"\"\n")},
			} {
				got := run{args: args, env: env}.do(t)
				if got.status == 0 || !strings.Contains(got.stderr, "error: ") {
					t.Errorf("%v: status %d, stderr:\n%s", args, got.status, got.stderr)
				}
				if strings.Contains(got.stdout+got.stderr, "s3cr3t") {
					t.Errorf("%v prints the password:\n%s", args[:2], got.stderr)
				}
			}
		})
	}
}
