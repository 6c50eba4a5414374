package pgwire

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lakeql/lakeql/provider"
)

// portal is a statement with its values. It runs when its first row is asked for.
type portal struct {
	session   *session
	piece     piece
	args      []any
	argTypes  []uint32
	formats   []int16  // of the results
	described *header  // what Describe said of the statement before it ran; nil: nothing
	types     []uint32 // of the columns, once they are known

	rows    provider.Rows // nil before the start, and after the end
	columns []provider.Column
	first   []any // a row that was read ahead to see the types of its values
	next    func() (provider.Rows, error, bool)
	stop    func()
	began   time.Time
	sent    int64
	started bool
	failure error // what ended the statement; whoever reads on gets it again, and not the end of the rows
	tag     string

	declared bool  // by DECLARE: it is a cursor
	hold     bool  // a cursor that outlives its transaction
	position int64 // rows that FETCH read

	base context.Context // of the statement, which may outlive the message that started it
	end  context.CancelCauseFunc
}

// start runs the statement up to its first row.
func (p *portal) start(ctx context.Context) error {
	if p.started {
		return p.failure
	}
	p.failure = p.begin(ctx)
	return p.failure
}

func (p *portal) begin(ctx context.Context) error {
	p.started, p.began = true, time.Now()
	p.base, p.end = context.WithCancelCause(context.WithoutCancel(ctx))
	defer p.link(ctx)()
	if err := p.open(p.base); err != nil { //nolint:contextcheck // the statement may outlive this message; link ends it with it
		return errors.Join(err, p.finish())
	}
	p.columns = p.rows.Columns()
	if p.described != nil {
		if len(p.described.columns) != len(p.columns) {
			return errors.Join(faultf(stateUnsupported, "the columns of the statement changed since it was prepared"), p.finish())
		}
		p.columns, p.types = p.described.columns, p.described.types
		return nil
	}
	return p.settleTypes(ctx)
}

// link ends the statement with the message that it now works for. The function that it returns ends the link.
func (p *portal) link(ctx context.Context) func() {
	stop := context.AfterFunc(ctx, func() { p.end(context.Cause(ctx)) })
	return func() { stop() }
}

// open begins the statement, and gets its rows.
func (p *portal) open(ctx context.Context) error {
	s := p.session
	if rows, tag, ok, err := s.local(ctx, p.piece, p.args); ok || err != nil {
		p.rows, p.tag = rows, tag
		return err
	}
	if s.transaction == failed {
		return &fault{state: stateFailed, message: "a statement of this transaction failed; others are passed over until ROLLBACK"}
	}
	if s.tables.Answers(p.piece.text) {
		rows, err := s.tables.Query(ctx, p.piece.text, p.args)
		p.rows = rows
		return err
	}
	text := s.tables.Qualify(p.piece.text)
	if err := s.mayRun(p.piece, text); err != nil {
		return err
	}
	next, stop := iter.Pull2(s.runner.Run(ctx, text, p.args))
	rows, err, ok := next()
	if !ok || err != nil {
		stop()
		return err
	}
	p.rows, p.next, p.stop = rows, next, stop
	return nil
}

// settleTypes decides the types of the columns. What the statement does not show, the first value does.
func (p *portal) settleTypes(ctx context.Context) error {
	if part, ok := p.rows.(*fetched); ok {
		p.types = part.types() // one type for all parts of a cursor
		return nil
	}
	p.types = p.session.tables.Signature(p.piece.text).Types(p.columns)
	if !slices.Contains(p.types, 0) {
		return nil
	}
	row, err := p.rows.Next(ctx)
	if errors.Is(err, io.EOF) {
		p.types = orText(p.types)
		return p.finish()
	}
	if err != nil {
		return errors.Join(err, p.finish())
	}
	p.first = row
	for i, of := range p.types {
		if of == 0 {
			p.types[i] = valueType(row[i])
		}
	}
	return nil
}

// send sends up to most rows; 0 sends all. It reports whether there may be more.
func (p *portal) send(ctx context.Context, most uint32, each func([][]byte) error) (more bool, err error) {
	if err := p.start(ctx); err != nil {
		return false, err
	}
	defer p.link(ctx)()
	if len(p.columns) == 0 {
		ctx = context.WithoutCancel(ctx) // the statement took effect, and a cancel that comes now is too late
	}
	for n := uint32(0); most == 0 || n < most; n++ {
		row, err := p.row(ctx)
		if errors.Is(err, io.EOF) {
			return false, p.finish()
		}
		if err != nil {
			return false, errors.Join(err, p.finish())
		}
		encoded := make([][]byte, len(row))
		for i, value := range row {
			if encoded[i], err = p.session.encode(value, p.columns[i], p.types[i], formatOf(p.formats, i)); err != nil {
				return false, errors.Join(err, p.finish())
			}
		}
		if err := each(encoded); err != nil {
			return false, errors.Join(err, p.finish())
		}
		p.sent++
	}
	return true, nil
}

func (p *portal) row(ctx context.Context) ([]any, error) {
	if p.first != nil {
		row := p.first
		p.first = nil
		return row, nil
	}
	if p.rows == nil {
		return nil, io.EOF
	}
	row, err := p.rows.Next(ctx)
	if err != nil && !errors.Is(err, io.EOF) {
		p.failure = err
	}
	return row, err
}

// finish ends the statement, with what it has to say behind its rows.
func (p *portal) finish() error {
	var err error
	if p.rows != nil {
		err = p.rows.Close()
		p.rows = nil
	}
	if p.next != nil {
		for err == nil { // several statements cannot come here; the engine says its notes
			rows, failure, ok := p.next()
			if !ok {
				break
			}
			err = failure
			if rows != nil {
				err = errors.Join(err, rows.Close())
			}
		}
		p.stop()
		p.next = nil
	}
	if p.end != nil {
		p.end(nil)
	}
	return err
}

// close ends a statement whose rows nobody reads on.
func (p *portal) close() { _ = p.finish() }

// complete is the tag that ends the rows: SELECT 3.
func (p *portal) complete() pgproto3.BackendMessage {
	return &pgproto3.CommandComplete{CommandTag: []byte(p.commandTag())}
}

func (p *portal) commandTag() string {
	if p.tag != "" {
		return p.tag
	}
	count := func(n int64) string { return asText(n) }
	switch {
	case p.piece.is("INSERT") && len(p.columns) == 0:
		return "INSERT 0 " + count(p.session.runner.Affected())
	case (p.piece.is("UPDATE") || p.piece.is("DELETE")) && len(p.columns) == 0:
		return p.piece.word(0) + " " + count(p.session.runner.Affected())
	case len(p.columns) == 0:
		return p.piece.word(0)
	case p.piece.is("FETCH"):
		return "FETCH " + count(p.sent)
	}
	return "SELECT " + count(p.sent)
}

// textTypes are the types of parameters that nothing says more about.
func textTypes(n int) []uint32 {
	types := make([]uint32, n)
	for i := range types {
		types[i] = pgtype.TextOID
	}
	return types
}
