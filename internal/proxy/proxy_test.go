//go:build unix

package proxy_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/pgwire/pglogin"
	"github.com/lakeql/lakeql/internal/proxy"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// world is a PostgreSQL server with TLS, an emulator that makes tokens its passwords, and a client of that.
type world struct {
	*testworld.Postgres

	api   *emulator.Server
	roots *x509.CertPool
	files string // of the roots
	open  func(t *testing.T, o lakebase.Options) *lakebase.Endpoint
}

const user = "ada.okafor@harbor-finch.example" // of the emulator's token

// start starts a world. life is that of a token.
func start(t *testing.T, life time.Duration) *world {
	t.Helper()
	w := &world{Postgres: testworld.StartPostgres(t)}
	w.files = w.ServeTLS(t, "127.0.0.1")
	text, err := os.ReadFile(w.files)
	if err != nil {
		t.Fatal(err)
	}
	w.roots = x509.NewCertPool()
	w.roots.AppendCertsFromPEM(text)
	w.api = testworld.StartEmulator(t, emulator.Options{Postgres: w.DSN(), Clock: func() time.Time { return time.Now().Add(life - time.Hour) }})
	connection, err := connect.Open(connect.Options{Emulator: &connect.Emulator{URL: w.api.URL(), Token: provider.Secret(w.api.Token())}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connection.Close)
	w.open = func(t *testing.T, o lakebase.Options) *lakebase.Endpoint {
		t.Helper()
		if o.Port == 0 {
			o.Port = uint16(w.Port)
		}
		e, err := connection.Lakebase("").Open(t.Context(), "orders", o)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	return w
}

// running is a proxy that serves.
type running struct {
	*proxy.Server

	address string
	log     *log
	stop    func() error
}

// log is a log that may be read while it is written.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve runs a proxy on a loopback port until the test ends.
func serve(t *testing.T, o proxy.Options, e proxy.Endpoint) *running {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{address: listener.Addr().String(), log: &log{}}
	o.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	if r.Server, err = proxy.New(o, proxy.Route{Name: "orders", Endpoint: e, Listener: listener}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		if strings.Contains(r.log.String(), "eyJ") {
			t.Errorf("the log has a token:\n%s", r.log)
		}
	})
	return r
}

// dsn is how a client connects to the proxy: with no password.
func (r *running) dsn(more string) string {
	host, port, _ := net.SplitHostPort(r.address)
	return fmt.Sprintf("host=%s port=%s user=somebody dbname=databricks_postgres sslmode=disable connect_timeout=20 passfile=/dev/null %s", host, port, more)
}

func (r *running) connect(t *testing.T, more string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), r.dsn(more))
	if err != nil {
		t.Fatalf("%v\n%s", err, r.log)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// refusal is the error of a login.
func (r *running) refusal(t *testing.T, more string) *pgconn.PgError {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), r.dsn(more))
	if err == nil {
		_ = conn.Close(t.Context())
		t.Fatal("the login succeeds")
	}
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		t.Fatal(err)
	}
	if strings.Contains(fmt.Sprint(refused.Message, refused.Detail, refused.Hint), "eyJ") {
		t.Errorf("the error has a token: %v", refused)
	}
	return refused
}

