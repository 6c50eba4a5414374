package driver_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/provider"
	"github.com/lakeql/lakeql/provider/driver"
)

const (
	projects = "databricks_workspace.postgres.postgres_projects"
	branches = "databricks_workspace.postgres.postgres_branches"
)

func TestParseConfig(t *testing.T) {
	for dsn, want := range map[string]driver.Config{
		"":                   {},
		" ; ":                {},
		"profile=production": {Profile: "production"},
		" host = https://a.cloud.databricks.com ; on_error=partial;page_limit=3;parallel=2;store=/tmp/a b.db;": {
			Host: "https://a.cloud.databricks.com", OnError: "partial", PageLimit: 3, Parallel: 2, Store: "/tmp/a b.db",
		},
		"store=a=b": {Store: "a=b"},
	} {
		got, err := driver.ParseConfig(dsn)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", dsn, got, err)
		}
	}
	for dsn, want := range map[string]string{
		"production":           `"production", which is no name=value`,
		"Profile=a":            `unknown setting "Profile"; known are profile, host`,
		"password=hunter2":     `unknown setting "password"`,
		"page_limit=-1":        `page_limit: "-1" is no number from 0`,
		"parallel=many":        `parallel: "many" is no number from 0`,
		"profile=a;profile=b":  `"profile" twice`,
		"on_error=sometimes":   "neither fail nor partial",
		"=x":                   `unknown setting ""`,
		"host=a;\x1b[31m=evil": `"\x1b[31m"`,
	} {
		db, err := sql.Open("lakeql", dsn)
		if err == nil {
			_ = db.Close()
		}
		e, ok := errors.AsType[*provider.Error](err)
		if !ok || e.Code != provider.Usage || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
}

