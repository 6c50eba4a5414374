package shell

import "strings"

// direction is the way through the history.
type direction int

const (
	older direction = -1
	newer direction = 1
)

// search is an incremental search in the history. The text shows the entry that was found.
type search struct {
	words  string // what is sought
	at     int    // the place of the entry; the length of the history at first
	missed bool   // no further entry has the words
	line   []rune // the text before the search
	cursor int
}

func (s *search) prompt() string {
	if s.missed {
		return "no match for " + s.words + ": "
	}
	return "search " + s.words + ": "
}

// startSearch begins a search.
func (e *editor) startSearch(direction) {
	e.shell.History.Save()
	e.search = &search{
		at:     e.history.Len(),
		line:   append([]rune(nil), *e.shell.Line()...),
		cursor: e.shell.Cursor().Pos(),
	}
}

// searching carries out a command in a search. It reports false for one that ends the search and is then
// to be carried out on the entry that was found.
func (e *editor) searching(name string) bool {
	s := e.search
	switch {
	case strings.Contains(name, "reverse-search-history"):
		e.find(s.at-1, older)
	case strings.Contains(name, "forward-search-history"):
		e.find(s.at+1, newer)
	case name == "self-insert":
		s.words += printable(string(e.shell.Keys.Caller()))
		e.find(s.at, older)
	case name == "backward-delete-char":
		words := []rune(s.words)
		s.words = string(words[:boundary(words, len(words), false)])
		e.find(e.history.Len()-1, older)
	case name == "abort":
		e.shell.Line().Set(s.line...)
		e.shell.Cursor().Set(s.cursor)
		e.search = nil
	default:
		e.search = nil
		return false
	}
	return true
}

// find shows the next entry that has the words of the search. Capital letters count if there are any.
func (e *editor) find(from int, way direction) {
	s := e.search
	if s.words == "" {
		return
	}
	fold := strings.ToLower
	if s.words != strings.ToLower(s.words) {
		fold = func(text string) string { return text }
	}
	shown := string(*e.shell.Line())
	for i := from; i >= 0 && i <= e.history.Len(); i += int(way) {
		text, err := e.history.GetLine(i)
		if err != nil || i != s.at && text == shown {
			continue
		}
		if place := strings.Index(fold(text), fold(s.words)); place >= 0 {
			s.at, s.missed = i, false
			e.shell.Line().Set([]rune(text)...)
			e.shell.Cursor().Set(len([]rune(fold(text)[:place])))
			return
		}
	}
	s.missed = true
}