func value[T any](t *testing.T, conn *pgx.Conn, query string) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// TestProxy shows what a client sees that connects without a password.
func TestProxy(t *testing.T) {
	t.Parallel()
	w := start(t, time.Hour)
	r := serve(t, proxy.Options{Roots: w.roots}, w.open(t, lakebase.Options{}))

	t.Run("it is logged in, over TLS, with its own settings", func(t *testing.T) {
		conn := r.connect(t, "application_name=report options='-c statement_timeout=54321'")
		for query, want := range map[string]string{
			"SELECT current_user": user, "SELECT current_database()": "databricks_postgres", "SHOW application_name": "report", "SHOW statement_timeout": "54321ms",
			"SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()": "true",
		} {
			if got := value[string](t, conn, query); got != want {
				t.Errorf("%s is %q, want %q", query, got, want)
			}
		}
		if conn.PgConn().ParameterStatus("server_version") == "" {
			t.Error("the server's version is not told")
		}
	})
	t.Run("a client that names no database gets the usual one", func(t *testing.T) {
		conn := r.connect(t, "dbname=somebody")
		if got := value[string](t, conn, "SELECT current_database()"); got != "databricks_postgres" {
			t.Error(got)
		}
	})
	t.Run("the server's refusal arrives as it is", func(t *testing.T) {
		if refused := r.refusal(t, "dbname=nowhere"); refused.Code != "3D000" || !strings.Contains(refused.Message, "nowhere") {
			t.Error(refused)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		conn := r.connect(t, "")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		asleep := make(chan error, 1)
		go func() {
			_, err := conn.PgConn().Exec(ctx, "SELECT pg_sleep(60)").ReadAll()
			asleep <- err
		}()
		other := r.connect(t, "")
		until(t, "the statement runs", func() bool {
			return value[int](t, other, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'") == 1
		})
		if err := conn.PgConn().CancelRequest(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err, ok := errors.AsType[*pgconn.PgError](<-asleep); !ok || err.Code != "57014" {
			t.Error(err)
		}
		if got := value[int](t, conn, "SELECT 42"); got != 42 {
			t.Error(got)
		}
	})
	t.Run("cancel with another key does nothing", func(t *testing.T) {
		conn := r.connect(t, "")
		text, err := (&pgproto3.CancelRequest{ProcessID: conn.PgConn().PID(), SecretKey: []byte{1, 2, 3, 4}}).Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		raw := dial(t, r)
		if _, err := raw.Write(text); err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
		if got := value[int](t, conn, "SELECT 42"); got != 42 {
			t.Error(got)
		}
	})
	t.Run("COPY both ways, a value of many megabytes, and a pipeline", func(t *testing.T) {
		conn := r.connect(t, "")
		ctx := t.Context()
		if _, err := conn.Exec(ctx, "CREATE TEMP TABLE n (i int, text text)"); err != nil {
			t.Fatal(err)
		}
		rows := make([][]any, 20000)
		for i := range rows {
			rows[i] = []any{i, "row"}
		}
		if n, err := conn.CopyFrom(ctx, pgx.Identifier{"n"}, []string{"i", "text"}, pgx.CopyFromRows(rows)); err != nil || n != int64(len(rows)) {
			t.Fatal(n, err)
		}
		var out bytes.Buffer
		if _, err := conn.PgConn().CopyTo(ctx, &out, "COPY n TO STDOUT"); err != nil || bytes.Count(out.Bytes(), []byte("\n")) != len(rows) {
			t.Error(err, out.Len())
		}
		const size = 20 << 20
		if got := value[int](t, conn, "SELECT length(repeat('x', 20971520))"); got != size {
			t.Error(got)
		}
		var long string
		if err := conn.QueryRow(ctx, "SELECT $1::text || 'y'", strings.Repeat("x", size)).Scan(&long); err != nil || len(long) != size+1 {
			t.Error(err, len(long))
		}
		batch := &pgx.Batch{}
		for i := range 100 {
			batch.Queue("SELECT $1::int", i)
		}
		if err := conn.SendBatch(ctx, batch).Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("metrics and probes", func(t *testing.T) {
		probes := httptest.NewServer(r.Handler())
		defer probes.Close()
		text := testworld.Get(t, probes.URL+"/metrics", 200)
		for _, want := range []string{
			`lakeql_proxy_connections_total{endpoint="orders",result="failed"} 1`, `lakeql_proxy_connect_seconds_bucket{endpoint="orders",le="30"}`, "lakeql_proxy_max_connections 100",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
		testworld.Get(t, probes.URL+"/livez", 200)
		testworld.Get(t, probes.URL+"/readyz", 200)
	})

	if n := minted(w); n != 1 {
		t.Errorf("all of these took %d tokens, want 1", n)
	}
	if log := w.Logged(); strings.Contains(log, "eyJ") {
		t.Error("the server's log has a token")
	}
}

func minted(w *world) int {
	n := 0
	for _, request := range w.api.Requests() {
		if strings.HasSuffix(request.Operation, "credentials.generate") {
			n++
		}
	}
	return n
}

// until waits for a condition.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); {
		if time.Now().After(end) {
			t.Fatalf("not in 20 seconds: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func dial(t *testing.T, r *running) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// TestEnds shows when connections end, and that they end between two transactions.
func TestEnds(t *testing.T) {
	t.Parallel()
	w := start(t, time.Hour)
	e := w.open(t, lakebase.Options{})
	const life = 200 * time.Millisecond
	t.Run("an old connection, when its transaction is over", func(t *testing.T) {
		t.Parallel()
		r := serve(t, proxy.Options{Roots: w.roots, Lifetime: life}, e)
		conn := r.connect(t, "")
		begun := time.Now()
		if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
			t.Fatal(err)
		}
		for time.Since(begun) < 2*life {
			if _, err := conn.Exec(t.Context(), "SELECT 1"); err != nil {
				t.Fatalf("in a transaction: %v", err)
			}
		}
		if _, err := conn.Exec(t.Context(), "COMMIT"); err != nil {
			t.Fatalf("the end of the transaction: %v", err)
		}
		until(t, "it is logged", func() bool { return strings.Contains(r.log.String(), "the connection has reached its lifetime") })
		if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
			t.Error("it goes on")
		}
	})
	t.Run("an idle connection", func(t *testing.T) {
		t.Parallel()
		r := serve(t, proxy.Options{Roots: w.roots, IdleTimeout: life}, e)
		conn, busy := r.connect(t, ""), r.connect(t, "")
		if _, err := busy.Exec(t.Context(), "BEGIN"); err != nil {
			t.Fatal(err)
		}
		until(t, "it is logged", func() bool { return strings.Contains(r.log.String(), "idle for too long") })
		if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
			t.Error("it goes on")
		}
		if _, err := busy.Exec(t.Context(), "COMMIT"); err != nil {
			t.Errorf("a transaction that waits: %v", err)
		}
	})
	t.Run("all, when the proxy ends", func(t *testing.T) {
		t.Parallel()
		r := serve(t, proxy.Options{Roots: w.roots, DrainTimeout: 20 * time.Second}, e)
		idle, busy := r.connect(t, ""), r.connect(t, "")
		if _, err := busy.Exec(t.Context(), "BEGIN"); err != nil {
			t.Fatal(err)
		}
		stopped := make(chan error, 1)
		go func() { stopped <- r.stop() }()
		until(t, "idle connections end", func() bool { return strings.Contains(r.log.String(), "the proxy ends") })
		if _, err := idle.Exec(t.Context(), "SELECT 1"); err == nil {
			t.Error("an idle connection goes on")
		}
		if _, err := pgx.Connect(t.Context(), r.dsn("")); err == nil {
			t.Error("a new connection is taken")
		}
		if err := r.Ready(t.Context()); err == nil {
			t.Error("it says that it is ready")
		}
		if _, err := busy.Exec(t.Context(), "COMMIT"); err != nil {
			t.Errorf("a transaction is not ended: %v", err)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	t.Run("a statement that outlasts the time to drain", func(t *testing.T) {
		t.Parallel()
		r := serve(t, proxy.Options{Roots: w.roots, DrainTimeout: life}, e)
		conn := r.connect(t, "")
		asleep := make(chan error, 1)
		go func() {
			_, err := conn.Exec(context.WithoutCancel(t.Context()), "SELECT pg_sleep(60)")
			asleep <- err
		}()
		other, err := pgx.Connect(t.Context(), w.DSN())
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close(t.Context()) //nolint:errcheck // the test is over
		until(t, "it runs", func() bool {
			return value[int](t, other, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'") == 1
		})
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		err = <-asleep
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != "57P01" {
			t.Error(err)
		}
	})
	t.Run("the client's, at the server too", func(t *testing.T) {
		t.Parallel()
		r := serve(t, proxy.Options{Roots: w.roots}, e)
		conn := r.connect(t, "application_name=leaver")
		other := r.connect(t, "")
		if err := conn.PgConn().Conn().Close(); err != nil { // without a word
			t.Fatal(err)
		}
		until(t, "the server's session ends", func() bool {
			return value[int](t, other, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leaver'") == 0
		})
	})
	t.Run("the server's, at the client too", func(t *testing.T) {
		t.Parallel()
		r := serve(t, proxy.Options{Roots: w.roots}, e)
		conn, other := r.connect(t, "application_name=victim"), r.connect(t, "")
		if n := value[int](t, other, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'victim'"); n != 1 {
			t.Fatal(n)
		}
		until(t, "it is logged", func() bool { return strings.Contains(r.log.String(), "application=victim") })
		_, err := conn.Exec(t.Context(), "SELECT 1")
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != "57P01" || !strings.Contains(refused.Message, "administrator") {
			t.Error(err)
		}
	})
}

// TestAway shows a server that ends and comes back.
func TestAway(t *testing.T) {
	t.Parallel()
	w := start(t, time.Hour)
	r := serve(t, proxy.Options{Roots: w.roots}, w.open(t, lakebase.Options{}))
	conn := r.connect(t, "")
	w.Stop(t)
	if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("the connection goes on")
	}
	if refused := r.refusal(t, ""); refused.Code != "08006" || !strings.Contains(refused.Message, "connect to 127.0.0.1:") {
		t.Error(refused)
	}
	if !w.Start(t) {
		t.Fatal(w.Logged())
	}
	if got := value[int](t, r.connect(t, ""), "SELECT 42"); got != 42 {
		t.Error(got)
	}
}

// TestPasswords shows tokens that the server does not take any more, or never.
func TestPasswords(t *testing.T) {
	t.Parallel()
	w := start(t, time.Hour)
	admin, err := pgx.Connect(t.Context(), w.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context()) //nolint:errcheck // the test is over
	change := func(statement string) {
		if _, err := admin.Exec(t.Context(), fmt.Sprintf(statement, pgx.Identifier{user}.Sanitize())); err != nil {
			t.Fatal(err)
		}
	}
	r := serve(t, proxy.Options{Roots: w.roots}, w.open(t, lakebase.Options{}))
	change("ALTER ROLE %s PASSWORD 'another'")
	r.connect(t, "")
	if n := minted(w); n != 2 {
		t.Errorf("%d tokens, want a second one", n)
	}
	change("ALTER ROLE %s CONNECTION LIMIT 0")
	if refused := r.refusal(t, ""); refused.Code != "53300" || !strings.Contains(refused.Message, "too many connections for role") {
		t.Error(refused)
	}
}

// TestCertificates shows that no password goes to a server with another certificate.
func TestCertificates(t *testing.T) {
	t.Parallel()
	w := start(t, time.Hour)
	e := w.open(t, lakebase.Options{})
	other := x509.NewCertPool()
	text, err := os.ReadFile(testworld.Certificate(t, t.TempDir(), "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	other.AppendCertsFromPEM(text)
	r := serve(t, proxy.Options{Roots: other}, e)
	if refused := r.refusal(t, ""); refused.Code != "08006" || !strings.Contains(refused.Message, "certificate") || !strings.Contains(refused.Hint, "no password was sent") {
		t.Errorf("%v, hint %q", refused, refused.Hint)
	}
	if log := w.Logged(); strings.Contains(log, "password") {
		t.Errorf("the server was asked to log somebody in:\n%s", log)
	}
	w.ServeTLS(t, "database.example") // for another name
	text, err = os.ReadFile(w.files)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	r = serve(t, proxy.Options{Roots: roots}, e)
	if refused := r.refusal(t, ""); refused.Code != "08006" || !strings.Contains(refused.Message, "certificate") {
		t.Error(refused)
	}
}

// TestAccess shows who may connect: with TLS and a password, nobody else.
func TestAccess(t *testing.T) {
	t.Parallel()
	w := start(t, time.Hour)
	password, err := pglogin.NewPassword("the proxy's own")
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, proxy.Options{Roots: w.roots, Password: password, MaxConnections: 1}, w.open(t, lakebase.Options{}))
	if refused := r.refusal(t, "password=guess"); refused.Code != "28P01" {
		t.Error(refused)
	}
	r.connect(t, "password='the proxy\\'s own'")
	if refused := r.refusal(t, "password='the proxy\\'s own'"); refused.Code != "53300" {
		t.Error(refused)
	}
}

// TestHostile shows clients that send something else than the protocol's messages.
func TestHostile(t *testing.T) {
	t.Parallel()
	w := start(t, time.Hour)
	r := serve(t, proxy.Options{Roots: w.roots, StartTimeout: 300 * time.Millisecond}, w.open(t, lakebase.Options{}))
	message := func(size, code uint32, more ...byte) []byte {
		return append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, size), code), more...)
	}
	const startTLS, startGSS, version = 80877103, 80877104, 196608
	for name, test := range map[string]struct {
		sent []byte
		want string // before the end of the connection
	}{
		"nothing":                {nil, ""},
		"half a length":          {[]byte{0, 0}, ""},
		"a length of 2 GiB":      {message(1<<31-1, version), ""},
		"a length of 4 GiB":      {message(1<<32-1, version), ""},
		"a length of 0":          {message(0, version), ""},
		"a length that lies":     {message(5000, version, []byte("user\x00me\x00\x00")...), ""},
		"another protocol":       {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ""},
		"a version of no one":    {message(8, 42<<16), ""},
		"TLS twice":              {append(message(8, startTLS), message(8, startTLS)...), "N"},
		"GSSAPI twice":           {append(message(8, startGSS), message(8, startGSS)...), "N"},
		"GSSAPI, then TLS":       {append(message(8, startGSS), message(8, startTLS)...), "NN"},
		"no end of a parameter":  {message(13, version, []byte("user\x00")...), ""},
		"a cancel without a key": {message(8, 80877102), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, r)
			if _, err := conn.Write(test.sent); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(conn)
			if err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") || string(got) != test.want {
				t.Errorf("%q, %v; want %q", got, err, test.want)
			}
		})
	}
	t.Run("after the login, a length that is none", func(t *testing.T) {
		t.Parallel()
		for _, sent := range [][]byte{{'Q', 0, 0, 0, 3}, {'Q', 0xff, 0xff, 0xff, 0xff}} {
			conn := r.connect(t, "").PgConn().Conn()
			if _, err := conn.Write(sent); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(conn); err != nil || !bytes.Contains(got, []byte("08P01")) {
				t.Errorf("%q, %v", got, err)
			}
		}
	})
	t.Run("after the login, a long message that never comes", func(t *testing.T) {
		t.Parallel()
		conn := r.connect(t, "application_name=promises").PgConn().Conn()
		if _, err := conn.Write([]byte{'Q', 0x3f, 0xff, 0xff, 0xff, 'S'}); err != nil { // a gigabyte
			t.Fatal(err)
		}
		_ = conn.Close()
		other := r.connect(t, "")
		until(t, "the session ends", func() bool {
			return value[int](t, other, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'promises'") == 0
		})
	})
}

// TestSocket shows a socket of the user, and one that a dead process has left.
func TestSocket(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	for name, test := range map[string]struct {
		path, socket string
		port         int
	}{
		"a folder":           {filepath.Join(base, "f"), filepath.Join(base, "f", ".s.PGSQL.5432"), 5432},
		"a name with a port": {filepath.Join(base, ".s.PGSQL.6000"), filepath.Join(base, ".s.PGSQL.6000"), 6000},
	} {
		listener, dir, port, err := proxy.ListenSocket(t.Context(), test.path)
		if err != nil || port != test.port || dir != filepath.Dir(test.socket) {
			t.Fatalf("%s: %s %d %v", name, dir, port, err)
		}
		if info, err := os.Stat(test.socket); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
		if _, _, _, err := proxy.ListenSocket(t.Context(), test.path); provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: twice: %v", name, err)
		}
		listener.(*net.UnixListener).SetUnlinkOnClose(false)
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		// A program that another test starts holds the closed socket between fork and exec.
		until(t, name+": a socket after a process that died", func() bool {
			listener, _, _, err = proxy.ListenSocket(t.Context(), test.path)
			return err == nil
		})
		_ = listener.Close()
	}
	if err := os.WriteFile(filepath.Join(base, ".s.PGSQL.7000"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(base, ".s.PGSQL.7000"), filepath.Join(base, ".s.PGSQL.x"), filepath.Join(base, "no", "folder"), filepath.Join(base, strings.Repeat("x", 120))} {
		if _, _, _, err := proxy.ListenSocket(t.Context(), path); provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: %v", path, err)
		}
	}
}
