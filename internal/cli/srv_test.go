package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

// served is a running lakeql srv.
type served struct{ *testworld.SQLServer }

// serveSQL starts lakeql srv over an emulator.
func serveSQL(t *testing.T, opts emulator.Options, r run) served {
	t.Helper()
	opts.CreateOnUse = true
	_, env := workspace(t, opts)
	r.env = append(r.env, env...)
	return serveOn(t, r)
}

// serveOn starts lakeql srv in an environment that names the workspace.
func serveOn(t *testing.T, r run) served {
	t.Helper()
	r.args = append([]string{"srv", "--port", "0", "--retry-timeout", "0"}, r.args...)
	return served{testworld.StartSQLServer(t, r.command(t.Context(), t))}
}

func (s served) dsn(more string) string {
	return fmt.Sprintf("host=%s port=%s dbname=databricks_workspace user=ada %s", s.Host, s.Port, more)
}

// psql runs psql with a text on its input.
func (s served) psql(t *testing.T, more, text string) (output string, failed bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "psql", "-X", "-A", "-q", "-v", "ON_ERROR_STOP=1", s.dsn(more))
	cmd.Env = append(os.Environ(), "PGPASSFILE=/nonexistent")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return string(out), err != nil
}

func (s served) connect(t *testing.T, more string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.dsn(more))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// TestServerPsql compares the output of psql.
func TestServerPsql(t *testing.T) {
	t.Parallel()
	s := serveSQL(t, emulator.Options{}, run{})
	for name, test := range map[string]struct {
		text  string
		want  []string // parts of the output
		fails bool
	}{
		"values":                     {"SELECT 1 AS a, 'x' AS b, NULL AS n, 1.5 AS f;", []string{"a|b|n|f\n1|x||1.5\n(1 row)"}, false},
		"two parts":                  {"SELECT name, project_id FROM postgres.postgres_projects WHERE name = 'projects/orders';", []string{"projects/orders|orders\n(1 row)"}, false},
		"a column of a table of two": {`SELECT postgres.postgres_projects.name, "postgres"."postgres_projects"."project_id" FROM postgres.postgres_projects WHERE postgres.postgres_projects.name = 'projects/orders';`, []string{"name|project_id\nprojects/orders|orders\n(1 row)"}, false},
		"three parts":                {"SELECT count(*) AS n FROM databricks_workspace.postgres.postgres_projects;", []string{"n\n"}, false},
		"several statements":         {"SELECT 1 AS a; SELECT 2 AS b;", []string{"a\n1\n(1 row)\nb\n2\n(1 row)"}, false},
		"the statement of the start": {
			"EXEC databricks_workspace.postgres.postgres_credentials.generate @deployment_name='dbc-abcd0123-a1bc' --required\n@@json='{\"endpoint\": \"projects/p/branches/b/endpoints/e\", \"claims\": \"[]\"}';",
			[]string{"eyJ", "(1 row)"},
			false,
		},
		"a time":                      {"SELECT create_time FROM postgres.postgres_projects WHERE name = 'projects/orders';", []string{"create_time\n2025-", "+00\n(1 row)"}, false},
		"an error":                    {"SELECT nonsense FROM postgres.postgres_projects;", []string{"ERROR:  no such column: nonsense\nLINE 1: SELECT nonsense FROM"}, true},
		"behind others":               {"SELECT 'ü' AS a; SELECT nonsense FROM postgres.postgres_projects;", []string{"no such column: nonsense", "LINE 1: SELECT nonsense FROM"}, true},
		"a hint":                      {"SELECT name FROM postgres.postgres_branches;", []string{"needs project_id", "HINT:  add WHERE project_id"}, true},
		"services":                    {`\dn`, []string{"postgres|lakeql\n", "workspace|lakeql\n"}, false},
		"resources":                   {`\dt postgres.*`, []string{"postgres|postgres_projects|table|lakeql\n"}, false},
		"views":                       {`\dv postgres.*`, []string{"postgres|vw_branches|view|lakeql\n"}, false},
		"columns":                     {`\d postgres.postgres_branches`, []string{`Table "postgres.postgres_branches"`, "create_time|timestamp with time zone|", "spec|jsonb|", "project_id|text|"}, false},
		"what a POST answers":         {`\dt+ postgres.postgres_credentials`, []string{"postgres|postgres_credentials|table|lakeql|", "WHERE needs endpoint."}, false},
		"a body's attributes":         {`\d+ postgres.postgres_credentials`, []string{"token|text|", "endpoint|text||||extended|||Required in WHERE. Resource name", "claims|jsonb|"}, false},
		"a column that WHERE needs":   {`\d+ workspace.workspace`, []string{"path|text||||extended|||Required in WHERE."}, false},
		"another spelling":            {`\d+ compute.execution_contexts`, []string{"clusterId|text||||extended|||Required in WHERE. Also spelled cluster_id. "}, false},
		"other spellings in WHERE":    {`\dt+ compute.execution_contexts`, []string{"WHERE needs clusterId (cluster_id) and contextId (context_id)."}, false},
		"a view's workspace":          {`\dv+ postgres.vw_branches`, []string{"as columns. WHERE needs project_id."}, false},
		"comments":                    {`\d+ postgres.postgres_branches`, []string{"Required in WHERE"}, false},
		"what WHERE needs":            {`\dt+ postgres.postgres_branches`, []string{"WHERE needs project_id"}, false},
		"a view's columns":            {`\d+ postgres.vw_branches`, []string{`View "postgres.vw_branches"`, "branch_id|text|"}, false},
		"databases":                   {`\l`, []string{"databricks_account|lakeql|", "databricks_workspace|lakeql|"}, false},
		"functions":                   {`\df`, []string{"(0 rows)"}, false},
		"roles":                       {`\du`, []string{"lakeql|"}, false},
		"types of a query":            {`SELECT name, create_time, status FROM postgres.postgres_projects \gdesc`, []string{"name|text\ncreate_time|timestamp with time zone\nstatus|jsonb\n"}, false},
		"a copy":                      {`\copy (SELECT name, 'a"b' AS q, NULL AS n, '' AS e FROM postgres.postgres_projects WHERE name = 'projects/orders') TO STDOUT WITH (FORMAT csv, HEADER)`, []string{"name,q,n,e\nprojects/orders,\"a\"\"b\",,\"\"\n"}, false},
		"a copy as text":              {`COPY (SELECT 'a' || char(9) || 'b' AS t, NULL AS n) TO STDOUT;`, []string{"a\\tb\t\\N\n"}, false},
		"a copy of what is not there": {`COPY (SELECT nonsense FROM postgres.postgres_projects) TO STDOUT;`, []string{"no such column: nonsense"}, true},
		"a copy of columns":           {`COPY workspace.secret_scopes (backend_type, name) TO STDOUT WITH (DELIMITER '|');`, []string{"DATABRICKS|"}, false},
		"a copy with wrong options":   {`COPY (SELECT 1) TO STDOUT (FORMAT binary, HEADER);`, []string{"COPY in binary form has no other options"}, true},
		"SET LOCAL":                   {"SET statement_timeout = '1min'; BEGIN; SET LOCAL statement_timeout = '2s'; SHOW statement_timeout; COMMIT; SHOW statement_timeout;", []string{"\n2s\n", "\n1min\n"}, false},
		"SET LOCAL alone":             {"SET LOCAL statement_timeout = 5; SHOW statement_timeout;", []string{"WARNING:  SET LOCAL has no effect", "\n0\n"}, false},
		"SET of what is always so":    {"\\unset ON_ERROR_STOP\nSET datestyle = 'SQL, DMY'; SET client_encoding = latin1; SET standard_conforming_strings = off; SET statement_timeout = soon;", []string{"always ISO, and not SQL, DMY", "always UTF8, and not latin1", "LINE 1: SET client_encoding = latin1", "backslash", "a time-out is"}, false},
		"SET TO DEFAULT":              {"SET statement_timeout = '3s'; SET statement_timeout TO DEFAULT; SHOW statement_timeout;", []string{"\n0\n"}, false},
		"LISTEN":                      {"LISTEN jobs;", []string{"there are no notifications"}, true},
		"a transaction that reads":    {"BEGIN READ ONLY; DELETE FROM postgres.postgres_projects WHERE project_id = 'orders';", []string{"this transaction only reads", "HINT:  the client asked for that"}, true},
		"a session that reads":        {"\\unset ON_ERROR_STOP\nSET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SHOW transaction_read_only; DELETE FROM postgres.postgres_projects WHERE project_id = 'orders'; BEGIN READ WRITE; SHOW transaction_read_only; COMMIT; SHOW transaction_read_only;", []string{"\non\n", "this transaction only reads", "\noff\n", "\non\n"}, false},
		"a transaction":               {"BEGIN; SELECT 1 AS a; COMMIT;", []string{"NOTICE:  there are no transactions", "a\n1\n"}, false},
		"a setting":                   {"SET statement_timeout = '5s'; SHOW statement_timeout; SHOW search_path;", []string{"statement_timeout\n5s\n"}, false},
		"SHOW":                        {"SHOW SERVICES IN databricks_workspace LIKE 'postgres%';", []string{"postgres|Lakebase Postgres"}, false},
		"DESCRIBE":                    {"DESCRIBE databricks_workspace.postgres.postgres_credentials;", []string{"token|string (password)\n"}, false},
		"USE": {
			"USE databricks_workspace.postgres; SELECT name FROM postgres_projects WHERE name = 'projects/orders'; EXEC postgres_projects.get @project_id = 'orders'; SELECT now() IS NULL AS v FROM postgres_projects LIMIT 1; USE databricks_account; SHOW SERVICES LIKE 'billing'; RESET ALL; SELECT name FROM postgres_projects;",
			[]string{"name\nprojects/orders\n(1 row)", "|orders|", "v\n", "billing", "ERROR:  no such table: postgres_projects"},
			true,
		},
		"search_path": {
			"SET search_path TO \"$user\", public, postgres; SELECT name FROM postgres_projects WHERE name = 'projects/orders'; SET search_path = public; SELECT name FROM postgres_projects;",
			[]string{"name\nprojects/orders\n(1 row)", "ERROR:  no such table: postgres_projects"},
			true,
		},
		"USE where only reading is allowed":                  {"USE databricks_workspace.postgres; BEGIN READ ONLY; DELETE FROM postgres_projects WHERE project_id = 'orders';", []string{"this transaction only reads"}, true},
		"EXEC of a short name where only reading is allowed": {"USE databricks_workspace.postgres; BEGIN READ ONLY; EXEC postgres_projects.delete @project_id = 'orders';", []string{"this transaction only reads"}, true},
		"a cursor": {"BEGIN; DECLARE c CURSOR FOR SELECT name FROM postgres.postgres_projects ORDER BY name; FETCH 1 FROM c; FETCH FORWARD 1 FROM c; CLOSE c; COMMIT;", []string{"name\nprojects/fleet\n(1 row)\nname\nprojects/inventory\n(1 row)"}, false},
		"a cursor that failed": {
			"\\unset ON_ERROR_STOP\nDECLARE c CURSOR FOR SELECT nonsense FROM postgres.postgres_projects;\n" +
				"DECLARE c CURSOR FOR SELECT name FROM postgres.postgres_branches WHERE project_id = 'nobody'; FETCH c; FETCH c;",
			[]string{"no such column: nonsense\nLINE 1: DECLARE c CURSOR FOR SELECT nonsense FROM", "NOT_FOUND", "NOT_FOUND"},
			false,
		},
		"a cursor that moves": {
			`\unset ON_ERROR_STOP
DECLARE c CURSOR FOR SELECT n FROM generate_series(1, 5) AS g(n);
MOVE 2 FROM c; FETCH c; FETCH RELATIVE 2 IN c; MOVE BACKWARD ALL IN c; FETCH NEXT c; FETCH ABSOLUTE 4 FROM c; FETCH FIRST FROM c;
FETCH BACKWARD 1 FROM c; FETCH -1 FROM c; FETCH LAST FROM c; FETCH 0 FROM c;
CLOSE ALL; FETCH c;`,
			[]string{
				"n\n3\n(1 row)\nn\n5\n(1 row)\nn\n1\n(1 row)\nn\n4\n(1 row)\nn\n1\n(1 row)\nERROR:  FETCH BACKWARD 1: a cursor goes forward only\n",
				`ERROR:  there is no cursor "c"`,
			},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, failed := s.psql(t, "", test.text)
			if failed != test.fails {
				t.Errorf("failed is %v:\n%s", failed, got)
			}
			rest := got
			for _, want := range test.want { // one behind the other
				_, behind, found := strings.Cut(rest, want)
				if !found {
					t.Errorf("no %q in\n%s", want, got)
				}
				rest = behind
			}
		})
	}
}