// TestColumnTypes checks the column types that package sql sees, and that values arrive exactly.
func TestColumnTypes(t *testing.T) {
	_, db := answering(t, driver.Config{}, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/projects") {
			_, _ = fmt.Fprint(w, `{}`)
			return
		}
		_, _ = fmt.Fprint(w, `{"jobs": [{"job_id": 9007199254740993, "creator_user_name": "ada", "has_more": true, "settings": {"name": "nightly", "n": 12345678901234567890}}, {"job_id": 2}]}`)
	})
	rows, err := db.QueryContext(t.Context(), "SELECT job_id, creator_user_name, has_more, settings, 1.5 AS computed, p.create_time FROM databricks_workspace.jobs.jobs LEFT JOIN "+projects+" p ON false")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	var described []string
	for _, c := range types {
		nullable, ok := c.Nullable()
		described = append(described, fmt.Sprintf("%s %s %s %t", c.Name(), c.DatabaseTypeName(), c.ScanType(), nullable && ok))
	}
	want := "job_id INTEGER sql.NullInt64 true, creator_user_name STRING sql.NullString true, has_more BOOLEAN sql.NullBool true, settings OBJECT []uint8 true, computed  interface {} true, create_time TIMESTAMP sql.NullTime true"
	if got := strings.Join(described, ", "); got != want {
		t.Errorf("types:\n%s\nwant\n%s", got, want)
	}
	for n := 0; rows.Next(); n++ { // any column into what its type says
		into := make([]any, len(types))
		for i, c := range types {
			into[i] = reflect.New(c.ScanType()).Interface()
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			continue
		}
		if id := into[0].(*sql.NullInt64); id.Int64 != 9007199254740993 {
			t.Errorf("job_id is %d", id.Int64)
		}
		if settings := into[3].(*[]byte); string(*settings) != `{"name": "nightly", "n": 12345678901234567890}` {
			t.Errorf("settings are %s", *settings)
		}
		if computed := into[4].(*any); *computed != 1.5 {
			t.Errorf("computed is %v", *computed)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	var id int64
	var name *string
	var more sql.NullBool
	var settings json.RawMessage
	err = db.QueryRowContext(t.Context(), "SELECT job_id, creator_user_name, has_more, json_object('a', 1) FROM databricks_workspace.jobs.jobs WHERE job_id < 3").Scan(&id, &name, &more, &settings)
	if err != nil || id != 2 || name != nil || more.Valid || string(settings) != `{"a":1}` {
		t.Errorf("%d %v %v %s, %v", id, name, more, settings, err)
	}
}

// TestValues passes Go values of every kind to placeholders.
func TestValues(t *testing.T) {
	db := open(t, driver.Config{Host: "http://127.0.0.1:1"})
	at := time.Date(2024, 2, 29, 13, 0, 0, 5e8, time.FixedZone("", 3600))
	for _, test := range []struct {
		query string
		args  []any
		want  string
	}{
		{"SELECT ?, ?, ?, ?", []any{"a", 1, 2.5, true}, "a 1 2.5 1"},
		{"SELECT typeof(?), ?", []any{nil, int64(9007199254740993)}, "null 9007199254740993"},
		{"SELECT ?, date(?)", []any{at, at}, "2024-02-29T12:00:00.5Z 2024-02-29"},
		{"SELECT ? ->> 'a', ? ->> 'a'", []any{json.RawMessage(`{"a": 1}`), []byte(`{"a": 2}`)}, "1 2"},
		{"SELECT ?", []any{json.RawMessage(nil)}, "<nil>"},
		{"SELECT :x || @x", []any{sql.Named("x", "a")}, "aa"},
		{"SELECT :x, ?, :x", []any{sql.Named("x", "a"), "b"}, "a b a"},
		{"SELECT ?", []any{sql.NullString{}}, "<nil>"},
	} {
		rows, err := db.QueryContext(t.Context(), test.query, test.args...)
		if got, err := read(t, rows, err); err != nil || got != test.want {
			t.Errorf("%s: %s, %v, want %s", test.query, got, err, test.want)
		}
	}
	for query, args := range map[string][]any{
		"SELECT ?, ?":          {1},
		"SELECT ?":             {1, 2},
		"SELECT ? AS unsigned": {uint64(1) << 63},
		"SELECT ? AS a struct": {struct{}{}},
		"EXEC " + projects + ".get @name = 'projects/p'": {1},
	} {
		_, err := db.ExecContext(t.Context(), query, args...)
		if provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// TestWrites checks Exec and Query with statements that change data.
func TestWrites(t *testing.T) {
	var mu sync.Mutex
	var sent []string
	_, db := answering(t, driver.Config{}, func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		mu.Lock()
		sent = append(sent, r.Method+" "+r.URL.RequestURI()+" "+body.String())
		mu.Unlock()
		_, _ = fmt.Fprint(w, `{"name": "operations/1"}`)
	})
	result, err := db.ExecContext(t.Context(), "INSERT INTO "+branches+" (project_id, branch_id, spec) VALUES (?, ?, ?), (?1, :other, ?3)", "p", "b'1", `{"no_expiry": true}`, sql.Named("other", "c"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); n != 2 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	if _, err := result.LastInsertId(); err == nil {
		t.Error("there is a last id")
	}
	rows, err := db.QueryContext(t.Context(), "DELETE FROM "+branches+" WHERE project_id = ? AND branch_id IN (?, ?) RETURNING name", "p", "x", "y")
	if got, err := read(t, rows, err); err != nil || got != "operations/1; operations/1" {
		t.Errorf("%s, %v", got, err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{
		`POST /api/2.0/postgres/projects/p/branches?branch_id=b%271 {"spec":{"no_expiry":true}}`, `POST /api/2.0/postgres/projects/p/branches?branch_id=c {"spec":{"no_expiry":true}}`,
		"DELETE /api/2.0/postgres/projects/p/branches/x ", "DELETE /api/2.0/postgres/projects/p/branches/y ",
	} {
		if !strings.Contains(strings.Join(sent, "\n")+"\n", want+"\n") {
			t.Errorf("sent %q, want %q among it", sent, want)
		}
	}
	if _, err := db.BeginTx(t.Context(), nil); provider.CodeOf(err) != provider.Usage {
		t.Errorf("begin: %v", err)
	}
}

// TestSeveralStatements shows how the rows of several statements come, and when each runs.
func TestSeveralStatements(t *testing.T) {
	server, db := workspace(t, emulator.Options{}, driver.Config{})
	rows, err := db.QueryContext(t.Context(), "SELECT 1; SELECT count(*) FROM "+branches+" WHERE project_id = 'p'; EXEC "+projects+".get @name = 'projects/gone'; SELECT 3")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	one := func() (n int) {
		t.Helper()
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		if rows.Next() {
			t.Error("there is a second row")
		}
		return n
	}
	if n := one(); n != 1 || len(server.Requests()) != 0 {
		t.Errorf("the first gives %d; %d requests", n, len(server.Requests()))
	}
	if !rows.NextResultSet() || one() != 3 || len(server.Requests()) != 1 {
		t.Errorf("the second: %v; %d requests", rows.Err(), len(server.Requests()))
	}
	if rows.NextResultSet() || provider.CodeOf(rows.Err()) != provider.API {
		t.Errorf("the third does not fail: %v", rows.Err())
	}
	if _, err := db.ExecContext(t.Context(), "SELECT 1; SELECT nosuch"); provider.CodeOf(err) != provider.Usage {
		t.Errorf("a fault in the second: %v", err)
	}
	for _, empty := range []string{"", " -- nothing\n", ";"} {
		if _, err := db.QueryContext(t.Context(), empty); provider.CodeOf(err) != provider.Usage { //nolint:sqlclosecheck,rowserrcheck // it fails
			t.Errorf("query %q: %v", empty, err)
		}
	}
	if _, err := db.ExecContext(t.Context(), "SET page_limit = 1; CREATE TABLE t AS SELECT 1 AS a; INSERT INTO t VALUES (2); UPDATE t SET a = 0"); err != nil {
		t.Error(err)
	}
}

// TestTimesAndJSON scans times and JSON into the types that programs have for them.
func TestTimesAndJSON(t *testing.T) {
	_, db := answering(t, driver.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/a", "uid": "a", "create_time": "2025-05-05T08:30:34.12+02:00", "status": {"custom_tags": [{"key": "k"}], "owner": "ada"}}, `+
			`{"name": "projects/b", "uid": "b", "create_time": "yesterday", "status": null}]}`)
	})
	query := func(columns, name string, into ...any) error {
		t.Helper()
		return db.QueryRowContext(t.Context(), "SELECT "+columns+" FROM "+projects+" WHERE uid = ?", name).Scan(into...)
	}
	var at time.Time
	var text string
	var plain any
	var status json.RawMessage
	if err := query("create_time, create_time, create_time, status", "a", &at, &text, &plain, &status); err != nil {
		t.Fatal(err)
	}
	want := time.Date(2025, 5, 5, 6, 30, 34, 12e7, time.UTC)
	if !at.Equal(want) || text != "2025-05-05T08:30:34.12+02:00" || !plain.(time.Time).Equal(want) || string(status) != `{"custom_tags": [{"key": "k"}], "owner": "ada"}` {
		t.Errorf("%v %s %v %s", at, text, plain, status)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+projects+" WHERE create_time = ?", at).Scan(&n); err != nil || n != 1 {
		t.Errorf("a time as it was scanned finds %d rows, %v", n, err)
	}
	// Text that is no time stays text, which package sql refuses for a time.
	if err := query("create_time", "b", &text); err != nil || text != "yesterday" {
		t.Errorf("%s, %v", text, err)
	}
	if err := query("create_time", "b", &at); err == nil || !strings.Contains(err.Error(), "create_time") {
		t.Errorf("%v is a time: %v", at, err)
	}
	// JSON into Go values.
	tags, owner, missing, array := []map[string]string{{"old": "value"}}, struct{ Owner string }{}, []string{"old"}, []string(nil)
	if err := query("status -> 'custom_tags', status, status -> 'nothing', '[\"x\", \"y\"]'", "a", driver.JSON(&tags), driver.JSON(&owner), driver.JSON(&missing), driver.JSON(&array)); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(tags, owner, missing == nil, array) != "[map[key:k]] {ada} true [x y]" {
		t.Error(tags, owner, missing, array)
	}
	var nullable sql.Null[json.RawMessage]
	if err := query("status", "b", &nullable); err != nil || nullable.Valid {
		t.Errorf("%v, %v", nullable, err)
	}
	if err := query("uid", "a", driver.JSON(&tags)); err == nil || !strings.Contains(err.Error(), "decode JSON") {
		t.Errorf("a is JSON: %v", err)
	}
	if err := query("status", "a", driver.JSON(tags)); err == nil || !strings.Contains(err.Error(), "no pointer") {
		t.Errorf("there is nothing to scan into: %v", err)
	}
	if err := db.QueryRowContext(t.Context(), "SELECT ? ->> '$[1]'", driver.JSON([]string{"a", "b"})).Scan(&text); err != nil || text != "b" {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := db.ExecContext(t.Context(), "SELECT ?", driver.JSON(make(chan int))); err == nil {
		t.Error("a channel is JSON")
	}
}

// TestCodes shows that every error answers Code, wherever it arises, and holds its details.
func TestCodes(t *testing.T) {
	_, db := workspace(t, emulator.Options{}, driver.Config{})
	_, unknown := db.ExecContext(t.Context(), "SELECT * FROM databricks_workspace.postgres.project")
	_, gone := db.ExecContext(t.Context(), "EXEC "+branches+".get @name = 'projects/p/branches/gone'")
	_, begin := db.BeginTx(t.Context(), nil)
	_, empty := db.QueryContext(t.Context(), "") //nolint:sqlclosecheck,rowserrcheck // it fails
	_, argument := db.ExecContext(t.Context(), "SELECT ?", struct{}{})
	_, dsn := driver.ParseConfig("nosuch=1")
	_, opened := driver.Driver{}.OpenConnector("memory=much")
	rows, err := db.QueryContext(t.Context(), "SELECT 1; EXEC "+branches+".get @name = 'projects/p/branches/gone'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	rows.NextResultSet()
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"a name": {unknown, "unknown"}, "an answer": {gone, "api"}, "a transaction": {begin, "usage"}, "no statement": {empty, "usage"},
		"an argument": {argument, "usage"}, "a data source name": {dsn, "usage"}, "a connector": {opened, "usage"}, "rows": {rows.Err(), "api"},
	} {
		var coded interface{ Code() provider.Code }
		if !errors.As(test.err, &coded) || coded.Code().String() != test.want {
			t.Errorf("%s: %#v", name, test.err)
		}
		var e *provider.Error
		if !errors.As(test.err, &e) || e.Code.String() != test.want {
			t.Errorf("%s: no provider.Error in %#v", name, test.err)
		}
	}
}

// TestErrors shows that errors keep their type through package sql.
func TestErrors(t *testing.T) {
	_, db := workspace(t, emulator.Options{}, driver.Config{})
	_, err := db.ExecContext(t.Context(), "SELECT *\nFROM databricks_workspace.postgres.project")
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || e.Code != provider.Unknown || e.Position.Line != 2 || e.Position.Column != 36 || !strings.Contains(e.Hint, "postgres_projects") {
		t.Errorf("%#v", err)
	}
	_, err = db.ExecContext(t.Context(), "EXEC "+branches+".get @name = 'projects/p/branches/gone'")
	if e, ok := errors.AsType[*provider.Error](err); !ok || e.Code != provider.API || e.Status != http.StatusNotFound || e.ErrorCode == "" {
		t.Errorf("%#v", err)
	}
	stmt, err := db.PrepareContext(t.Context(), "SELECT count(*) FROM "+branches+" WHERE project_id = ?")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stmt.Close() }()
	for project, want := range map[string]int{"p": 3, "orders": 2} {
		var n int
		if err := stmt.QueryRowContext(t.Context(), project).Scan(&n); err != nil || n != want {
			t.Errorf("%s: %d, %v", project, n, err)
		}
	}
}

// TestMiddleOfAList shows that an error in the middle of the rows is that of Rows.Err, and that a list cut
// short is never taken for the whole.
func TestMiddleOfAList(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page_token") != "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/a"}], "next_page_token": "2"}`)
	}
	_, db := answering(t, driver.Config{}, answer)
	rows, err := db.QueryContext(t.Context(), "SELECT name FROM "+projects)
	if got, err := read(t, rows, err); got != "projects/a" || provider.CodeOf(err) != provider.Unauthorized {
		t.Errorf("%s, %v", got, err)
	}
	var notes []string
	_, db = answering(t, driver.Config{OnError: "partial", Notes: func(line string) { notes = append(notes, line) }}, answer)
	var count int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+projects).Scan(&count); err != nil || count != 1 || len(notes) != 1 {
		t.Errorf("%d, %v, notes %q", count, err, notes)
	}
	rows, err = db.QueryContext(t.Context(), "SELECT name FROM "+projects+"; SHOW ERRORS")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		continue
	}
	if !rows.NextResultSet() || !rows.Next() || len(notes) != 2 || !strings.Contains(notes[1], "incomplete: rows of "+projects) {
		t.Errorf("%v, notes %q", rows.Err(), notes)
	}
}

