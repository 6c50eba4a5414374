package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/proxy"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) psqlCommand() *cobra.Command {
	var roots string
	cmd := &cobra.Command{
		Use:   "psql [ENDPOINT] [-- PSQL'S ARGUMENTS]",
		Short: "Open psql in a Lakebase endpoint",
		Long: `Run psql over a private socket of this command, which logs in to the endpoint with a
token over verified TLS. When psql connects again, it logs in with a new token if the
last one has ended. The exit status is that of psql.

` + endpointNames + `

Arguments behind -- are psql's. PGDATABASE and PGUSER are set for it.`,
		Example: `  lakeql psql orders
  lakeql psql orders/development -- -c 'SELECT version()'
  lakeql psql orders -- -f migration.sql -v ON_ERROR_STOP=1`,
		Args: func(cmd *cobra.Command, args []string) error {
			before := cmd.ArgsLenAtDash()
			if before < 0 {
				before = len(args)
			}
			if before > 1 {
				return provider.Usagef("there are %d arguments before --, and the endpoint is one", before).Hintf("psql's arguments follow --")
			}
			return nil
		},
	}
	options := c.endpointFlags(cmd)
	rootsFlag(cmd, &roots)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		name := ""
		if n := cmd.ArgsLenAtDash(); n != 0 && len(args) > 0 {
			name, args = args[0], args[1:]
		}
		return c.psql(name, args, options, roots)
	}
	return cmd
}

// exited is the end of a program whose exit status becomes that of the command. It has said itself what is wrong.
type exited struct{ status int }

func (e exited) Error() string { return fmt.Sprintf("exit status %d", e.status) }

func (c *command) psql(name string, args []string, o *endpointOptions, roots string) error {
	if err := o.check(); err != nil {
		return err
	}
	pool, err := readRoots(roots)
	if err != nil {
		return err
	}
	program, err := exec.LookPath("psql")
	if err != nil {
		return provider.Usagef("there is no psql in the PATH").
			Hintf("install PostgreSQL's client, or connect another one by lakeql proxy").Because(err)
	}
	found, err := c.connectToMint()
	if err != nil {
		return err
	}
	defer found.close()
	ctx, stop := interruptible()
	opened, err := found.Lakebase("").Open(ctx, name, o.Options)
	stop() // from here on, Ctrl-C is psql's
	if err != nil {
		return err
	}
	login, err := opened.Login(context.Background())
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "lakeql") // of the user alone
	if err != nil {
		return provider.Usagef("make a folder for the socket: %v", err).Because(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder in the place for temporary ones
	serving, end := context.WithCancel(context.Background())
	listener, _, _, err := proxy.ListenSocket(serving, filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		end()
		return err
	}
	server, err := proxy.New(proxy.Options{Roots: pool, DrainTimeout: time.Second}, proxy.Route{Name: opened.Name().String(), Endpoint: opened, Listener: listener})
	if err != nil {
		end()
		_ = listener.Close()
		return err
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(serving) }()
	defer func() {
		end()
		if err := <-done; err != nil {
			c.note("%v", err)
		}
	}()

	cmd := exec.CommandContext(context.Background(), program, args...) //nolint:gosec // psql with the arguments of its user
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.stdin, c.stdout, c.stderr
	cmd.Env = append(withoutPostgres(os.Environ()), "PGHOST="+dir, "PGPORT=5432", "PGUSER="+login.User, "PGDATABASE="+login.Database)
	return runThrough(cmd)
}

// withoutPostgres leaves out the environment variables that say how libpq connects.
func withoutPostgres(env []string) []string {
	var kept []string
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGREQUIREAUTH",
			"PGREQUIREPEER", "PGCHANNELBINDING", "PGGSSENCMODE", "PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS":
		default:
			if !strings.HasPrefix(name, "PGSSL") {
				kept = append(kept, v)
			}
		}
	}
	return kept
}

// runThrough runs a program in the place of this one: signals are the program's, and its exit status becomes
// that of the command.
func runThrough(cmd *exec.Cmd) error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return provider.Usagef("run psql: %v", err).Because(err)
	}
	ended := make(chan struct{})
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		for {
			select {
			case s := <-signals:
				if s != os.Interrupt && s != syscall.SIGQUIT || !terminal.Is(os.Stdin) { // the terminal sends these to psql, too
					_ = cmd.Process.Signal(s) // psql may have ended
				}
			case <-ended:
				return
			}
		}
	}()
	err := cmd.Wait()
	close(ended)
	<-passed
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return nil
	case !ok:
		return provider.Usagef("run psql: %v", err).Because(err)
	case exit.ExitCode() >= 0:
		return exited{exit.ExitCode()}
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() { // as a shell says it
		return exited{128 + int(status.Signal())}
	}
	return exited{1}
}
