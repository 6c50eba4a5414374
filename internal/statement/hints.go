package statement

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// hint is a word of a hint comment: /*+ AWAIT */.
type hint struct {
	word  string // upper case
	start int    // in the source
}

// ownHints are the hints that mean something to lakeql or StackQL.
func ownHints() []string { return []string{"SHOWRESULTS", "AWAIT", "REQUIRED"} }

// anchors are the words with which stackql-deploy heads the statements of a file. They say when it runs
// a statement, and nothing to the engine.
func anchors() []string {
	return []string{"EXISTS", "CREATE", "CREATEORUPDATE", "UPDATE", "STATECHECK", "EXPORTS", "DELETE", "COMMAND"}
}

// hintsOf returns the words of a hint comment that starts at an offset in the source. The options of an
// anchor (retries=5) are not hints.
func hintsOf(comment string, start int) []hint {
	text, ok := strings.CutPrefix(comment, "+")
	if !ok {
		return nil
	}
	start++
	var hints []hint
	anchored := false
	for part := range strings.SplitSeq(text, ",") {
		at := start
		start += len(part) + 1
		if strings.Contains(part, "=") && anchored {
			continue
		}
		for rest := part; ; {
			rest = strings.TrimLeft(rest, " \t\r\n\f")
			if rest == "" {
				break
			}
			word, after, _ := strings.Cut(rest, " ")
			if i := strings.IndexAny(word, "\t\r\n\f"); i >= 0 {
				word, after = rest[:i], rest[i:]
			}
			if !anchored || !strings.Contains(word, "=") {
				hints = append(hints, hint{strings.ToUpper(word), at + len(part) - len(rest)})
			}
			anchored = anchored || slices.Contains(anchors(), strings.ToUpper(word))
			rest = after
		}
	}
	return hints
}

// words returns the words of hints, in order. An unknown word is an error, because its effect would be
// missing without a message.
func (l *lexer) words(hints []hint) ([]string, error) {
	known := append(ownHints(), anchors()...)
	var words []string
	for _, h := range hints {
		if slices.Contains(known, h.word) {
			words = append(words, h.word)
			continue
		}
		nearest := ""
		if near := provider.Nearest(known, h.word, 1); len(near) > 0 {
			nearest = "did you mean " + near[0] + "? "
		}
		return nil, provider.Usagef("unknown hint %s", provider.Quote(h.word)).
			At(provider.PositionAt(l.text, h.start)).
			Hintf("%sknown are %s, and stackql-deploy's %s", nearest, strings.Join(ownHints(), ", "), strings.ToLower(strings.Join(anchors(), ", ")))
	}
	return words, nil
}
