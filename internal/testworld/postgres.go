//go:build unix

package testworld

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
)

// Postgres is a PostgreSQL server for one test, on a loopback port and a socket. Like a public server, it
// requires a password for every login.
type Postgres struct {
	Dir      string // its data and its socket
	Port     int
	Password string // of the role postgres

	bin     string // where its programs are
	account *syscall.Credential

	server *exec.Cmd
	leash  io.Closer     // closed, it ends the server
	ended  chan struct{} // closed when nothing of the server is left

	mu  sync.Mutex
	log strings.Builder
}

// StartPostgres makes a server and runs it until the test ends.
func StartPostgres(t *testing.T) *Postgres {
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
	p := &Postgres{bin: postgresPrograms(t), Dir: dir, Password: "the server's own"}
	passwordFile := filepath.Join(dir, "password")
	if err := os.WriteFile(passwordFile, []byte(p.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // as which initdb and postgres refuse to run
		p.account = otherAccount(t)
		for _, name := range []string{dir, passwordFile} {
			if err := os.Chown(name, int(p.account.Uid), int(p.account.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	initdb := p.Program(t.Context(), "initdb", "--pgdata=data", "--username=postgres", "--pwfile=password",
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		p.Stop(t)
		if t.Failed() {
			t.Logf("the server's log:\n%s", p.Logged())
		}
	})
	for range 5 { // somebody else may take the port before the server does
		p.Port = FreePort(t)
		if p.Start(t) {
			return p
		}
	}
	t.Fatalf("the server does not start:\n%s", p.Logged())
	return nil
}

// ServeTLS makes the server take connections over TLS, and returns the name of the certificate that clients
// have to trust for these hosts. It starts the server anew.
func (p *Postgres) ServeTLS(t *testing.T, hosts ...string) string {
	t.Helper()
	p.Stop(t)
	roots := Certificate(t, filepath.Join(p.Dir, "data"), hosts...)
	if p.account != nil {
		for _, name := range []string{roots, filepath.Join(p.Dir, "data", "server.key")} {
			if err := os.Chown(name, int(p.account.Uid), int(p.account.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	config, err := os.OpenFile(filepath.Join(p.Dir, "data", "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.WriteString("ssl = on\n")
	if err := errors.Join(err, config.Close()); err != nil {
		t.Fatal(err)
	}
	if !p.Start(t) {
		t.Fatalf("the server does not start:\n%s", p.Logged())
	}
	return roots
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
		t.Fatal("this test needs PostgreSQL's server and psql: internal/testworld/setup.sh installs them")
	}
	return newest
}

// otherAccount returns an account that is not root.
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

// Program is one of PostgreSQL's, in the server's folder and as its owner.
func (p *Postgres) Program(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...) //nolint:gosec // a test runs PostgreSQL's own programs
	p.dress(cmd)
	return cmd
}

// dress returns a command the server's folder and owner.
func (p *Postgres) dress(cmd *exec.Cmd) {
	cmd.Dir = p.Dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.account}
}

// FreePort returns a loopback port that no process listens at.
func FreePort(t *testing.T) int {
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

// Start runs the server, and returns when it takes connections, or has ended without.
func (p *Postgres) Start(t *testing.T) (ready bool) {
	t.Helper()
	// The shell's input ends with this process, however that comes about, and the server with it:
	// SIGINT is its "fast shutdown".
	const whileWatched = `"$@" & exec 2>&-; read -r _; kill -INT $!; wait`
	p.server = exec.CommandContext(context.WithoutCancel(t.Context()), "sh", "-c", whileWatched, "sh", //nolint:gosec // a test's own server; Stop ends it
		filepath.Join(p.bin, "postgres"), "-D", "data", "-p", strconv.Itoa(p.Port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+p.Dir, "-c", "fsync=off")
	p.dress(p.server)
	stderr, err := p.server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.leash, err = p.server.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.server.Start(); err != nil {
		t.Fatal(err)
	}
	isReady, ended := make(chan struct{}), make(chan struct{})
	p.ended = ended
	go func() {
		defer close(ended)
		said := false
		for lines := bufio.NewScanner(stderr); lines.Scan(); { // ends with the last of the server's processes
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
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
		p.Stop(t)
		return false
	}
}

// Stop ends the server and its sessions, and returns when nothing of it is left.
func (p *Postgres) Stop(t *testing.T) {
	t.Helper()
	if p.server == nil {
		return
	}
	_ = p.leash.Close()
	<-p.ended
	_ = p.server.Wait() // the log tells more than its status
	p.server = nil
}

// Logged returns the server's log so far.
func (p *Postgres) Logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// DSN is a connection string for the role postgres.
func (p *Postgres) DSN() string {
	return fmt.Sprintf("host=127.0.0.1 port=%d user=postgres password='%s' dbname=postgres sslmode=disable",
		p.Port, strings.ReplaceAll(p.Password, "'", `\'`))
}

// URL is a connection string, as a URL, of a database for the role postgres.
func (p *Postgres) URL(database string) string {
	return fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%d/%s?sslmode=disable", strings.ReplaceAll(p.Password, " ", "%20"), p.Port, database)
}
