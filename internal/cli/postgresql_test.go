//go:build unix

package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lakeql/lakeql/internal/emulator"
)

const owner = "ada.okafor@harbor-finch.example" // of the personal access token

// mintFor runs the command and returns the credential that it prints.
func mintFor(t *testing.T, env []string, args ...string) (token string, expires time.Time) {
	t.Helper()
	got := run{args: append([]string{"exec", "-o", "json"}, args...), env: env}.do(t)
	if got.status != 0 {
		t.Fatalf("status %d, stderr:\n%s", got.status, got.stderr)
	}
	var rows []struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expire_time"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &rows); err != nil || len(rows) != 1 || rows[0].Token == "" {
		t.Fatalf("rows of %s: %v", got.stdout, err)
	}
	return rows[0].Token, rows[0].Expires
}

// asClient returns the variables that log in as the workspace's OAuth client.
func asClient(server *emulator.Server, env []string) []string {
	return []string{env[0], "DATABRICKS_CLIENT_ID=" + server.ClientID(), "DATABRICKS_CLIENT_SECRET=" + server.ClientSecret()}
}

const loopback = "127.0.0.1"

// tooLate is how many of the emulators in severalEmulators make a role that another one has just made. No
// other story has any.
const tooLate = 2

// TestRealPostgreSQL shows that the printed passwords open a PostgreSQL server, until their expiry time and
// no longer. Its stories share one server, and each makes its own roles and databases.
func TestRealPostgreSQL(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	for _, story := range []struct {
		name string
		tell func(*testing.T, *cluster)
	}{
		{"the documented statement opens it", documentedStatement},
		{"into the databases of the branch", databasesOfTheBranch},
		{"with an administrator who is no superuser", lesserAdministrator},
		{"not with an administrator without rights", noAdministrator},
		{"an expired one does not", expiredPassword},
		{"the newest does", newestPassword},
		{"with a role that could not log in", idleRole},
		{"through its socket", throughTheSocket},
		{"whatever the identity is", anyIdentity},
		{"not as what cannot be a role", noRole},
		{"several emulators at once", severalEmulators},
		{"over one connection, from the first call to the end", oneConnection},
		{"after it was away", serverWasAway},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(t, c) })
	}

	c.Stop(t) // now its log is complete
	if i := strings.Index(c.Logged(), "eyJ"); i >= 0 {
		t.Errorf("the server's log has a token, in a statement that failed: %.200s", c.Logged()[i:])
	}
	if n := strings.Count(c.Logged(), "already exists"); n > tooLate {
		t.Errorf("roles that were there are made %d times", n)
	}
}

// documentedStatement: the password of the documented statement opens the server, to its role alone, until it expires.
func documentedStatement(t *testing.T, c *cluster) {
	t.Helper()
	env, stop := runEmulator(t, "--postgres", c.DSN())
	token, expires := mintFor(t, env, "-i", filepath.Join("testdata", "demo.sql"))
	got := run{args: []string{"exec", "-o", "csv", "-H", `SELECT json_extract(status, '$.hosts.host') FROM databricks_workspace.postgres.postgres_endpoints
		WHERE parent = 'projects/p/branches/b' AND deployment_name = 'dbc-abcd0123-a1bc'`}, env: env}.do(t)
	host := strings.TrimSpace(got.stdout)
	if host != loopback {
		t.Fatalf("the endpoint is at %q, stderr:\n%s", host, got.stderr)
	}
	if left := time.Until(expires); left < 50*time.Minute || left > time.Hour {
		t.Errorf("the token expires in %v", left)
	}
	if until := c.ask(t, "SELECT extract(epoch FROM rolvaliduntil)::int8 FROM pg_roles WHERE rolname = $1", owner); until != fmt.Sprint(expires.Unix()) {
		t.Errorf("the password is valid until %s, the token until %d", until, expires.Unix())
	}

	for name, test := range map[string]struct {
		password string
		opens    bool
	}{
		"the token":         {token, true},
		"no password":       {"", false},
		"the start of it":   {token[:len(token)-1], false},
		"the API's token":   {strings.TrimPrefix(env[1], "DATABRICKS_TOKEN="), false},
		"the administrator": {c.Password, false},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		psql := c.Program(ctx, "psql", "-X", "-w", "-A", "-t", "-c", "SELECT current_user, 6 * 7",
			fmt.Sprintf("host=%s port=%d user=%s dbname=postgres", host, c.Port, owner))
		psql.Env = append(psql.Env, "PGPASSWORD="+test.password)
		out, err := psql.CombinedOutput()
		cancel()
		if opened := err == nil && string(out) == owner+"|42\n"; opened != test.opens {
			t.Errorf("psql with %s: %v\n%s", name, err, out)
		}
		if err := c.login(t, host, owner, test.password); (err == nil) != test.opens {
			t.Errorf("pgconn with %s: %v", name, err)
		}
	}
	if rights := c.ask(t, "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = $1", owner); rights != "f" {
		t.Error("the role may more than log in")
	}
	stop()
	if err := c.login(t, host, owner, token); err != nil {
		t.Errorf("after the emulator: %v", err)
	}
}

