//go:build unix

package clients

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

var update = flag.Bool("update", false, "write the table of docs/server.md")

// TestMain builds the command, once for all tests of the package.
func TestMain(m *testing.M) {
	flag.Parse()
	built, remove, err := testworld.BuildCommand()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := os.Setenv("LAKEQL_UNDER_TEST", built); err != nil {
		panic(err)
	}
	status := m.Run()
	remove()
	os.Exit(status)
}

// serve starts lakeql srv over an emulator whose list of warehouses takes longer than any test.
func serve(t *testing.T) *testworld.SQLServer {
	t.Helper()
	slow, err := emulator.ParseFault("GET /api/2.0/sql/warehouses: slow=10m")
	if err != nil {
		t.Fatal(err)
	}
	workspace := testworld.StartEmulator(t, emulator.Options{CreateOnUse: true, Faults: []emulator.Fault{slow}})
	srv := exec.CommandContext(t.Context(), os.Getenv("LAKEQL_UNDER_TEST"), "srv", "--port", "0", "--retry-timeout", "0")
	home := t.TempDir()
	srv.Env = []string{"HOME=" + home, "PATH=" + home, "TZ=UTC", "DATABRICKS_HOST=" + workspace.URL(), "DATABRICKS_TOKEN=" + workspace.Token()}
	return testworld.StartSQLServer(t, srv)
}

// statements are those that all clients run. A program finds them in its environment.
func statements() map[string]string {
	return map[string]string{
		"QUERY": "SELECT c.cluster_name, c.spark_context_id, c.cluster_cores, c.enable_elastic_disk, p.create_time, c.autoscale, c.num_workers" +
			" FROM compute.clusters AS c, postgres.postgres_projects AS p WHERE c.cluster_name = 'data-science' AND p.name = 'projects/orders'",
		"ROWS":  "SELECT job_id FROM jobs.jobs ORDER BY job_id",
		"SLOW":  "SELECT name FROM sql.warehouses",
		"WRONG": "SELECT nonsense FROM postgres.postgres_projects",
		"EXEC":  `EXEC databricks_workspace.postgres.postgres_credentials.generate @@json = '{"endpoint": "projects/orders/branches/production/endpoints/primary"}'`,
	}
}

// expected are the lines of a report, by step. Each client prints those of the table, and others of them if it
// can.
func expected() map[string]string {
	row := `data-science 4561779873 16 true 2025-02-25T09:14:36Z {"max_workers":8,"min_workers":1} null`
	return map[string]string{
		"connect":    "databricks_workspace",
		"query":      row,                                                                                                                               // a value of each common type, and NULL
		"introspect": "create_time=timestamp with time zone name=text status=jsonb",                                                                     // columns of a table
		"parameters": "projects/orders null",                                                                                                            // a value of WHERE, and NULL
		"cursor":     "512040318700101 512040318700108 512040318700115 512040318700122 512040318700129 512040318700136 512040318700143 512040318700150", // in parts
		"exec":       "eyJ",                                                                                                                             // how a token begins
		"error":      "42601 8",                                                                                                                         // SQLSTATE and position
		"cancel":     "57014",                                                                                                                           // SQLSTATE
		"afterwards": "1",                                                                                                                               // the connection goes on
	}
}

// steps are the columns of the table.
func steps() []string { return []string{"connect", "query", "introspect", "cursor", "cancel"} }

// client is a client, and the program that uses it.
type client struct {
	name  string            // in the table
	run   func() program    // how to run it
	lines map[string]string // of its report, where they differ from those of all; empty: it has no such line
	how   map[string]string // what the table says of a step instead of yes
}

// program is a command line or a function, or why it cannot run here.
type program struct {
	args  []string
	call  func(*testing.T, *testworld.SQLServer) map[string]string // returns the lines of the report by step
	lacks string
}

// python runs a program of testdata/python by the system's Python, whose modules are Debian's packages.
func python(file string, modules ...string) func() program {
	return func() program {
		const interpreter = "/usr/bin/python3"
		for _, module := range modules {
			if err := exec.CommandContext(context.Background(), interpreter, "-c", "import "+module).Run(); err != nil {
				return program{lacks: interpreter + " cannot import " + module}
			}
		}
		return program{args: []string{interpreter, "-B", filepath.Join("testdata", "python", file)}}
	}
}

