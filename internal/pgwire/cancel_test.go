package pgwire

import (
	"bufio"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// TestCancelComesFirst: a cancel that overtakes its statement stops it, and one of somebody else does not.
func TestCancelComesFirst(t *testing.T) {
	t.Parallel()
	server := New(Options{Catalogue: testworld.Catalogue(t)})
	server.patience = time.Hour
	client, conn := net.Pipe()
	defer func() { _ = client.Close() }()
	defer func() { _ = conn.Close() }()
	s := &session{server: server, conn: conn, reader: bufio.NewReader(conn)}
	if err := server.admit(s); err != nil {
		t.Fatal(err)
	}
	server.cancel(&pgproto3.CancelRequest{ProcessID: s.id, SecretKey: []byte("none")})
	server.cancel(&pgproto3.CancelRequest{ProcessID: s.id + 1, SecretKey: s.key})
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.cancel(&pgproto3.CancelRequest{ProcessID: s.id, SecretKey: s.key})
	}()
	ctx, end, err := s.running(t.Context())
	if err != nil { // it was canceled before it had a place
		<-done
		if !errors.Is(err, errCanceled) {
			t.Error(err)
		}
		return
	}
	defer end()
	<-ctx.Done()
	<-done
	if !errors.Is(context.Cause(ctx), errCanceled) {
		t.Error(context.Cause(ctx))
	}
}

// TestCancelComesLate: a statement without rows took effect before its cancel, so it does not fail.
func TestCancelComesLate(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := &portal{started: true, tag: "DECLARE CURSOR", rows: provider.NewRows(nil, nil)}
	p.base, p.end = context.WithCancelCause(ctx)
	cancel()
	if more, err := p.send(ctx, 0, nil); more || err != nil {
		t.Error(more, err)
	}
}
