package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// privatePostgres is a PostgreSQL server in a folder for temporary files, on a loopback port. It makes its log
// durable at each commit, as a server does unless it is told otherwise.
type privatePostgres struct {
	folder string
	server *exec.Cmd
	dsn    string
}

// errNoPostgres is the error on a machine without the server's programs.
var errNoPostgres = errors.New("PostgreSQL's programs are not on this machine: name a server with -postgres")

// startPostgres makes a server and runs it.
func startPostgres(ctx context.Context) (*privatePostgres, error) {
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // as Debian has it
		if len(found) == 0 {
			return nil, errNoPostgres
		}
		initdb = found[len(found)-1]
	}
	folder, err := os.MkdirTemp("", "lakeql-pg-")
	if err != nil {
		return nil, err
	}
	p := &privatePostgres{folder: folder}
	if err := p.start(ctx, initdb); err != nil {
		p.stop()
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return p, nil
}

func (p *privatePostgres) start(ctx context.Context, initdb string) error {
	password, passwordFile := rand.Text(), filepath.Join(p.folder, "password")
	if err := os.WriteFile(passwordFile, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	account, err := otherAccount()
	if err != nil {
		return err
	}
	if account != nil {
		for _, name := range []string{p.folder, passwordFile} {
			if err := os.Chown(name, int(account.Uid), int(account.Gid)); err != nil {
				return err
			}
		}
	}
	program := func(path string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // PostgreSQL's own programs
		cmd.Dir, cmd.Env = p.folder, []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account}
		return cmd
	}
	out, err := program(initdb, "--pgdata=data", "--username=postgres", "--pwfile=password", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err := errors.Join(err, listener.Close()); err != nil {
		return err
	}
	p.server = program(filepath.Join(filepath.Dir(initdb), "postgres"), "-D", "data", "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+p.folder)
	if err := p.server.Start(); err != nil {
		return err
	}
	p.dsn = fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%s/postgres?sslmode=disable", password, port)
	for range 600 {
		conn, err := pgx.Connect(ctx, p.dsn)
		if err == nil {
			return conn.Close(ctx)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("it takes no connections")
}

// stop ends the server, and removes its folder.
func (p *privatePostgres) stop() {
	if p.server != nil && p.server.Process != nil {
		_ = p.server.Process.Signal(os.Interrupt) // its fast shutdown; it may be gone already
		_ = p.server.Wait()
	}
	_ = os.RemoveAll(p.folder) // it is in a folder for temporary files
}

// otherAccount is an account that is not root, as which PostgreSQL refuses to run; nil if this process is
// not root's.
func otherAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // its own account
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