// databasesOfTheBranch: the databases that the API lists are there, and every identity may make tables in them.
func databasesOfTheBranch(t *testing.T, c *cluster) {
	t.Helper()
	_, env := workspace(t, emulator.Options{Postgres: c.DSN()})
	create := func(name string) string {
		return "EXEC databricks_workspace.postgres.postgres_databases.create @parent = 'projects/p/branches/b', @database_id = '" + name +
			`', @@json = '{"spec": {"postgres_database": "` + name + `", "role": "projects/p/branches/b/roles/ada-okafor"}}'`
	}
	const awkward = "odd-\\u0022-name" // a quote, as JSON in a string of SQL's has it
	got := run{args: []string{"exec", create("latecomer") + ";" + strings.Replace(create("awkward"), `database": "awkward`, `database": "`+awkward, 1)}, env: env}.do(t)
	if got.status != 0 {
		t.Fatal(got.stderr)
	}
	c.do(t, "CREATE DATABASE latecomer") // somebody else's, which stays theirs
	token, _ := mintFor(t, env, mint)
	for _, name := range []string{"databricks_postgres", "app_data", `odd-"-name`} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		psql := c.Program(ctx, "psql", "-X", "-w", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1",
			"-c", "CREATE TABLE orders (id int PRIMARY KEY)", "-c", "CREATE SCHEMA mine", "-c", "INSERT INTO orders VALUES (6), (7) RETURNING current_database()",
			fmt.Sprintf("host=%s port=%d user=%s dbname='%s'", loopback, c.Port, owner, name))
		psql.Env = append(psql.Env, "PGPASSWORD="+token)
		out, err := psql.CombinedOutput()
		if err != nil || string(out) != name+"\n"+name+"\n" {
			t.Errorf("psql in %s: %v\n%s", name, err, out)
		}

		config, err := pgx.ParseConfig(fmt.Sprintf("host=%s port=%d sslmode=disable", loopback, c.Port))
		if err != nil {
			t.Fatal(err)
		}
		config.User, config.Password, config.Database = owner, token, name
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			t.Fatalf("pgx in %s: %v", name, err)
		}
		var product int
		if err := conn.QueryRow(ctx, "SELECT min(id) * max(id) FROM orders WHERE id > $1", 1).Scan(&product); err != nil || product != 42 {
			t.Errorf("pgx in %s reads %d, %v", name, product, err)
		}
		if err := conn.Close(ctx); err != nil {
			t.Error(err)
		}
		cancel()
	}
	if who := c.ask(t, "SELECT string_agg(datname || ' of ' || pg_get_userbyid(datdba), ', ' ORDER BY datname) FROM pg_database WHERE datname IN ('databricks_postgres', 'latecomer')"); who != "databricks_postgres of lakeql_emulator, latecomer of postgres" {
		t.Error(who)
	}
	if rights := c.ask(t, "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolcanlogin FROM pg_roles WHERE rolname = 'lakeql_emulator'"); rights != "f" {
		t.Error("the owner of the databases may more than own them")
	}

	// Another identity, of another emulator, finds them, and may do the same.
	server, env := workspace(t, emulator.Options{Postgres: c.DSN(), ClientID: "other"})
	token, _ = mintFor(t, asClient(server, env), mint)
	conn, err := pgx.Connect(t.Context(), fmt.Sprintf("host=%s port=%d user=other password=%s dbname=databricks_postgres sslmode=disable", loopback, c.Port, token))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE beans (id int)"); err != nil {
		t.Error(err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT * FROM orders"); err == nil {
		t.Error("one identity reads the tables of another without a grant")
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}

	// One that is dropped at the server comes back with the next credential.
	c.do(t, "DROP DATABASE databricks_postgres")
	mintFor(t, env, mint)
	if n := c.ask(t, "SELECT count(*) FROM pg_database WHERE datname = 'databricks_postgres'"); n != "1" {
		t.Errorf("there are %s", n)
	}
}