// node runs a program of testdata/node, with the modules that setup.sh installs there.
func node(file string) func() program {
	return func() program {
		if _, err := exec.LookPath("node"); err != nil {
			return program{lacks: "there is no node"}
		}
		if _, err := os.Stat(filepath.Join("testdata", "node", "node_modules", "pg")); err != nil {
			return program{lacks: "the modules of Node.js are not installed"}
		}
		return program{args: []string{"node", filepath.Join("testdata", "node", file)}}
	}
}

// java runs the program of testdata/java, which the JDK compiles in memory.
func java() program {
	const driver = "/usr/share/java/postgresql.jar" // of Debian's package
	if _, err := os.Stat(driver); err != nil {
		return program{lacks: "there is no " + driver}
	}
	if _, err := exec.LookPath("javac"); err != nil {
		return program{lacks: "there is no JDK"}
	}
	return program{args: []string{"java", "-XX:TieredStopAtLevel=1", "-cp", driver, filepath.Join("testdata", "java", "Client.java")}}
}

// inside is a program in this package.
func inside(call func(*testing.T, *testworld.SQLServer) map[string]string) func() program {
	return func() program { return program{call: call} }
}

func clients() []client {
	return []client{
		{
			name: "psql", run: python("psql_client.py"),
			lines: map[string]string{
				"query":       `data-science 4561779873 16 t 2025-02-25 09:14:36+00 {"max_workers":8,"min_workers":1} null`,
				"cursor":      strings.ReplaceAll(expected()["cursor"], " ", ", ") + ", NOTICE:  there are no transactions: each statement takes effect at once, and ROLLBACK takes nothing back",
				"fetch count": strings.ReplaceAll(expected()["cursor"], " ", ", ") + ", NOTICE:  00000: there are no transactions: each statement takes effect at once, and ROLLBACK takes nothing back",
				"error":       "ERROR:  42601: no such column: nonsense, LINE 1: SELECT nonsense FROM postgres.postgres_projects;,                ^",
				"introspect":  "", "afterwards": "",
				`\l`:     "databricks_account lakeql UTF8 C C  libc , databricks_workspace lakeql UTF8 C C  libc",
				`\dn`:    "postgres lakeql",
				`\dt`:    "postgres postgres_projects table lakeql",
				`\dv`:    "postgres vw_endpoints view lakeql",
				`\d`:     "backend_type text   , keyvault_metadata jsonb   , name text   , deployment_name text",
				`\d+`:    "backend_type text    extended   Store behind the scope., keyvault_metadata jsonb    extended   The Azure Key Vault, if one holds the secrets., name text    extended   How calls address the scope; unique in the workspace., deployment_name text    extended   The Databricks Workspace Deployment Name",
				`\df`:    "",
				`\du`:    "lakeql  {}",
				`\gdesc`: "name text, create_time timestamp with time zone, status jsonb, one integer",
				`\copy`:  `name,q,n, projects/fleet,"a""b",, projects/inventory,"a""b",`,
				`\watch`: "again again",
			},
			how: map[string]string{"introspect": "`\\l` `\\dn` `\\dt` `\\dv` `\\d` `\\df` `\\du` `\\gdesc`", "cursor": "DECLARE, `FETCH_COUNT`", "cancel": "Ctrl-C"},
		},
		{
			name: "pgx", run: inside(runPgx), lines: map[string]string{"returning": "again", "pipeline": "1 2 3", "copy": "projects/fleet projects/inventory"},
			how: map[string]string{"introspect": "`information_schema`", "cursor": "DECLARE"},
		},
		{
			name: "psycopg 2", run: python("psycopg2_client.py", "psycopg2"), lines: map[string]string{"scroll": "512040318700115"},
			how: map[string]string{"introspect": "`information_schema`", "cursor": "named cursor"},
		},
		{
			name: "psycopg 3", run: python("psycopg_client.py", "psycopg"),
			lines: map[string]string{
				"binary": expected()["query"], "parameters": `projects/orders null 42 {"a":1}`, "pipeline": "1 2 3", "copy": "projects/fleet projects/inventory",
				"binary copy": "a 1 0.5 true null", "scroll": "512040318700115",
			},
			how: map[string]string{"introspect": "`information_schema`", "cursor": "named cursor"},
		},
		{
			name: "asyncpg", run: python("asyncpg_client.py", "asyncpg"),
			lines: map[string]string{"parameters": "projects/orders null 42", "types": "name=text create_time=timestamptz one=int4", "cancel": "TimeoutError", "pool": "1 1"},
			how:   map[string]string{"introspect": "`information_schema`", "cursor": "portal"},
		},
		{
			name: "pg8000", run: python("pg8000_client.py", "pg8000"), lines: map[string]string{"cancel": ""},
			how: map[string]string{"introspect": "`information_schema`", "cursor": "DECLARE"},
		},
		{
			name: "SQLAlchemy", run: python("sqlalchemy_client.py", "sqlalchemy", "psycopg2"),
			lines: map[string]string{
				"version": "15 public", "schemas": "compute information_schema postgres", "tables": "postgres_projects", "views": "vw_endpoints",
				"comment": "WHERE needs project_id.", "keys": "[] [] [] []", "cancel": "",
			},
			how: map[string]string{"introspect": "reflection", "cursor": "`stream_results`"},
		},
		{
			name: "pgcli", run: python("pgcli_client.py", "pgcli"),
			lines: map[string]string{
				"parameters": "", "cursor": "", "cancel": "", "error": "", "afterwards": "",
				"query":     `data-science 4561779873 16 true 2025-02-25 09:14:36+00 {"max_workers":8,"min_workers":1} null`,
				"databases": "databricks_account databricks_workspace", "search path": "pg_catalog public", "schemas": "compute postgres",
				"tables": "postgres_projects", "views": "vw_endpoints",
				`\l`: "databricks_account lakeql", `\dn`: "postgres lakeql", `\dt`: "postgres postgres_projects table lakeql", `\dv`: "postgres vw_endpoints view lakeql",
				`\d`: "backend_type text  keyvault_metadata jsonb  name text  deployment_name text ", `\du`: "lakeql false true false false true -1 null [] false",
			},
			how: map[string]string{"introspect": "completion, `\\l` `\\dn` `\\dt` `\\dv` `\\d` `\\df` `\\du`"},
		},
		{
			name: "JDBC", run: java,
			lines: map[string]string{
				"typed": "42 0.5 true 2025-02-25T09:14:36Z 512040318700101", "typed, binary": "42 0.5 true 2025-02-25T09:14:36Z 512040318700101",
				"binary": expected()["query"], "introspect": "create_time=timestamptz name=text status=jsonb",
				"product": "PostgreSQL 15", "catalogs": "databricks_workspace", "schemas": "compute pg_catalog postgres", "table types": "TABLE VIEW",
				"tables":     "live_grants=TABLE postgres_endpoints=TABLE postgres_projects=TABLE postgres_snapshots=TABLE vw_endpoints=VIEW vw_projects=VIEW",
				"privileges": "DELETE INSERT REFERENCES SELECT TRIGGER TRUNCATE UPDATE", "types": "bool int8 timestamptz jsonb", "keywords": "true",
			},
			how: map[string]string{"introspect": "`DatabaseMetaData`", "cursor": "fetch size", "cancel": "`setQueryTimeout`"},
		},
		{
			name: "psqlODBC", run: python("odbc_client.py", "pyodbc"),
			lines: map[string]string{
				"query":      `data-science 4561779873 16 1 2025-02-25T09:14:36Z {"max_workers":8,"min_workers":1} null`, // its booleans are numbers
				"introspect": "create_time=timestamptz name=text status=jsonb",
				"tables":     "postgres_projects=TABLE", "types": "int8 bool text timestamptz timestamptz text", "error": "42601",
			},
			how: map[string]string{"introspect": "SQLTables, SQLColumns", "cursor": "UseDeclareFetch", "cancel": "SQLCancel"},
		},
		{
			name: "Node.js `pg`, `pg-cursor`", run: node("pg_client.js"),
			lines: map[string]string{"several": "1 2", "prepared projects/orders": "1", "prepared projects/fleet": "1"},
			how:   map[string]string{"introspect": "`information_schema`", "cursor": "portal"},
		},
		{
			name: "Node.js `postgres`", run: node("postgres_client.js"),
			how: map[string]string{"introspect": "`information_schema`", "cursor": "portal"},
		},
		{
			name: "simple protocol alone", run: node("simple_client.js"),
			lines: map[string]string{
				"query": `data-science 4561779873 16 t 2025-02-25 09:14:36+00 {"max_workers":8,"min_workers":1} null`,
				"rows":  expected()["cursor"], "introspect": "", "parameters": "", "cursor": "", "cancel": "",
				"several": "SELECT 1: projects/orders SELECT 1: 2", "empty": "0 0",
				"show": "postgres", "describe": "token expire_time", "registry": "databricks_account databricks_workspace",
				"insert": "INSERT 0 1", "delete": "DELETE 1",
			},
			how: map[string]string{"introspect": "SHOW, DESCRIBE"},
		},
		{
			name: "postgres_fdw", run: inside(runForeign), lines: map[string]string{"connect": "lakeql", "rescan": "16 8", "required": "fleet development fleet production orders development orders production", "exec": "", "error": ""},
			how: map[string]string{"introspect": "IMPORT FOREIGN SCHEMA", "cursor": "always"},
		},
	}
}

