//go:build unix

package cli_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// cluster is a PostgreSQL server of a test's own, on a loopback port and a socket. It is as strict
// as one that strangers reach: every login needs its password.
type cluster struct {
	bin      string // where its programs are
	dir      string // its data and its socket
	port     int
	password string // of the role postgres
	account  *syscall.Credential

	server *exec.Cmd
	leash  io.Closer     // closed, it ends the server
	ended  chan struct{} // closed when nothing of the server is left

	mu  sync.Mutex
	log strings.Builder
}

// startCluster makes a cluster and runs its server until the test ends.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg") // t.TempDir is closed to other users, and its path too long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	c := &cluster{bin: postgresPrograms(t), dir: dir, password: "the server's own"}
	passwordFile := filepath.Join(dir, "password")
	if err := os.WriteFile(passwordFile, []byte(c.password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // as which initdb and postgres refuse to run
		c.account = otherAccount(t)
		for _, name := range []string{dir, passwordFile} {
			if err := os.Chown(name, int(c.account.Uid), int(c.account.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	initdb := c.program(t.Context(), "initdb", "--pgdata=data", "--username=postgres", "--pwfile=password",
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		c.stop(t)
		if t.Failed() {
			t.Logf("the server's log:\n%s", c.logged())
		}
	})
	for range 5 { // somebody else may take the port before the server does
		c.port = freePort(t)
		if c.start(t) {
			return c
		}
	}
	t.Fatalf("the server does not start:\n%s", c.logged())
	return nil
}

// postgresPrograms finds the folder with PostgreSQL's programs, the newest where there are several.
func postgresPrograms(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // as Debian has it, outside the PATH
	if err != nil {
		t.Fatal(err)
	}
	if name, err := exec.LookPath("initdb"); err == nil && len(found) == 0 {
		if name, err = filepath.EvalSymlinks(name); err != nil {
			t.Fatal(err)
		}
		found = []string{name}
	}
	version := func(name string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(name)))) // 0 where it is no version
		return n
	}
	newest := ""
	if len(found) > 0 {
		newest = filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) }))
	}
	if _, err := os.Stat(filepath.Join(newest, "psql")); err != nil || newest == "" {
		t.Fatal(`this test needs PostgreSQL's server and psql. To install them:
  Debian, Ubuntu   apt-get install --no-install-recommends postgresql
  Fedora           dnf install postgresql-server
  Alpine           apk add postgresql postgresql-client
  macOS            brew install postgresql`)
	}
	return newest
}

// otherAccount is one that is not root's.
func otherAccount(t *testing.T) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// program is one of PostgreSQL's, in the cluster's folder and as its owner.
func (c *cluster) program(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, name), args...)
	c.dress(cmd)
	return cmd
}

// dress gives a command the cluster's folder and owner.
func (c *cluster) dress(cmd *exec.Cmd) {
	cmd.Dir = c.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.account}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}

// start runs the server, and returns when it takes connections, or has ended without.
func (c *cluster) start(t *testing.T) (ready bool) {
	t.Helper()
	// The shell's input ends with this process, however that comes about, and the server with it:
	// SIGINT is its "fast shutdown".
	const whileWatched = `"$@" & exec 2>&-; read -r _; kill -INT $!; wait`
	c.server = exec.CommandContext(context.WithoutCancel(t.Context()), "sh", "-c", whileWatched, "sh", // stop ends it
		filepath.Join(c.bin, "postgres"), "-D", "data", "-p", strconv.Itoa(c.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+c.dir, "-c", "fsync=off")
	c.dress(c.server)
	stderr, err := c.server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.leash, err = c.server.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.server.Start(); err != nil {
		t.Fatal(err)
	}
	isReady, ended := make(chan struct{}), make(chan struct{})
	c.ended = ended
	go func() {
		defer close(ended)
		said := false
		for lines := bufio.NewScanner(stderr); lines.Scan(); { // ends with the last of the server's processes
			c.mu.Lock()
			c.log.WriteString(lines.Text() + "\n")
			c.mu.Unlock()
			if !said && strings.Contains(lines.Text(), "ready to accept connections") {
				said = true
				close(isReady)
			}
		}
	}()
	select {
	case <-isReady:
		return true
	case <-ended:
		c.stop(t)
		return false
	}
}

// stop ends the server and its sessions, and returns when nothing of it is left.
func (c *cluster) stop(t *testing.T) {
	t.Helper()
	if c.server == nil {
		return
	}
	_ = c.leash.Close()
	<-c.ended
	_ = c.server.Wait() // the log tells more than its status
	c.server = nil
}

// logged is what the server has written so far.
func (c *cluster) logged() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.String()
}

// dsn is a connection string for the role postgres.
func (c *cluster) dsn() string {
	return fmt.Sprintf("host=127.0.0.1 port=%d user=postgres password='%s' dbname=postgres sslmode=disable",
		c.port, strings.ReplaceAll(c.password, "'", `\'`))
}

// login opens a session with pgconn, asks who that is, and closes it.
func (c *cluster) login(t *testing.T, host, role, password string) error {
	t.Helper()
	config, err := pgconn.ParseConfig(fmt.Sprintf("host=%s port=%d dbname=postgres sslmode=disable", host, c.port))
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Password = role, password
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // there is nothing left to lose
	if got := ask(ctx, t, conn, "SELECT current_user"); got != role {
		t.Errorf("logged in as %q, want %q", got, role)
	}
	return nil
}

// session opens a session of the role postgres, for as long as use takes.
func (c *cluster) session(t *testing.T, use func(context.Context, *pgconn.PgConn)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := pgconn.Connect(ctx, c.dsn())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }() // there is nothing left to lose
	use(ctx, conn)
}

// do runs a statement as the role postgres.
func (c *cluster) do(t *testing.T, statement string) {
	t.Helper()
	c.session(t, func(ctx context.Context, conn *pgconn.PgConn) {
		if _, err := conn.Exec(ctx, statement).ReadAll(); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	})
}

// ask runs a statement as the role postgres and gives the one value that it answers.
func (c *cluster) ask(t *testing.T, statement string, args ...string) (value string) {
	t.Helper()
	c.session(t, func(ctx context.Context, conn *pgconn.PgConn) { value = ask(ctx, t, conn, statement, args...) })
	return value
}

// holdRoles keeps emulators from changing roles. What it returns lets them, once that many wait.
func (c *cluster) holdRoles(t *testing.T) (release func(waiting string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	conn, err := pgconn.Connect(ctx, c.dsn())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close(ctx) // there is nothing left to lose
		cancel()
	})
	ask(ctx, t, conn, "SELECT pg_advisory_lock(x'6c616b65716c'::int8)")
	return func(waiting string) {
		for ask(ctx, t, conn, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != waiting {
			// ask again; ctx is the bound
		}
		ask(ctx, t, conn, "SELECT pg_advisory_unlock_all()")
	}
}

func ask(ctx context.Context, t *testing.T, conn *pgconn.PgConn, statement string, args ...string) string {
	t.Helper()
	values := make([][]byte, len(args))
	for i, a := range args {
		values[i] = []byte(a)
	}
	got := conn.ExecParams(ctx, statement, values, nil, nil, nil).Read()
	if got.Err != nil || len(got.Rows) != 1 || len(got.Rows[0]) != 1 {
		t.Fatalf("%s: %d rows, %v", statement, len(got.Rows), got.Err)
	}
	return string(got.Rows[0][0])
}

// refused reports whether the server did not take a password (SQLSTATE 28P01).
func refused(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "28P01"
}