// lesserAdministrator: an administrator without CREATEDB cannot make the databases; one with it can.
func lesserAdministrator(t *testing.T, c *cluster) {
	t.Helper()
	made(t, c)
	c.do(t, "CREATE ROLE steward LOGIN CREATEROLE CREATEDB PASSWORD 'x'; CREATE ROLE idler LOGIN CREATEROLE PASSWORD 'x'; GRANT lakeql_emulator TO steward, idler WITH ADMIN OPTION")
	c.do(t, "DROP DATABASE app_data")
	as := func(role string) []string {
		server, env := workspace(t, emulator.Options{ClientID: role + "s", Postgres: fmt.Sprintf("host=%s port=%d user=%s password=x dbname=postgres sslmode=disable", loopback, c.Port, role)})
		return asClient(server, env)
	}
	got := run{args: []string{"exec", mint}, env: as("idler")}.do(t)
	if got.status != 1 || got.stdout != "" || !strings.Contains(got.stderr, "app_data") || !strings.Contains(got.stderr, "permission denied to create database") {
		t.Errorf("without CREATEDB: status %d, stderr:\n%s", got.status, got.stderr)
	}
	token, _ := mintFor(t, as("steward"), mint)
	if err := c.login(t, loopback, "stewards", token); err != nil {
		t.Error(err)
	}
	if n := c.ask(t, "SELECT count(*) FROM pg_database WHERE datname = 'app_data'"); n != "1" {
		t.Errorf("there are %s", n)
	}
}

// expiredPassword: a password is refused when its token has expired.
func expiredPassword(t *testing.T, c *cluster) {
	t.Helper()
	long := func() time.Time { return time.Now().Add(-2 * time.Hour) }
	_, env := workspace(t, emulator.Options{Postgres: c.DSN(), Clock: long})
	token, expires := mintFor(t, env, mint)
	if !expires.Before(time.Now()) {
		t.Fatalf("the token expires at %v", expires)
	}
	if err := c.login(t, loopback, owner, token); !refused(err) {
		t.Errorf("logging in: %v", err)
	}
	c.do(t, `ALTER ROLE "`+owner+`" VALID UNTIL 'infinity'`)
	if err := c.login(t, loopback, owner, token); err != nil {
		t.Errorf("it was refused for another reason than its age: %v", err)
	}

	_, env = workspace(t, emulator.Options{Postgres: c.DSN()})
	token, _ = mintFor(t, env, mint)
	if err := c.login(t, loopback, owner, token); err != nil {
		t.Errorf("with a new one: %v", err)
	}
}

// newestPassword: the newest password of an identity is its only one.
func newestPassword(t *testing.T, c *cluster) {
	t.Helper()
	_, env := workspace(t, emulator.Options{Postgres: c.DSN()})
	first, _ := mintFor(t, env, mint)
	second, _ := mintFor(t, env, mint+" @deployment_name='dbc-2'")
	if err := c.login(t, loopback, owner, first); !refused(err) {
		t.Errorf("the first: %v", err)
	}
	if err := c.login(t, loopback, owner, second); err != nil {
		t.Errorf("the second: %v", err)
	}
}