// TestClients runs each client's program, and compares the table of docs/server.md with what they did.
func TestClients(t *testing.T) {
	t.Parallel()
	server := serve(t)
	var mu sync.Mutex
	rows := map[string]string{}
	t.Run("programs", func(t *testing.T) {
		for _, c := range clients() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				row := c.try(t, server)
				mu.Lock()
				defer mu.Unlock()
				rows[c.name] = row
			})
		}
	})
	compareTable(t, rows)
}

// try runs a program, and returns its row of the table.
func (c client) try(t *testing.T, server *testworld.SQLServer) string {
	t.Helper()
	program := c.run()
	if program.lacks != "" {
		if os.Getenv("CI") != "" {
			t.Fatal(program.lacks)
		}
		t.Skip(program.lacks + "; internal/testworld/setup.sh installs it")
	}
	var got map[string]string
	if program.call != nil {
		got = program.call(t, server)
	} else {
		got = runProgram(t, program.args, server)
	}
	want := expected()
	maps.Copy(want, c.lines)
	maps.DeleteFunc(want, func(_, line string) bool { return line == "" })
	for _, step := range slices.Sorted(maps.Keys(want)) {
		if got[step] != want[step] {
			t.Errorf("%s: %q, want %q", step, got[step], want[step])
		}
	}
	for _, step := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[step]; !ok && got[step] != "" {
			t.Errorf("%s: %q, which is not expected", step, got[step])
		}
	}
	cells := []string{c.name}
	for _, step := range steps() {
		cell := "yes"
		switch {
		case got[step] != want[step]:
			cell = "no"
		case c.how[step] != "":
			cell = c.how[step]
		case want[step] == "":
			cell = "–" // the client has no way to do it, or its program no need
		}
		cells = append(cells, cell)
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// runProgram runs a command, and returns the lines of its report by step.
func runProgram(t *testing.T, args []string, server *testworld.SQLServer) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TZ=UTC", "LC_ALL=C.UTF-8",
		"PGHOST=" + server.Host, "PGPORT=" + server.Port, "PGUSER=ada", "PGDATABASE=databricks_workspace",
	}
	for name, text := range statements() {
		cmd.Env = append(cmd.Env, name+"="+text)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	report := map[string]string{}
	for line := range strings.Lines(string(out)) {
		step, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		report[step] = text
	}
	if err != nil {
		t.Errorf("%v\n%s%s", err, out, &stderr)
	}
	return report
}

// compareTable compares the rows with the table of the page, or writes it.
func compareTable(t *testing.T, rows map[string]string) {
	t.Helper()
	const page = "../../docs/server.md"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head := "| client | " + strings.Join(steps(), " | ") + " |\n|---|" + strings.Repeat("---|", len(steps())) + "\n"
	before, rest, found := strings.Cut(string(data), head)
	if !found {
		t.Fatalf("%s has no line\n%s", page, head)
	}
	table, after, _ := strings.Cut(rest, "\n\n")
	var all []string
	for _, c := range clients() {
		row := rows[c.name]
		if row == "" { // it was skipped, or failed early: what the page says of it is not compared
			for old := range strings.SplitSeq(table, "\n") {
				if strings.HasPrefix(old, "| "+c.name+" |") {
					row = old
				}
			}
		}
		all = append(all, row)
	}
	made := strings.Join(all, "\n")
	if *update {
		if err := os.WriteFile(page, []byte(before+head+made+"\n\n"+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if made != table {
		t.Errorf("%s says\n%s\nbut the clients did\n%s\ngo test ./internal/clients -update writes it", page, table, made)
	}
}
