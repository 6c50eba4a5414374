package pgwire

import (
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/pgwire/pgtext"
	"github.com/lakeql/lakeql/provider"
)

// declare makes a cursor: DECLARE name [BINARY] [INSENSITIVE] [[NO] SCROLL] CURSOR [WITH|WITHOUT HOLD] FOR query.
// Its rows are fetched forward only. A cursor is a portal, so clients may describe it by its name. One that is
// declared outside of a transaction stays open: there is no transaction that could end it.
func (s *session) declare(p piece, args []any) error {
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
			if old, taken := s.portals[name]; taken && old.declared && old.failure != nil {
				old.close() // PostgreSQL closes it with its transaction
			} else if taken {
				return faultf("42P03", "there is a cursor %s already", provider.Quote(name))
			}
			query[0].start += parts[i].Start + len(t.Text)
			if _, err := s.columnsOf(query[0], args); err != nil { // as PostgreSQL does; FETCH would have no position for it
				return shift(err, query[0].start)
			}
			s.portals[name] = &portal{session: s, piece: query[0], args: args, declared: true, hold: hold || s.transaction == idle}
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
	c, ok := s.portals[cursorName(last)]
	if !ok {
		return nil, &fault{state: stateNoCursor, message: "there is no cursor " + provider.Quote(cursorName(last)), at: last.Start + 1}
	}
	return c, nil
}

func (s *session) closeCursor(p piece) error {
	if p.is("CLOSE", "ALL") {
		s.dropCursors(false)
		return nil
	}
	c, err := s.cursorOf(p)
	if err != nil {
		return err
	}
	c.close()
	maps.DeleteFunc(s.portals, func(_ string, other *portal) bool { return other == c })
	return nil
}

// dropCursors closes the cursors, or only those that end with a transaction.
func (s *session) dropCursors(unheld bool) {
	for name, c := range s.portals {
		if c.declared && (!unheld || !c.hold) {
			c.close()
			delete(s.portals, name)
		}
	}
}

// fetch reads rows of a cursor, and moves over them without: FETCH|MOVE [direction] [FROM|IN] name. A cursor
// goes forward. To go back it begins again, which asks the API again.
func (s *session) fetch(ctx context.Context, p piece) (rows provider.Rows, tag string, err error) {
	c, err := s.cursorOf(p)
	if err != nil {
		return nil, "", err
	}
	d, err := readDirection(p, c.position)
	if err != nil {
		return nil, "", err
	}
	if d.again {
		c.rewind()
	}
	if err := c.start(ctx); err != nil {
		return nil, "", shift(err, c.piece.start)
	}
	part := &fetched{cursor: c, skip: d.skip, left: d.most, unlink: c.link(ctx)}
	if p.is("FETCH") {
		return part, "", nil
	}
	defer part.Close() //nolint:errcheck // it holds nothing that could fail
	moved := int64(0)
	for {
		_, err := part.Next(ctx)
		if errors.Is(err, io.EOF) {
			return provider.NewRows(nil, nil), "MOVE " + asText(moved+d.back), nil
		}
		if err != nil {
			return nil, "", err
		}
		moved++
	}
}

// direction says which rows FETCH reads.
type direction struct {
	again bool  // from the first one
	skip  int64 // rows before them
	most  int64
	back  int64 // rows that MOVE goes back
}

// readDirection reads the direction of FETCH and MOVE, for a cursor that has returned some rows.
func readDirection(p piece, position int64) (direction, error) {
	var words []string
	for _, w := range p.words[1:] {
		if w == "FROM" || w == "IN" {
			break
		}
		words = append(words, w)
	}
	if len(words) == len(p.words)-1 {
		words = words[:len(words)-1] // the cursor's name
	}
	refused := &fault{
		state: "55000", message: p.word(0) + " " + strings.Join(words, " ") + ": a cursor goes forward only",
		hint: "FETCH n, FETCH ALL, FETCH FORWARD n; FETCH FIRST, FETCH ABSOLUTE n, and MOVE BACKWARD ALL begin again",
	}
	if len(words) == 0 {
		return direction{most: 1}, nil
	}
	number, all := int64(1), false
	switch last := words[len(words)-1]; {
	case last == "ALL":
		number, all = math.MaxInt64, true
	case len(words) > 1 || last[0] >= '0' && last[0] <= '9':
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || slices.Contains(words, "-") {
			return direction{}, refused
		}
		number = n
	}
	nothing := number == 0 && p.is("FETCH") // it would be the row before
	switch words[0] {
	case "FIRST":
		return direction{again: position > 0, most: 1}, nil
	case "ABSOLUTE":
		d := direction{again: number <= position, skip: max(number-1, 0), most: min(number, 1)}
		if !d.again {
			d.skip -= position
		}
		return d, nil
	case "BACKWARD":
		if p.is("MOVE") && all {
			return direction{again: position > 0, back: position}, nil
		}
		return direction{}, refused
	case "RELATIVE":
		if all || number == 0 {
			return direction{}, refused
		}
		return direction{skip: number - 1, most: 1}, nil
	case "NEXT", "ALL", "FORWARD":
	default:
		if len(words) > 1 {
			return direction{}, refused
		}
		if n := words[0]; n[0] < '0' || n[0] > '9' {
			return direction{}, refused
		}
	}
	if nothing {
		return direction{}, refused
	}
	return direction{most: number}, nil
}

// rewind makes a cursor begin again.
func (p *portal) rewind() {
	p.close()
	*p = portal{session: p.session, piece: p.piece, args: p.args, declared: p.declared, hold: p.hold}
}

// fetched are the next rows of a cursor.
type fetched struct {
	cursor *portal
	skip   int64
	left   int64
	unlink func() // the cursor outlives the statement that reads on
}

// Columns returns the cursor's, which are known once it has started.
func (f *fetched) Columns() []provider.Column { return f.cursor.columns }

// types returns the types of the columns.
func (f *fetched) types() []uint32 { return slices.Clone(f.cursor.types) }

// Next returns the next row.
func (f *fetched) Next(ctx context.Context) ([]any, error) {
	for f.left > 0 {
		row, err := f.cursor.row(ctx)
		if errors.Is(err, io.EOF) {
			f.left = 0
			return nil, errors.Join(f.cursor.finish(), io.EOF)
		}
		if err != nil {
			return nil, err
		}
		f.cursor.position++
		if f.skip > 0 {
			f.skip--
			continue
		}
		f.left--
		return row, nil
	}
	return nil, io.EOF
}

// Close leaves the cursor where it is.
func (f *fetched) Close() error {
	f.unlink()
	return nil
}