// TestServerStart is what a client asks for when it connects.
func TestServerStart(t *testing.T) {
	t.Parallel()
	s := serveSQL(t, emulator.Options{}, run{})
	for more, test := range map[string]struct {
		text, want string
		fails      bool
	}{
		`options='-c statement_timeout=7s --application-name=a\\ b'`: {"SHOW statement_timeout; SHOW application_name;", "statement_timeout\n7s\n(1 row)\napplication_name\na b\n", false},
		"options='-c default_transaction_read_only=on'":              {"DELETE FROM postgres.postgres_projects WHERE project_id = 'orders';", "this transaction only reads", true},
		"options='-c statement_timeout=soon'":                        {"SELECT 1;", "FATAL:  a time-out is a number", true},
		"options='-c search_path=postgres'":                          {"SELECT count(*) AS n FROM postgres_projects;", "n\n", false},
		"client_encoding=latin1":                                     {"SHOW client_encoding;", "WARNING:  the encoding is always UTF8, and not latin1\nclient_encoding\nUTF8\n", false},
		"client_encoding=sql_ascii":                                  {"SHOW client_encoding;", "client_encoding\nUTF8\n", false},
	} {
		if got, failed := s.psql(t, more, test.text); failed != test.fails || !strings.Contains(got, test.want) {
			t.Errorf("%s: failed %v\n%s", more, failed, got)
		}
	}
	// The client hears of a setting that it wants to know.
	conn := s.connect(t, "")
	for text, want := range map[string]string{"SET application_name = 'here'": "here", "RESET application_name": "", "SET LOCAL application_name = 'x'": ""} {
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Error(err)
		}
		if got := conn.PgConn().ParameterStatus("application_name"); got != want {
			t.Errorf("%s: %q", text, got)
		}
		if _, err := conn.Exec(t.Context(), "RESET ALL"); err != nil {
			t.Error(err)
		}
	}
}

