package complete

import (
	"strings"

	"github.com/lakeql/lakeql/internal/dialect"
)

// word is a token of a text that may be faulty or end anywhere.
type word struct {
	raw     string
	touches bool // nothing is between it and the end of the text
	closed  bool // false for a text or comment that does not end
}

func (w word) is(keyword string) bool { return strings.EqualFold(w.raw, keyword) }

// isWord reports whether it is a name or keyword.
func (w word) isWord() bool {
	if w.raw == "" {
		return false
	}
	c := w.raw[0]
	return c == '"' || c == '`' || c == '_' || c == '@' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// name returns it without quotes.
func (w word) name() string {
	if len(w.raw) > 1 && (w.raw[0] == '"' || w.raw[0] == '`') {
		return w.raw[1 : len(w.raw)-1]
	}
	return w.raw
}

// scan splits a text into words. It leaves out comments and blanks.
func scan(text string) []word {
	var all []word
	for {
		trimmed := strings.TrimLeft(text, " \t\r\n\f")
		if trimmed == "" {
			if trimmed != text && len(all) > 0 {
				all[len(all)-1].touches = false
			}
			return all
		}
		if len(all) > 0 {
			all[len(all)-1].touches = false
		}
		length := 0
		switch {
		case strings.HasPrefix(trimmed, "--"):
			length = strings.IndexByte(trimmed, '\n')
		case strings.HasPrefix(trimmed, "/*"):
			if length = strings.Index(trimmed[2:], "*/"); length >= 0 {
				length += 4
			}
		default:
			_, size := dialect.Scan(trimmed)
			for size > 0 && strings.HasPrefix(trimmed, "@") && size < len(trimmed) && isLetter(trimmed[size]) {
				_, next := dialect.Scan(trimmed[size:]) // @ and @@ belong to the name
				if next <= 0 {
					break
				}
				size += next
			}
			if size > 0 {
				all = append(all, word{raw: trimmed[:size], touches: true, closed: true})
				text = trimmed[size:]
				continue
			}
			length = -1
		}
		if length < 0 {
			return append(all, word{raw: trimmed, touches: true})
		}
		text = trimmed[length:]
	}
}

func isLetter(c byte) bool {
	return c == '@' || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