// TestCancel shows that a context which ends takes everything with it: requests, goroutines, connections.
func TestCancel(t *testing.T) {
	for name, run := range map[string]func(ctx context.Context, db *sql.DB, canceled func()) error{
		"while it waits": func(ctx context.Context, db *sql.DB, canceled func()) error {
			_, err := db.ExecContext(ctx, "SELECT p.name, b.name FROM "+projects+" p JOIN "+branches+" b ON b.parent = p.name")
			return err
		},
		"between rows": func(ctx context.Context, db *sql.DB, canceled func()) error {
			rows, err := db.QueryContext(ctx, "SELECT name FROM "+projects)
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			if !rows.Next() {
				return rows.Err()
			}
			canceled()
			for rows.Next() {
				continue
			}
			return rows.Err()
		},
		"rows that nobody reads": func(ctx context.Context, db *sql.DB, canceled func()) error {
			rows, err := db.QueryContext(ctx, "SELECT name FROM "+projects+"; SELECT 1")
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			canceled()
			return errors.Join(rows.Err(), context.Canceled)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var open sync.WaitGroup // of the server's connections
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/api/2.0/postgres/projects" && r.URL.Query().Get("page_token") == "" {
					_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/a"}, {"name": "projects/b"}], "next_page_token": "2"}`)
					return
				}
				if name == "while it waits" {
					cancel()
				}
				<-r.Context().Done() // nobody else ends it
			}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				switch state {
				case http.StateNew:
					open.Add(1)
				case http.StateClosed:
					open.Done()
				default: // no end of a connection
				}
			}
			server.Start()
			defer server.Close()
			connector, err := driver.NewConnector(driver.Config{Host: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(connector)
			if err := run(ctx, db, cancel); !errors.Is(err, context.Canceled) && provider.CodeOf(err) != provider.Canceled {
				t.Errorf("%v", err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			if stacks := ours(); stacks != "" {
				t.Errorf("still running:\n%s", stacks)
			}
			open.Wait() // all are closed, or the test never ends
		})
	}
}