// TestServerPgx is what a program sees: prepared statements, values in binary form, SQLSTATEs.
func TestServerPgx(t *testing.T) {
	t.Parallel()
	s := serveSQL(t, emulator.Options{}, run{})
	conn := s.connect(t, "")
	var name string
	var made time.Time
	var status map[string]any
	if err := conn.QueryRow(t.Context(), "SELECT name, create_time, status FROM postgres.postgres_projects WHERE name = $1", "projects/orders").Scan(&name, &made, &status); err != nil {
		t.Fatal(err)
	}
	if name != "projects/orders" || made.Year() != 2025 || status["project_id"] != "orders" {
		t.Error(name, made, status)
	}
	var number int64
	var truth *bool
	if err := conn.QueryRow(t.Context(), "SELECT job_id, has_more FROM jobs.jobs ORDER BY job_id LIMIT 1").Scan(&number, &truth); err != nil || number == 0 {
		t.Error(number, err)
	}
	var token string
	if err := conn.QueryRow(t.Context(), `EXEC databricks_workspace.postgres.postgres_credentials.generate @@json = '{"endpoint": "projects/p/branches/b/endpoints/e"}'`).Scan(nil, &token); err == nil {
		if !strings.HasPrefix(token, "eyJ") {
			t.Error(token)
		}
	} else if err := conn.QueryRow(t.Context(), `EXEC databricks_workspace.postgres.postgres_credentials.generate @@json = '{"endpoint": "projects/p/branches/b/endpoints/e"}'`).Scan(&token, nil); err != nil {
		t.Error(err)
	}
	for text, state := range map[string]string{
		"SELECT nonsense FROM postgres.postgres_projects":                                 "42601",
		"SELECT * FROM postgres.nonsense":                                                 "42601",
		"EXEC databricks_workspace.postgres.postgres_projects.get @project_id = 'nobody'": "HV000",
	} {
		_, err := conn.Exec(t.Context(), text)
		known, ok := errors.AsType[*pgconn.PgError](err)
		if !ok || known.Code != state {
			t.Errorf("%s: %v, want %s", text, err, state)
		}
	}
	// A batch is sent at once. The server skips the statements after a fault.
	batch := &pgx.Batch{}
	batch.Queue("SELECT $1::int8 + 1", 41)
	batch.Queue("SELECT name FROM postgres.postgres_projects ORDER BY name LIMIT 1")
	results := conn.SendBatch(t.Context(), batch)
	var text string
	err := errors.Join(results.QueryRow().Scan(&text), results.QueryRow().Scan(&name), results.Close())
	if err != nil || name != "projects/fleet" || text != "42" {
		t.Error(err, name, text)
	}
	// A portal returns its rows in parts.
	reader := conn.PgConn().ExecParams(t.Context(), "SELECT name FROM postgres.postgres_projects", nil, nil, nil, nil)
	rows := 0
	for reader.NextRow() {
		rows++
	}
	if _, err := reader.Close(); err != nil || rows != 6 {
		t.Error(rows, err)
	}
	var out bytes.Buffer
	if tag, err := conn.PgConn().CopyTo(t.Context(), &out, "COPY (SELECT name FROM postgres.postgres_projects ORDER BY name LIMIT 2) TO STDOUT"); err != nil || tag.String() != "COPY 2" || out.String() != "projects/fleet\nprojects/inventory\n" {
		t.Error(tag, err, out.String())
	}
	tag, err := conn.Exec(t.Context(), "INSERT INTO postgres.postgres_projects (project_id, spec) VALUES ('made-here', '{}')")
	if err != nil || tag.String() != "INSERT 0 1" {
		t.Error(tag, err)
	}
}

