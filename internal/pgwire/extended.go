package pgwire

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lakeql/lakeql/provider"
)

// prepared is a statement with places for values.
type prepared struct {
	text   string // of the message; positions count in it
	piece  piece  // no words: it is empty
	types  []uint32
	header *header // of its rows, once Describe has looked at it
}

// header is the columns of a statement's rows, with the oids of their types.
type header struct {
	columns []provider.Column
	types   []uint32
}

// orText takes text for the types that nothing shows.
func orText(types []uint32) []uint32 {
	for i, of := range types {
		if of == 0 {
			types[i] = pgtype.TextOID
		}
	}
	return types
}

// mostParameters is how many parameters a statement has at most; the protocol counts in 16 bits.
const mostParameters = 1<<16 - 1

func (s *session) parse(m *pgproto3.Parse) error {
	s.text = m.Query
	pieces := split(m.Query)
	if len(pieces) > 1 {
		return &fault{state: stateSyntax, message: "a prepared statement is one statement", at: pieces[1].start + 1}
	}
	count := max(placeholders(m.Query), len(m.ParameterOIDs))
	if count > mostParameters {
		return faultf("54000", "a statement has at most %d parameters", mostParameters)
	}
	p := &prepared{text: m.Query, types: textTypes(count)}
	if len(pieces) == 1 {
		p.piece = pieces[0]
	}
	for n, oid := range s.tables.Signature(m.Query).Parameters {
		if n >= 1 && n <= count {
			p.types[n-1] = oid
		}
	}
	for i, oid := range m.ParameterOIDs {
		if oid != 0 {
			p.types[i] = oid
		}
	}
	if _, taken := s.statements[m.Name]; taken && m.Name != "" {
		return faultf("42P05", "there is a prepared statement %s already", provider.Quote(m.Name))
	}
	s.statements[m.Name] = p
	s.backend.Send(&pgproto3.ParseComplete{})
	return nil
}

func (s *session) statement(name string) (*prepared, error) {
	p, ok := s.statements[name]
	if !ok {
		return nil, faultf(stateNoStatement, "there is no prepared statement %s", provider.Quote(name))
	}
	s.text = p.text
	return p, nil
}

func (s *session) bind(m *pgproto3.Bind) error {
	st, err := s.statement(m.PreparedStatement)
	if err != nil {
		return err
	}
	if len(m.Parameters) != len(st.types) {
		return faultf(stateProtocol, "%d values for %d parameters", len(m.Parameters), len(st.types))
	}
	p := &portal{session: s, piece: st.piece, formats: slices.Clone(m.ResultFormatCodes)}
	p.described = st.header
	for _, f := range p.formats {
		if f != textFormat && f != binaryFormat {
			return faultf(stateProtocol, "there is no format %d", f)
		}
	}
	p.argTypes = st.types
	for i, data := range m.Parameters {
		value, err := s.decode(data, st.types[i], formatOf(m.ParameterFormatCodes, i))
		if err != nil {
			return err
		}
		p.args = append(p.args, value)
	}
	if _, taken := s.portals[m.DestinationPortal]; taken && m.DestinationPortal != "" {
		return faultf("42P03", "there is a portal %s already", provider.Quote(m.DestinationPortal))
	}
	if old := s.portals[m.DestinationPortal]; old != nil {
		old.close()
	}
	s.portals[m.DestinationPortal] = p
	s.backend.Send(&pgproto3.BindComplete{})
	return nil
}

// The two kinds of object that Describe and Close name.
const (
	objectStatement = 'S'
	objectPortal    = 'P'
)

func (s *session) describe(ctx context.Context, m *pgproto3.Describe) error {
	if m.ObjectType == objectPortal {
		p, ok := s.portals[m.Name]
		if !ok {
			return faultf(stateNoCursor, "there is no portal %s", provider.Quote(m.Name))
		}
		return s.describePortal(ctx, p)
	}
	st, err := s.statement(m.Name)
	if err != nil {
		return err
	}
	if err := s.look(st); err != nil {
		return shift(err, st.piece.start)
	}
	s.backend.Send(&pgproto3.ParameterDescription{ParameterOIDs: st.types})
	s.sendHeader(st.header, nil)
	return nil
}

// look finds the columns of a prepared statement. It makes no call.
func (s *session) look(st *prepared) (err error) {
	defer recovered(&err)
	if st.header != nil || len(st.piece.words) == 0 {
		return nil
	}
	st.header, err = s.headerOf(st.piece, st.types)
	return err
}

