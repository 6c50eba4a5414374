package statement

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Edit is other text for a part of [Query.Text].
type Edit struct {
	Start, End int
	Text       string
}

// Edited is a query with edits, which knows where each part of its text comes from.
type Edited struct {
	Text string

	query *Query
	edits []Edit // in order
}

// Edit applies edits, which do not overlap.
func (q *Query) Edit(edits []Edit) Edited {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	return Edited{edited(q.Text, edits), q, edits}
}

// edited applies edits, which are in order.
func edited(text string, edits []Edit) string {
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(text[at:e.Start])
		b.WriteString(e.Text)
		at = e.End
	}
	b.WriteString(text[at:])
	return b.String()
}

// At finds the line and column in the source that an offset in the edited text comes from. For text of
// an edit it is where the edit begins.
func (e Edited) At(offset int) provider.Position { return e.query.At(e.source(offset)) }

// source returns the offset in the query's text.
func (e Edited) source(offset int) int {
	return unedited(e.edits, offset)
}

// unedited returns the offset before edits, which are in order, of an offset behind them. For text of an
// edit it is where the edit begins.
func unedited(edits []Edit, offset int) int {
	shift := 0 // of the edited text against the other
	for _, edit := range edits {
		start := edit.Start + shift
		if offset < start {
			break
		}
		if offset < start+len(edit.Text) {
			return edit.Start
		}
		shift += len(edit.Text) - (edit.End - edit.Start)
	}
	return offset - shift
}

// Quoted reports whether the text at an offset in the edited text was written between quotes.
func (e Edited) Quoted(offset int) bool {
	at := e.source(offset)
	return at < len(e.query.Text) && strings.IndexByte("'\"`", e.query.Text[at]) >= 0
}

// Find returns the place of the first word or quoted name that is name, in any case.
func (q *Query) Find(name string) (provider.Position, bool) {
	lex := newLexer(q.Text)
	scanner := &sqlScanner{lex: lex}
	for {
		t, err := scanner.next()
		if err != nil || t.typ == endOfText {
			return provider.Position{}, false
		}
		if t.typ == wordToken && strings.EqualFold(unquoteName(t.raw), name) {
			return q.At(t.start), true
		}
	}
}