// TestServerCancels: a cancel, a time-out and the end of the connection stop a statement; the session goes on.
func TestServerCancels(t *testing.T) {
	t.Parallel()
	s := serveSQL(t, emulator.Options{Faults: faults(t, "GET /api/2.0/postgres/projects: slow=60s")}, run{})
	conn := s.connect(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := conn.Exec(t.Context(), "SET statement_timeout = 200"); err != nil {
		t.Fatal(err)
	}
	_, err := conn.Exec(t.Context(), "SELECT name FROM postgres.postgres_projects")
	if known, ok := errors.AsType[*pgconn.PgError](err); !ok || known.Code != "57014" {
		t.Errorf("after the time: %v", err)
	}
	if _, err := conn.Exec(t.Context(), "SET statement_timeout = 0"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { _, err := conn.Exec(ctx, "SELECT name FROM postgres.postgres_projects"); done <- err }()
	for { // until the statement is there to be canceled
		if err := conn.PgConn().CancelRequest(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if known, ok := errors.AsType[*pgconn.PgError](err); !ok || known.Code != "57014" {
				t.Errorf("after the cancel: %v", err)
			}
		case <-time.After(50 * time.Millisecond):
			continue
		}
		break
	}
	var one int64
	if err := conn.QueryRow(t.Context(), "SELECT 1::int8").Scan(&one); err != nil {
		var text string
		if err := conn.QueryRow(t.Context(), "SELECT 1").Scan(&text); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	}
}

// TestServerAccess: who is let in.
func TestServerAccess(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"all addresses without a password": {"srv", "--address", "0.0.0.0", "--port", "0"},
		"TLS without a password":           {"srv", "--address", "::", "--port", "0"},
		"a key alone":                      {"srv", "--tls-key", "x"},
		"StackQL's flag, wrongly":          {"srv", "--pgsrv.tls", "{}"},
		"no port":                          {"srv", "--port", "-1"},
	} {
		if got := (run{args: args}).do(t); got.status != 2 || !strings.Contains(got.stderr, "error: ") || got.stdout != "" {
			t.Errorf("%s: status %d\n%s%s", name, got.status, got.stdout, got.stderr)
		}
	}
	dir := t.TempDir()
	certificate, key := selfSigned(t, dir)
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte("s3cr€t pass\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	audit := filepath.Join(dir, "audit.jsonl")
	s := serveSQL(t, emulator.Options{}, run{args: []string{"--tls-cert", certificate, "--tls-key", key, "--password-file", secret, "--audit", audit, "--read-only", "--max-connections", "2"}})
	for more, wants := range map[string]string{
		"sslmode=verify-full sslrootcert=" + certificate + " password='s3cr€t pass'": "",
		"sslmode=require password=wrong":                                             "password authentication failed for user \"ada\"",
		"sslmode=require password=''":                                                "no password supplied",
		"sslmode=disable password=x":                                                 "this server takes encrypted connections only",
	} {
		got, failed := s.psql(t, more, "SELECT 6 * 7 AS n;")
		if failed != (wants != "") || wants == "" && !strings.Contains(got, "n\n42\n") || !strings.Contains(got, wants) {
			t.Errorf("%s: failed %v\n%s", more, failed, got)
		}
	}
	good := "sslmode=verify-full sslrootcert=" + certificate + " password='s3cr€t pass'"
	conn := s.connect(t, good)
	const exec = `EXEC databricks_workspace.postgres.postgres_credentials.generate @@json = '{"endpoint": "projects/p/branches/b/endpoints/e"}'`
	for _, text := range []string{
		exec, "EXPLAIN ANALYZE " + exec, "SELECT 1; EXPLAIN /* a */ ANALYZE " + exec,
		"WITH p AS (SELECT 'orders' AS id) DELETE FROM databricks_workspace.postgres.postgres_projects WHERE project_id IN (SELECT id FROM p)",
	} {
		_, err := conn.Exec(t.Context(), text)
		if known, ok := errors.AsType[*pgconn.PgError](err); !ok || known.Code != "25006" {
			t.Errorf("%s on a server that only reads: %v", text, err)
		}
	}
	if _, err := conn.Exec(t.Context(), "EXPLAIN "+exec); err != nil {
		t.Errorf("EXPLAIN on a server that only reads: %v", err)
	}
	s.connect(t, good)
	if _, err := pgx.Connect(t.Context(), s.dsn(good)); err == nil || !strings.Contains(err.Error(), "53300") {
		t.Errorf("a third connection: %v", err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT 'dapi0123456789abcdef0123456789abcdef' AS token, 'plain' AS x"); err != nil {
		t.Error(err)
	}
	log, err := os.ReadFile(audit)
	if err != nil || !bytes.Contains(log, []byte(`"sqlstate":"25006"`)) || !bytes.Contains(log, []byte(`"user":"ada"`)) || bytes.Contains(log, []byte("dapi0123456789")) {
		t.Errorf("the audit: %v\n%s", err, log)
	}
}

// TestServerEnds sends SIGTERM: running statements end, and idle connections are closed.
func TestServerEnds(t *testing.T) {
	t.Parallel()
	s := serveSQL(t, emulator.Options{Latency: 300 * time.Millisecond}, run{})
	waiting, busy := s.connect(t, ""), s.connect(t, "")
	done := make(chan error, 1)
	began := make(chan struct{})
	go func() {
		close(began)
		var n string
		done <- busy.QueryRow(t.Context(), "SELECT count(*) FROM postgres.postgres_projects").Scan(&n)
	}()
	<-began
	if err := s.Command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil && !strings.Contains(err.Error(), "57P01") { // it may not have been sent yet
		t.Errorf("the statement that ran: %v", err)
	}
	_, err := waiting.Exec(t.Context(), "SELECT 1")
	if err == nil {
		t.Error("the server still answers")
	}
}

// TestServerForeignTables: PostgreSQL itself reads the tables, as foreign ones.
func TestServerForeignTables(t *testing.T) {
	t.Parallel()
	s := serveSQL(t, emulator.Options{}, run{})
	c := startCluster(t)
	c.do(t, "CREATE EXTENSION postgres_fdw")
	c.do(t, fmt.Sprintf("CREATE SERVER lakeql FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%s', port '%s', dbname 'databricks_workspace')", s.Host, s.Port))
	c.do(t, "CREATE USER MAPPING FOR CURRENT_USER SERVER lakeql OPTIONS (user 'ada', password_required 'false')")
	c.do(t, "CREATE SCHEMA lake")
	c.do(t, "IMPORT FOREIGN SCHEMA postgres LIMIT TO (postgres_projects, postgres_branches) FROM SERVER lakeql INTO lake")
	if got := c.ask(t, "SELECT string_agg(name, ' ' ORDER BY name) FROM lake.postgres_branches WHERE project_id = 'orders'"); got != "projects/orders/branches/development projects/orders/branches/production" {
		t.Error(got)
	}
	if got := c.ask(t, "SELECT status ->> 'project_id' FROM lake.postgres_projects WHERE name = 'projects/orders'"); got != "orders" {
		t.Error(got)
	}
}

// selfSigned makes a certificate for 127.0.0.1.
func selfSigned(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	return testworld.Certificate(t, dir, "127.0.0.1"), filepath.Join(dir, "server.key")
}
