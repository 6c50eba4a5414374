package pgwire

import (
	"strings"

	"github.com/lakeql/lakeql/internal/pgwire/pgtext"
)

// piece is one statement of a text.
type piece struct {
	text  string
	start int      // offset in the text that it comes from
	words []string // its first words, in upper case, without comments
}

// word returns one of the first words; empty if there are not so many.
func (p piece) word(n int) string {
	if n < len(p.words) {
		return p.words[n]
	}
	return ""
}

// is reports whether the statement begins with the words.
func (p piece) is(words ...string) bool {
	for i, w := range words {
		if p.word(i) != w {
			return false
		}
	}
	return true
}

// firstWords is how many words of a statement are looked at to tell who answers it.
const firstWords = 8

// split finds the statements of a text, at semicolons outside of strings, names and comments.
func split(text string) []piece {
	var pieces []piece
	start := 0
	var words []string
	add := func(end int) {
		if len(words) > 0 {
			pieces = append(pieces, piece{text: text[start:end], start: start, words: words})
		}
		start, words = end+1, nil
	}
	for _, t := range pgtext.Tokens(text) {
		switch {
		case t.Kind == pgtext.Blank:
		case t.Text == ";":
			add(t.Start)
		default:
			if len(words) < firstWords {
				words = append(words, strings.ToUpper(t.Text))
			}
		}
	}
	add(len(text))
	return pieces
}

// placeholders counts the parameters of a statement: the highest $n.
func placeholders(text string) int {
	highest := 0
	for _, t := range pgtext.Tokens(text) {
		if t.Kind != pgtext.Placeholder {
			continue
		}
		highest = max(highest, pgtext.Number(t.Text[1:]))
	}
	return highest
}