// idleRole: a role that is there and may not log in may do so with a minted password.
func idleRole(t *testing.T, c *cluster) {
	t.Helper()
	c.do(t, "CREATE ROLE idle NOLOGIN NOINHERIT VALID UNTIL '2001-01-01'")
	server, env := workspace(t, emulator.Options{Postgres: c.DSN(), ClientID: "idle"})
	token, _ := mintFor(t, asClient(server, env), mint)
	if err := c.login(t, loopback, "idle", token); err != nil {
		t.Error(err)
	}
}

// throughTheSocket: a server that is reached through its socket is named so by the API.
func throughTheSocket(t *testing.T, c *cluster) {
	t.Helper()
	dsn := strings.Replace(c.DSN(), loopback, c.Dir, 1)
	_, env := workspace(t, emulator.Options{Postgres: dsn})
	token, _ := mintFor(t, env, mint)
	got := run{args: []string{"exec", "-o", "csv", "-H", "SELECT json_extract(status, '$.hosts.host') FROM databricks_workspace.postgres.postgres_endpoints WHERE parent = 'projects/p/branches/b'"}, env: env}.do(t)
	if host := strings.TrimSpace(got.stdout); host != c.Dir {
		t.Fatalf("the endpoint is at %q, stderr:\n%s", host, got.stderr)
	}
	if err := c.login(t, c.Dir, owner, token); err != nil {
		t.Error(err)
	}
}

