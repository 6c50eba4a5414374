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
	runner  Runner
	earlier string    // lines before the one that is edited
	last    time.Time // when that one, or its last Tab, began
}

// pasteGap is the time after a prompt in which nobody can press Tab. An earlier Tab was pasted, such as
// the indentation of a statement, or typed ahead: it is white space.
const pasteGap = 50 * time.Millisecond

// begin marks the beginning of a line.
func (c *completer) begin(earlier string) { c.earlier, c.last = earlier, time.Now() }

// complete returns the candidates between head and tail of the line. liner calls it at a Tab. The cursor
// counts characters.
func (c *completer) complete(line string, cursor int) (head string, candidates []string, tail string) {
	runes := []rune(line)
	before, tail := string(runes[:cursor]), string(runes[cursor:])
	start := wordStart(before)
	head, word := before[:start], before[start:]

	pasted := time.Since(c.last) < pasteGap
	c.last = time.Now()
	if !pasted {
		candidates = c.candidates(before, word, tail)
	}
	if len(candidates) == 0 {
		// liner has no way to insert the Tab itself.
		return head, []string{word + " "}, tail
	}
	return head, candidates, tail
}

// most is the number of candidates above which liner asks whether to show them, and takes the next
// key for the answer.
const most = 100

func (c *completer) candidates(before, word, after string) []string {
	var found []string
	for _, suggestion := range c.suggestions(before, after) {
		// Unprintable characters would disturb the terminal, and nobody can have typed them.
		if hasPrefixFold(suggestion, word) && provider.Printable(suggestion) == suggestion {
			found = append(found, suggestion)
		}
	}
	switch {
	case len(found) == 1 && found[0] == word:
		return nil
	case len(found) > most:
		// With the word itself among them liner inserts nothing.
		return append(found[:most-1], word)
	case len(found) > 1:
		// liner inserts the common prefix of all candidates. The prefix must not replace typed
		// characters, which happens if the candidates differ in case.
		for i, candidate := range found {
			found[i] = word + candidate[len(word):]
		}
	}
	return found
}

func (c *completer) suggestions(before, after string) []string {
	if name, args, ok := strings.Cut(strings.TrimLeft(before, " "), " "); ok && c.earlier == "" && !strings.Contains(strings.TrimLeft(args, " "), " ") {
		switch name {
		case `\o`, `\pset`, ".mode":
			return render.FormatNames()
		case `\x`:
			return []string{"on", "off", "auto"}
		}
	}
	text := c.earlier + unfold(before)
	return c.runner.Suggest(text+unfold(after), len(text))
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
