package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// copied is how many rows a COPY has.
const copied = 1_000_000

// benchProxy measures connections to a PostgreSQL server directly, and through lakeql proxy, in turn. The proxy logs
// in as the role of an emulator's token. It encrypts its connections if the connection string names certificates
// (sslrootcert), as the direct ones are then; otherwise neither is encrypted.
func benchProxy(ctx context.Context, binary, only, postgres string, runs int) error {
	subjects := []struct {
		subject
		do func(context.Context, *pgx.Conn) error
	}{
		{subject{name: "connect, one SELECT, through the proxy", aim: "in place of the floor: the same directly"}, func(ctx context.Context, conn *pgx.Conn) error {
			var one int
			return conn.QueryRow(ctx, "SELECT 1").Scan(&one)
		}},
		{subject{name: "COPY of a million rows, through the proxy", aim: "≤ 1.3 × the same directly"}, func(ctx context.Context, conn *pgx.Conn) error {
			tag, err := conn.PgConn().CopyTo(ctx, io.Discard, fmt.Sprintf("COPY (SELECT g, md5(g::text), now() FROM generate_series(1, %d) g) TO STDOUT", copied))
			if err == nil && tag.RowsAffected() != copied {
				err = fmt.Errorf("%d rows were copied", tag.RowsAffected())
			}
			return err
		}},
	}
	if postgres == "" || !strings.Contains(subjects[0].name, only) && !strings.Contains(subjects[1].name, only) {
		return nil
	}
	e, err := startEmulator(ctx, binary, []string{"--postgres", postgres})
	if err != nil {
		return err
	}
	defer e.stop()
	through, stop, err := e.proxy(ctx, binary, postgres)
	if err != nil {
		return err
	}
	defer stop()
	for _, s := range subjects {
		if !strings.Contains(s.name, only) {
			continue
		}
		var floor, samples []sample
		for range min(runs, 10) {
			for _, way := range []struct {
				place   string
				samples *[]sample
			}{{postgres, &floor}, {through, &samples}} {
				began := time.Now()
				if err := visit(ctx, way.place, s.do); err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				*way.samples = append(*way.samples, sample{wall: time.Since(began)})
			}
		}
		times := ratio(samples, floor)
		report(s.subject, "directly", "", floor)
		report(s.subject, binary, times, samples)
	}
	return nil
}

// visit opens a connection, does something, and closes it.
func visit(ctx context.Context, place string, do func(context.Context, *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, place)
	if err != nil {
		return err
	}
	if err := do(ctx, conn); err != nil {
		_ = conn.Close(ctx) // the first error counts
		return err
	}
	return conn.Close(ctx)
}

// proxy starts lakeql proxy over the emulator, and returns how to connect to it.
func (e *emulator) proxy(ctx context.Context, binary, postgres string) (place string, stop func(), err error) {
	server, err := pgx.ParseConfig(postgres)
	if err != nil {
		return "", nil, err
	}
	argv := []string{"proxy", "orders=0", "--log", "", "--endpoint-port", fmt.Sprint(server.Port)}
	if u, err := url.Parse(postgres); err == nil && u.Query().Get("sslrootcert") != "" {
		argv = append(argv, "--endpoint-ca", u.Query().Get("sslrootcert"))
	}
	cmd := exec.CommandContext(ctx, binary, argv...) //nolint:gosec // the command to measure is the caller's choice
	cmd.Env = e.env
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may be gone
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("start the proxy: %w", err)
	}
	place, _, _ = strings.Cut(line, " leads to ")
	return place + " user=bench sslmode=disable", stop, nil
}