// ours returns the stacks of goroutines in our packages, without the test's goroutine.
func ours() string {
	buffer := make([]byte, 1<<20)
	var left []string
	for stack := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if !strings.Contains(stack, "testing.tRunner") && (strings.Contains(stack, "internal/engine.") || strings.Contains(stack, "internal/localstore.") || strings.Contains(stack, "internal/vtab.") || strings.Contains(stack, "internal/fetch.") || strings.Contains(stack, "internal/dispatch.") || strings.Contains(stack, "provider/driver.")) {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}

// TestConnections uses several connections at once, over one store and within one limit on requests.
func TestConnections(t *testing.T) {
	const parallel, queries = 3, 12
	var mu sync.Mutex
	underWay, most := 0, 0
	full := make(chan struct{})
	_, db := answering(t, driver.Config{Parallel: parallel, Store: filepath.Join(t.TempDir(), "store.db")}, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		underWay++
		if most = max(most, underWay); underWay == parallel {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		<-full // so that as many are under way as may be
		mu.Lock()
		underWay--
		mu.Unlock()
		_, _ = fmt.Fprint(w, `{"branches": [{"name": "x"}, {"name": "y"}]}`)
	})
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (query, name)"); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range queries {
		group.Go(func() {
			result, err := db.ExecContext(t.Context(), "INSERT INTO t SELECT ?, name FROM "+branches+" WHERE project_id = ? RETURNING name || ?1", i, fmt.Sprint("p", i))
			if err != nil {
				t.Error(err)
				return
			}
			if n, err := result.RowsAffected(); n != 2 || err != nil {
				t.Errorf("%d rows, %v", n, err)
			}
		})
	}
	group.Wait()
	var rows, distinct int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*), count(DISTINCT query) FROM t").Scan(&rows, &distinct); err != nil || rows != 2*queries || distinct != queries {
		t.Errorf("%d rows of %d queries, %v", rows, distinct, err)
	}
	if most != parallel {
		t.Errorf("%d requests at once, want %d", most, parallel)
	}
}

