package pgwire

import (
	"context"

	"github.com/jackc/pgx/v5/pgproto3"
)

// flushEvery is how many bytes of rows are sent at once.
const flushEvery = 64 << 10

// simple runs the statements of a text one by one, up to the first error.
func (s *session) simple(ctx context.Context, text string) {
	defer s.ready()
	s.skip = false
	s.text = text
	pieces := split(text)
	if len(pieces) == 0 {
		s.backend.Send(&pgproto3.EmptyQueryResponse{})
		return
	}
	for _, piece := range pieces {
		p := &portal{session: s, piece: piece}
		if err := s.run(ctx, p); err != nil {
			s.fail(shift(err, piece.start))
			s.failTransaction()
			break
		}
	}
	if s.transaction == idle {
		s.dropPortals()
	}
}

// run runs a statement, and sends its header and all its rows.
func (s *session) run(ctx context.Context, p *portal) (err error) {
	ctx, end, err := s.running(ctx)
	if err != nil {
		return err
	}
	defer end()
	s.state = stateSuccess
	defer func() {
		if err != nil {
			s.state = response(err, "").Code
		}
		s.audit(p.piece.text, p.began, p.sent)
	}()
	defer recovered(&err)
	if ok, err := s.copyOut(ctx, p); ok {
		return err
	}
	if err := p.start(ctx); err != nil {
		return err
	}
	if len(p.columns) > 0 {
		s.backend.Send(describe(p.columns, p.types, nil))
	}
	if _, err := p.send(ctx, 0, s.dataRow()); err != nil {
		return err
	}
	s.backend.Send(p.complete())
	return nil
}

// dataRow sends rows, and flushes now and then.
func (s *session) dataRow() func([][]byte) error {
	waiting := 0
	return func(row [][]byte) error {
		s.backend.Send(&pgproto3.DataRow{Values: row})
		for _, value := range row {
			waiting += len(value) + 4
		}
		if waiting < flushEvery {
			return nil
		}
		waiting = 0
		return s.backend.Flush()
	}
}
