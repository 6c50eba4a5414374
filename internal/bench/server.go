package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// crowd is how many connections are made at once.
const crowd = 50

// benchServer measures the PostgreSQL server: a connection with a query that needs no call, rows through psql
// beside exec, and many connections at once.
func benchServer(ctx context.Context, binary, only string, runs int) error {
	if name := "server"; !strings.Contains(name, only) {
		return nil
	}
	e, err := startEmulator(ctx, binary, flags(20_000, 0))
	if err != nil {
		return err
	}
	defer e.stop()
	cmd := exec.CommandContext(ctx, binary, "srv", "--port", "0")
	cmd.Env = e.env
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may be gone already
		_ = cmd.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	host, port, err := net.SplitHostPort(strings.TrimSpace(strings.TrimPrefix(line, "listening on ")))
	if err != nil {
		return err
	}
	dsn := fmt.Sprintf("host=%s port=%s dbname=databricks_workspace user=bench", host, port)
	one := func(ctx context.Context) (err error) {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		defer conn.Close(ctx) //nolint:errcheck // the query counts
		var n int
		return conn.QueryRow(ctx, "SELECT 1").Scan(&n)
	}
	many := func(ctx context.Context) error {
		errs := make([]error, crowd)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = one(ctx) })
		}
		all.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := timed(ctx, "server: connect and SELECT 1", runs, one); err != nil {
		return err
	}
	if err := timed(ctx, fmt.Sprintf("server: the same, %d at once", crowd), runs, many); err != nil {
		return err
	}
	text := "SELECT name, uid, create_time, update_time FROM " + projects
	for name, argv := range map[string][]string{
		"psql": {"psql", "-X", "-A", "-t", "-o", os.DevNull, dsn, "-c", text},
		"exec": {binary, "exec", "-o", "csv", "-f", os.DevNull, text},
	} {
		samples := make([]sample, min(runs, 10))
		for i := range samples {
			if samples[i], err = e.run(ctx, argv); err != nil {
				return err
			}
		}
		report(subject{name: "server: 20,000 rows by " + name}, name, "", samples)
	}
	return nil
}

// timed measures something that this process does.
func timed(ctx context.Context, name string, runs int, do func(context.Context) error) error {
	samples := make([]sample, runs)
	for i := range samples {
		began := time.Now()
		if err := do(ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		samples[i].wall = time.Since(began)
	}
	report(subject{name: name}, "pgx", "", samples)
	return nil
}