// TestSession shows that a connection is a session.
func TestSession(t *testing.T) {
	db := open(t, driver.Config{})
	first, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	second, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Close() }()
	if _, err := first.ExecContext(t.Context(), "SET page_limit = 7; CREATE TEMP TABLE mine AS SELECT 1 AS a"); err != nil {
		t.Fatal(err)
	}
	for conn, want := range map[*sql.Conn]string{first: "7", second: "0"} {
		rows, err := conn.QueryContext(t.Context(), "SHOW SETTINGS WHERE name = 'page_limit'")
		if got, err := read(t, rows, err); err != nil || !strings.HasPrefix(got, "page_limit "+want+" ") {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
	if _, err := second.ExecContext(t.Context(), "SELECT a FROM mine"); provider.CodeOf(err) != provider.Usage {
		t.Errorf("another session has the table: %v", err)
	}
}

// TestExecPlaceholders passes parameters and a body with quotes and backslashes to an EXEC.
func TestExecPlaceholders(t *testing.T) {
	var mu sync.Mutex
	var sent []string
	_, db := answering(t, driver.Config{}, func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, r.Method+" "+r.URL.RequestURI()+" "+body.String())
		_, _ = w.Write([]byte(`{"token": "t", "name": "n"}`))
	})
	const generate = "EXEC databricks_workspace.postgres.postgres_credentials.generate "
	for _, test := range []struct {
		query string
		args  []any
		want  string // what is sent, or what is wrong
	}{
		{generate + "@@json = ?", []any{`{"endpoint": "projects/p/branches/b/endpoints/e", "claims": []}`}, `POST /api/2.0/postgres/credentials {"claims":[],"endpoint":"projects/p/branches/b/endpoints/e"}`},
		{generate + "@endpoint = ?, @claims = :claims", []any{`projects/p/branches/b/endpoints/it's \' "e"`, sql.Named("claims", "[]")}, `POST /api/2.0/postgres/credentials {"claims":[],"endpoint":"projects/p/branches/b/endpoints/it's \\' \"e\""}`},
		{"EXEC " + branches + ".get @name = ?", []any{"projects/p/branches/b"}, "GET /api/2.0/postgres/projects/p/branches/b "},
		{generate + "@@json = ?", []any{"{"}, "malformed JSON in the value of the placeholder"},
		{generate + "@endpoint = ?, @claims = ?", []any{"e"}, `no value for the placeholder "2"`},
		{generate + "@endpoint = ?", []any{"projects/p/branches/b/endpoints/e", "f"}, "a value is given for ?2"},
	} {
		mu.Lock()
		sent = nil
		mu.Unlock()
		_, err := db.ExecContext(t.Context(), test.query, test.args...)
		mu.Lock()
		got := strings.Join(sent, "\n")
		mu.Unlock()
		if err != nil {
			got += err.Error()
		}
		if err == nil && got != test.want || err != nil && (!strings.Contains(got, test.want) || provider.CodeOf(err) != provider.Usage) {
			t.Errorf("%s: %s", test.query, got)
		}
	}
}

// TestStoreIsAFile shows that a server is refused as the store, without its password.
func TestStoreIsAFile(t *testing.T) {
	t.Parallel()
	_, err := driver.NewConnector(driver.Config{Store: "postgres://ada:s3cr3t@db.example.com/inventory"})
	if err == nil || !strings.Contains(err.Error(), "in an SQLite file, not in postgres://…") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("%v", err)
	}
}
