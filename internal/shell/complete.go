package shell

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

// completer answers the Tab key.
type completer struct {
	runner Runner
	last   time.Time // when the line, or its last Tab, began
}

// pasteGap is the time after a line's beginning in which nobody can press Tab. An earlier Tab was pasted,
// such as the indentation of a statement, or typed ahead: it is white space.
const pasteGap = 50 * time.Millisecond

// begin marks the beginning of a line.
func (c *completer) begin() { c.last = time.Now() }

// isPasted reports whether a Tab is a part of pasted text: more keys wait behind it, or it comes too early.
// Terminals that put brackets around pasted text do not need it.
func (c *completer) isPasted(more bool) bool {
	early := time.Since(c.last) < pasteGap
	c.last = time.Now()
	return more || early
}

// complete returns the word before the cursor and its candidates.
func (c *completer) complete(before, after string) (word string, candidates []string) {
	word = before[wordStart(before):]
	for _, suggestion := range c.suggestions(before, after) {
		// Unprintable characters would disturb the terminal, and nobody can have typed them.
		if hasPrefixFold(suggestion, word) && provider.Printable(suggestion) == suggestion {
			candidates = append(candidates, suggestion)
		}
	}
	return word, candidates
}

// extension returns what all candidates begin with, if the word begins so too.
func extension(word string, candidates []string) string {
	if len(candidates) == 0 {
		return word
	}
	common := candidates[0]
	for _, candidate := range candidates[1:] {
		for !strings.HasPrefix(candidate, common) {
			_, size := utf8.DecodeLastRuneInString(common)
			common = common[:len(common)-size]
		}
	}
	if len(common) <= len(word) { // shorter if the candidates differ in case
		return word
	}
	return common
}

func (c *completer) suggestions(before, after string) []string {
	line := before[strings.LastIndexByte(before, '\n')+1:]
	_, above := split(c.runner, before[:len(before)-len(line)])
	if name, args, ok := strings.Cut(strings.TrimLeft(line, " "), " "); ok && above == "" && !strings.Contains(strings.TrimLeft(args, " "), " ") {
		switch name {
		case `\o`, `\pset`, ".mode":
			return render.FormatNames()
		case `\x`:
			return []string{"on", "off", "auto"}
		}
	}
	text := above + line
	return c.runner.Suggest(text+after, len(text))
}

// wordStart finds where the word at the end of text begins.
func wordStart(text string) int {
	start := len(text)
	for start > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:start])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_$@", r) {
			break
		}
		start -= size
	}
	return start
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
