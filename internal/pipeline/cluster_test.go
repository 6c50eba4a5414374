//go:build unix

package pipeline

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// startPostgres runs a PostgreSQL server until the test ends, which only its socket reaches, and gives the
// connection string of an empty database.
func startPostgres(t *testing.T) (dsn string) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // as Debian has it, outside the PATH
	if name, lookErr := exec.LookPath("initdb"); lookErr == nil {
		found = append(found, name)
	}
	if err != nil || len(found) == 0 {
		t.Fatal("this test needs PostgreSQL's server: see CONTRIBUTING.md")
	}
	initdb := found[len(found)-1]
	dir, err := os.MkdirTemp("", "pg") // t.TempDir is closed to other users, and its path too long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	attributes := &syscall.SysProcAttr{Credential: serverAccount(t, dir)}
	setUp := exec.CommandContext(t.Context(), initdb, "--pgdata=data", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	setUp.Dir, setUp.SysProcAttr = dir, attributes
	if out, err := setUp.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	// The shell's input ends with this process, however that comes about, and the server with it.
	const whileWatched = `"$@" & exec 2>&-; read -r _; kill -INT $!; wait`
	server := exec.Command("sh", "-c", whileWatched, "sh", //nolint:noctx // its input ends it
		filepath.Join(filepath.Dir(initdb), "postgres"), "-D", "data", "-c", "listen_addresses=", "-c", "unix_socket_directories="+dir, "-c", "fsync=off")
	server.Dir, server.SysProcAttr = dir, attributes
	leash, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	var log strings.Builder
	go func() {
		defer close(ended)
		said := false
		for lines := bufio.NewScanner(stderr); lines.Scan(); { // ends with the last of the server's processes
			log.WriteString(lines.Text() + "\n")
			if !said && strings.Contains(lines.Text(), "ready to accept connections") {
				said = true
				close(ready)
			}
		}
	}()
	t.Cleanup(func() {
		_ = leash.Close()
		<-ended
		_ = server.Wait() // the log tells more than its status
		if t.Failed() {
			t.Logf("the server's log:\n%s", log.String())
		}
	})
	select {
	case <-ready:
	case <-ended:
		t.Fatal("the server does not start")
	}
	return fmt.Sprintf("postgres:///postgres?host=%s&user=postgres", url.QueryEscape(dir))
}

// serverAccount gives a folder to the account that the server runs as; nil: this one. The server refuses to run
// as root.
func serverAccount(t *testing.T, dir string) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
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
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
