package pgwire

import (
	"context"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/pgwire/pgtext"
	"github.com/lakeql/lakeql/provider"
)

// declare makes a cursor: DECLARE name [BINARY] [INSENSITIVE] [[NO] SCROLL] CURSOR [WITH|WITHOUT HOLD] FOR query.
// Its rows are fetched forward only.
func (s *session) declare(p piece) error {
	var name string
	hold := false
	parts := pgtext.Tokens(p.text)
	var seen []string
	for i, t := range parts {
		if t.Kind == pgtext.Blank {
			continue
		}
		upper := strings.ToUpper(t.Text)
		seen = append(seen, upper)
		switch {
		case len(seen) == 2:
			name = cursorName(t)
		case upper == "BINARY":
			return &fault{state: stateUnsupported, message: "binary cursors are not served", at: t.Start + 1}
		case upper == "HOLD":
			hold = seen[len(seen)-2] == "WITH"
		case upper == "FOR":
			query := split(p.text[parts[i].Start+len(t.Text):])
			if len(query) != 1 || !reads(query[0]) {
				return &fault{state: stateSyntax, message: "a cursor is for one query", at: t.Start + 1}
			}
			if _, taken := s.cursors[name]; taken {
				return faultf("42P03", "there is a cursor %s already", provider.Quote(name))
			}
			query[0].start += parts[i].Start + len(t.Text)
			s.cursors[name] = &portal{session: s, piece: query[0], hold: hold}
			return nil
		}
	}
	return &fault{state: stateSyntax, message: "a cursor needs FOR and a query"}
}

// cursorName is a name as SQL compares it.
func cursorName(t pgtext.Token) string {
	if t.Kind == pgtext.Quoted {
		return pgtext.Unquote(t.Text)
	}
	return strings.ToLower(t.Text)
}

// cursorOf finds the cursor that FETCH, MOVE or CLOSE names, which is the last word.
func (s *session) cursorOf(p piece) (*portal, error) {
	var last pgtext.Token
	for _, t := range pgtext.Tokens(p.text) {
		if t.Kind == pgtext.Word || t.Kind == pgtext.Quoted {
			last = t
		}
	}
	c, ok := s.cursors[cursorName(last)]
	if !ok {
		return nil, &fault{state: stateNoCursor, message: "there is no cursor " + provider.Quote(cursorName(last)), at: last.Start + 1}
	}
	return c, nil
}

func (s *session) closeCursor(p piece) error {
	if p.is("CLOSE", "ALL") {
		for name, c := range s.cursors {
			c.close()
			delete(s.cursors, name)
		}
		return nil
	}
	c, err := s.cursorOf(p)
	if err != nil {
		return err
	}
	c.close()
	for name, other := range s.cursors {
		if other == c {
			delete(s.cursors, name)
		}
	}
	return nil
}

// fetch reads rows of a cursor: FETCH [NEXT|ALL|FORWARD|FORWARD n|FORWARD ALL|n] [FROM|IN] name.
func (s *session) fetch(ctx context.Context, p piece) (provider.Rows, error) {
	c, err := s.cursorOf(p)
	if err != nil {
		return nil, err
	}
	most := int64(1)
	for _, w := range p.words[1:] {
		switch w {
		case "ALL":
			most = math.MaxInt64
		case "BACKWARD", "PRIOR", "FIRST", "LAST", "ABSOLUTE", "RELATIVE":
			return nil, &fault{state: "55000", message: "a cursor goes forward only", hint: "FETCH n, FETCH ALL, or FETCH FORWARD n"}
		default:
			if n, err := strconv.ParseInt(w, 10, 64); err == nil {
				most = n
			}
		}
	}
	if err := c.start(ctx); err != nil {
		return nil, shift(err, c.piece.start)
	}
	return &fetched{cursor: c, left: most, silent: p.is("MOVE")}, nil
}

// fetched are the next rows of a cursor.
type fetched struct {
	cursor *portal
	left   int64
	silent bool // MOVE: they are counted only
}

// Columns returns the cursor's, which are known once it has started.
func (f *fetched) Columns() []provider.Column {
	if f.silent {
		return nil
	}
	return f.cursor.columns
}

// Next returns the next row.
func (f *fetched) Next(ctx context.Context) ([]any, error) {
	if f.left <= 0 {
		return nil, io.EOF
	}
	f.left--
	row, err := f.cursor.row(ctx)
	if errors.Is(err, io.EOF) {
		f.left = 0
		return nil, errors.Join(f.cursor.finish(), io.EOF)
	}
	return row, err
}

// Close leaves the cursor where it is.
func (*fetched) Close() error { return nil }