// anyIdentity: whatever the name of an identity is, it is a role's name and no SQL.
func anyIdentity(t *testing.T, c *cluster) {
	t.Helper()
	made(t, c)
	roles := c.ask(t, "SELECT count(*) FROM pg_roles")
	names := []string{
		`x"; DROP ROLE postgres; --`, `x'; ALTER ROLE postgres PASSWORD 'x'; --`, `"`, `""`, `'`, `\`, `\'`, `$$`, `%s%d%!`, ` `, "a\nb\tc", "SELECT", "Ärger 🦆", "x\u202ey",
		strings.Repeat("a", 63), strings.Repeat("ä", 31) + "a",
	}
	for _, name := range names {
		server, env := workspace(t, emulator.Options{Postgres: c.DSN(), ClientID: name})
		token, _ := mintFor(t, asClient(server, env), mint)
		if err := c.login(t, loopback, name, token); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if got := c.ask(t, "SELECT count(*) - $1::int FROM pg_roles", roles); got != fmt.Sprint(len(names)) {
		t.Errorf("%s roles were made for %d identities", got, len(names))
	}
}

// noRole: an identity that cannot be a role gets an error that says why.
func noRole(t *testing.T, c *cluster) {
	t.Helper()
	for name, want := range map[string]string{
		strings.Repeat("a", 64): "it has 64 bytes, and a role's name has at most 63",
		strings.Repeat("ä", 32): "it has 64 bytes",
		"postgres":              "the emulator logs in to the server with this role",
		"pg_read_all_data":      "names that begin with pg_ are PostgreSQL's own",
		"lakeql_emulator":       "the databases that the emulator makes belong to this role",
		"public":                `role name "public" is reserved`,
	} {
		server, env := workspace(t, emulator.Options{Postgres: c.DSN(), ClientID: name})
		env = asClient(server, env)
		got := run{args: []string{"exec", mint}, env: env}.do(t)
		if got.status != 1 || got.stdout != "" || !strings.Contains(got.stderr, want) {
			t.Errorf("%q: status %d, stdout %q, stderr:\n%s", name, got.status, got.stdout, got.stderr)
		}
	}
}

// severalEmulators: emulators that make the same role at once do not fail.
func severalEmulators(t *testing.T, c *cluster) {
	t.Helper()
	// Everybody calls as the same identity, which none of them finds there: they are held up
	// together before they make it. The databases are missing too.
	const name = "shared"
	made(t, c)
	c.do(t, "DROP DATABASE app_data")
	release := c.holdRoles(t)
	var calls sync.WaitGroup
	for range 3 {
		server, env := workspace(t, emulator.Options{Postgres: c.DSN(), ClientID: name})
		statements := strings.Repeat(mint+";\n", 40)
		calls.Go(func() {
			if got := (run{args: []string{"exec"}, stdin: statements, env: asClient(server, env)}).do(t); got.status != 0 {
				t.Errorf("status %d, stderr:\n%s", got.status, got.stderr)
			}
		})
	}
	release("3")
	calls.Wait()
	eventually(t, "the server refuses to make the role again", func() bool {
		return strings.Count(c.Logged(), "already exists") == tooLate
	})
}

// oneConnection: an emulator has one connection, from the first call to its end.
func oneConnection(t *testing.T, c *cluster) {
	t.Helper()
	server, env := workspace(t, emulator.Options{Postgres: c.DSN() + " application_name=counted"})
	connections := func() string {
		return c.ask(t, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'")
	}
	if n := connections(); n != "0" {
		t.Errorf("%s before the first call", n)
	}
	mintFor(t, env, mint)
	mintFor(t, env, mint)
	if n := connections(); n != "1" {
		t.Errorf("%s after two calls", n)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	// The collector would close a connection that was merely forgotten.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for ended := time.Now().Add(30 * time.Second); connections() != "0"; { // the server sees the end a moment later
		if time.Now().After(ended) {
			t.Fatal("it stays after the emulator was closed")
		}
	}
}

// serverWasAway: a server that was away is used again when it is back.
func serverWasAway(t *testing.T, c *cluster) {
	t.Helper()
	_, env := workspace(t, emulator.Options{Postgres: c.DSN()})
	mintFor(t, env, mint)
	c.Stop(t)
	got := run{args: []string{"exec", mint}, env: env}.do(t)
	if got.status != 1 || got.stdout != "" || !strings.Contains(got.stderr, fmt.Sprintf("the PostgreSQL server at 127.0.0.1:%d", c.Port)) {
		t.Errorf("status %d, stdout %q, stderr:\n%s", got.status, got.stdout, got.stderr)
	}
	if got := (run{args: []string{"exec", "SELECT name FROM databricks_workspace.postgres.postgres_projects"}, env: env}).do(t); got.status != 0 {
		t.Errorf("another call: status %d, stderr:\n%s", got.status, got.stderr)
	}
	if !c.Start(t) {
		t.Fatal("the server does not start again")
	}
	token, _ := mintFor(t, env, mint)
	if err := c.login(t, loopback, owner, token); err != nil {
		t.Error(err)
	}
	// Started anew between two calls, it is not missed.
	c.Stop(t)
	if !c.Start(t) {
		t.Fatal("the server does not start again")
	}
	token, _ = mintFor(t, env, mint)
	if err := c.login(t, loopback, owner, token); err != nil {
		t.Error(err)
	}
}

// made has an emulator make the role that owns its databases, and the databases.
func made(t *testing.T, c *cluster) {
	t.Helper()
	_, env := workspace(t, emulator.Options{Postgres: c.DSN()})
	mintFor(t, env, mint)
}

// runEmulator runs lakeql emulator, and returns the variables that it prints. Its exit must be a success.
func runEmulator(t *testing.T, args ...string) (env []string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cmd := run{args: append([]string{"emulator"}, args...)}.command(ctx, t)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		defer cancel()
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended; Wait tells how
		if err := cmd.Wait(); err != nil {
			t.Errorf("the emulator: %v\n%s", err, stderr.String())
		}
	})
	t.Cleanup(stop)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	env = regexp.MustCompile(`DATABRICKS_(HOST|TOKEN)=\S+`).FindAllString(line, -1)
	if len(env) != 2 {
		t.Fatalf("it prints %q", line)
	}
	return env, stop
}