// headerOf describes the rows of a statement without running it, with their types.
func (s *session) headerOf(p piece, parameters []uint32) (*header, error) {
	if p.is("FETCH") {
		cursor, err := s.cursorOf(p)
		if err != nil {
			return nil, err
		}
		return s.headerOf(cursor.piece, nil)
	}
	columns, err := s.columnsOf(p, samples(parameters))
	if err != nil {
		return nil, err
	}
	return &header{columns, orText(s.tables.Signature(p.text).Types(columns))}, nil
}

// columnsOf describes the rows of a statement without running it.
func (s *session) columnsOf(p piece, values []any) ([]provider.Column, error) {
	if columns, ok := s.localColumns(p); ok {
		return columns, nil
	}
	if s.tables.Answers(p.text) {
		return s.tables.Columns(p.text)
	}
	return s.runner.Describe(s.tables.Qualify(p.text), values)
}

// samples are values of types, for a statement that is described before it has its values.
func samples(types []uint32) []any {
	values := make([]any, len(types))
	for i, oid := range types {
		values[i] = sample(oid)
	}
	return values
}

func sample(oid uint32) any {
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID:
		return int64(0)
	case pgtype.BoolOID:
		return false
	case pgtype.JSONOID, pgtype.JSONBOID:
		return "{}"
	}
	return ""
}

// sendHeader sends the header of rows, or says that there are none.
func (s *session) sendHeader(h *header, formats []int16) {
	if h == nil || len(h.columns) == 0 {
		s.backend.Send(&pgproto3.NoData{})
		return
	}
	s.backend.Send(describe(h.columns, h.types, formats))
}

// describePortal describes the rows of a portal. A query begins here, because the type of an expression is the
// type of its value; what changes something does not.
func (s *session) describePortal(ctx context.Context, p *portal) error {
	switch {
	case len(p.piece.words) == 0:
		s.backend.Send(&pgproto3.NoData{})
		return nil
	case p.described != nil:
		s.sendHeader(p.described, p.formats)
		return nil
	case !reads(p.piece) && !p.piece.is("FETCH"):
		h, err := s.headerOf(p.piece, p.argTypes)
		if err != nil {
			return shift(err, p.piece.start)
		}
		p.described = h
		s.sendHeader(h, p.formats)
		return nil
	}
	err := s.within(ctx, p, func(ctx context.Context) error { return p.start(ctx) })
	if err != nil {
		return err
	}
	if len(p.columns) == 0 {
		s.backend.Send(&pgproto3.NoData{})
		return nil
	}
	s.backend.Send(describe(p.columns, p.types, p.formats))
	return nil
}

// reads reports whether a statement is a query.
func reads(p piece) bool {
	return p.is("SELECT") || p.is("WITH") || p.is("VALUES") || p.is("TABLE") || p.is("(")
}

// within runs a part of a portal's statement.
func (s *session) within(ctx context.Context, p *portal, part func(context.Context) error) (err error) {
	ctx, end, err := s.running(ctx)
	if err != nil {
		return err
	}
	defer end()
	defer recovered(&err)
	return shift(part(ctx), p.piece.start)
}

func (s *session) execute(ctx context.Context, m *pgproto3.Execute) error {
	p, ok := s.portals[m.Portal]
	if !ok {
		return faultf(stateNoCursor, "there is no portal %s", provider.Quote(m.Portal))
	}
	if len(p.piece.words) == 0 {
		s.backend.Send(&pgproto3.EmptyQueryResponse{})
		return nil
	}
	s.state = stateSuccess
	more := false
	err := s.within(ctx, p, func(ctx context.Context) (err error) {
		if ok, err := s.copyOut(ctx, p); ok {
			return err
		}
		more, err = p.send(ctx, m.MaxRows, s.dataRow())
		if err == nil && !more {
			s.backend.Send(p.complete())
		}
		return err
	})
	if err != nil {
		s.state = response(err, "").Code
	}
	if !more {
		s.audit(p.piece.text, p.began, p.sent)
	}
	if more {
		s.backend.Send(&pgproto3.PortalSuspended{})
	}
	return err
}

func (s *session) closeObject(m *pgproto3.Close) {
	if m.ObjectType == objectStatement {
		delete(s.statements, m.Name)
	} else if p, ok := s.portals[m.Name]; ok {
		p.close()
		delete(s.portals, m.Name)
	}
	s.backend.Send(&pgproto3.CloseComplete{})
}

// shift moves the position of an error from a statement to the text that it is in.
func shift(err error, start int) error {
	if err == nil || start == 0 {
		return err
	}
	if e, ok := errors.AsType[*provider.Error](err); ok && e.Position.Line > 0 {
		moved := *e
		moved.Position.Offset += start
		return &moved
	}
	return err
}
