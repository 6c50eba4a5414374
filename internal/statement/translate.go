package statement

import (
	"errors"

	"github.com/lakeql/lakeql/internal/dialect"
	"github.com/lakeql/lakeql/provider"
)

// origin is where a translated text comes from.
type origin struct {
	source    string // the whole text, as written
	start     int    // of what was translated
	completed []Edit // which complete short names
	written   string // with those edits, and blanks in place of markers
	edits     []Edit // of written
}

// position finds the place in the source of an offset in a text that was made of it; without an origin,
// of an offset in the text itself.
func (o *origin) position(text string, offset int) provider.Position {
	if o == nil {
		return provider.PositionAt(text, offset)
	}
	return provider.PositionAt(o.source, o.start+unedited(o.completed, unedited(o.edits, offset)))
}

// translate puts SQLite's spelling in place of PostgreSQL's, in a statement that may hold a query. All
// that reads the statement from here on sees one dialect.
func (s *sqlParser) translate() error {
	if parse := s.tokens[0]; parse.is("SET") || parse.is("USE") || parse.is("PURGE") || parse.is("NATIVEQUERY") || parse.is("SLEEP") {
		return nil
	}
	start := s.tokens[0].start
	tokens := make([]dialect.Token, s.last())
	for i, t := range s.tokens[:s.last()] {
		tokens[i] = dialect.Token{Type: t.typ, Raw: t.raw, Start: t.start - start}
	}
	translation, err := dialect.Translate(s.text, tokens)
	if fault, ok := errors.AsType[*dialect.Fault](err); ok {
		return provider.Usagef("%s", fault.Message).At(s.places.position(start+fault.Offset)).Hintf("%s", fault.Hint)
	} else if err != nil || len(translation) == 0 {
		return err
	}
	edits := make([]Edit, len(translation))
	for i, e := range translation {
		edits[i] = Edit(e)
	}
	if s.origin == nil {
		s.origin = &origin{source: s.source, start: start, written: s.text}
	}
	s.origin.edits = edits
	return s.read(edited(s.text, edits))
}

// read reads a text that was made of the statement.
func (s *sqlParser) read(text string) error {
	s.text, s.source = text, text
	s.places = locator{text: s.text, origin: s.origin}
	lex := newLexer(s.text)
	scanner := &sqlScanner{lex: lex}
	s.tokens = s.tokens[:0]
	for {
		t, err := scanner.next()
		if err != nil {
			return provider.Internalf("translate a statement").Because(err)
		}
		s.tokens = append(s.tokens, t)
		if t.ends() {
			return nil
		}
	}
}
