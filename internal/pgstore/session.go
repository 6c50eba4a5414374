package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lakeql/lakeql/internal/localstore"
	"github.com/lakeql/lakeql/internal/vtab"
)

// session is the transaction of one program. All scans of the program see the snapshot of its beginning.
type session struct {
	store   *Store
	conn    *pgxpool.Conn
	tx      pgx.Tx
	writes  bool
	cursors int
	batch   pgx.Batch // changes that were not sent yet
}

// sessionOf returns the session of a program; nil if it has none yet.
func (s *Store) sessionOf(p *vtab.Program) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[p]
}

// session begins the transaction of a program, or returns the one that has begun.
func (s *Store) session(ctx context.Context, p *vtab.Program, writes bool) (*session, error) {
	if there := s.sessionOf(p); there != nil {
		return there, nil
	}
	conn, err := s.acquire(ctx)
	if err != nil {
		return nil, err
	}
	made := &session{store: s, conn: conn, writes: writes}
	mode := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	if writes {
		mode.AccessMode = pgx.ReadWrite
	}
	if made.tx, err = conn.BeginTx(ctx, mode); err != nil {
		conn.Release()
		return nil, s.fault(err)
	}
	after := context.WithoutCancel(ctx)
	// The calls of a statement may take long, between two rows that it reads.
	if _, err := made.tx.Exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
		made.end(after)
		return nil, s.fault(err)
	}
	s.mu.Lock()
	s.sessions[p] = made
	s.mu.Unlock()
	p.OnClose(func() error {
		s.mu.Lock()
		delete(s.sessions, p)
		s.mu.Unlock()
		made.end(after)
		return nil
	})
	return made, nil
}

// endPatience is how long the end of a transaction may take.
const endPatience = 5 * time.Second

// end takes the transaction back, unless it was committed, and frees the connection.
func (s *session) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	_ = s.tx.Rollback(ctx) // the pool closes a connection whose transaction has not ended
	s.conn.Release()
}

// Begin implements [localstore.Backend].
func (s *Store) Begin(ctx context.Context, p *vtab.Program) (localstore.Transaction, error) {
	return s.session(ctx, p, true)
}

// Commit implements [localstore.Transaction].
func (s *session) Commit() error {
	ctx, cancel := context.WithTimeout(context.Background(), planPatience)
	defer cancel()
	if err := s.flush(ctx); err != nil {
		return err
	}
	return s.store.committed(s.tx.Commit(ctx))
}

// Rollback implements [localstore.Transaction].
func (s *session) Rollback() error {
	ctx, cancel := context.WithTimeout(context.Background(), endPatience)
	defer cancel()
	if err := s.tx.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) && !s.conn.Conn().IsClosed() {
		return s.store.fault(err)
	}
	return nil
}
