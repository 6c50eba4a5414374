package statement

import (
	"strings"

	"github.com/lakeql/lakeql/internal/dialect"
)

// Interpolate puts the values of variables into a text of statements, as psql does: the value itself for :name,
// the value as a string for :'name', and as a quoted name for :"name". A reference inside of quotes and comments
// is text, as is one to a variable that value does not know; :: and := are operators.
func Interpolate(text string, value func(name string) (string, bool)) string {
	var b strings.Builder
	EachVariable(text, func(before, reference, name string, quote byte, escapes bool) {
		b.WriteString(before)
		v, ok := "", false
		if name != "" {
			v, ok = value(name)
		}
		switch {
		case !ok:
			b.WriteString(reference)
		case quote == 0:
			b.WriteString(v)
		default:
			if escapes && quote == '\'' && strings.Contains(v, `\`) {
				b.WriteByte('E') // else the two of a pair both count
				v = strings.ReplaceAll(v, `\`, `\\`)
			}
			q := string(quote)
			b.WriteString(q + strings.ReplaceAll(v, q, q+q) + q)
		}
	})
	return b.String()
}

// EachVariable calls a function with each reference to a variable in a text of statements, such as :name, :'name',
// and :"name", and with the text before it since the last one. At the end it calls the function once without a
// reference. quote is the reference's; escapes is set if a backslash escapes in strings at its place.
func EachVariable(text string, visit func(before, reference, name string, quote byte, escapes bool)) {
	done, at := 0, 0
	first, escapes := true, false // at the beginning of a statement; in one of StackQL's
	for at < len(text) {
		rest := text[at:]
		if length := passed(rest); length > 0 {
			at += length
			continue
		}
		if rest[0] == ';' {
			first, escapes = true, false
			at++
			continue
		}
		if length, name, quote := reference(rest); length > 0 {
			visit(text[done:at], rest[:length], name, quote, escapes)
			at += length
			done, first = at, false
			continue
		}
		length := tokenLength(rest, escapes)
		if first {
			word := token{raw: rest[:length]}
			escapes = isStackQL(word)
			first = word.is("EXPLAIN") || word.is("ANALYZE") || word.is("QUERY") || word.is("PLAN")
		}
		at += length
	}
	visit(text[done:], "", "", 0, false)
}

// passed is the length of the blank or comment that a text begins with; 0 without one.
func passed(rest string) int {
	ends := func(end string) int {
		if i := strings.Index(rest[2:], end); i >= 0 {
			return 2 + i + len(end)
		}
		return len(rest)
	}
	switch {
	case strings.IndexByte(" \t\r\n\f", rest[0]) >= 0:
		return 1
	case strings.HasPrefix(rest, "/*"):
		return ends("*/")
	case strings.HasPrefix(rest, "--"):
		if length, ok := markerEnd(rest); ok {
			return length
		}
		return ends("\n")
	case strings.HasPrefix(rest, "{{"):
		return ends("}}")
	}
	return 0
}

// reference reads the reference to a variable that a text begins with; its length is 0 without one.
func reference(rest string) (length int, name string, quote byte) {
	if rest[0] != ':' || len(rest) < 2 {
		return 0, "", 0
	}
	start := 1
	if rest[1] == '\'' || rest[1] == '"' {
		quote, start = rest[1], 2
	}
	end := start
	for end < len(rest) && IsVariable(rest[end:end+1]) {
		end++
	}
	switch {
	case end == start:
		return 0, "", 0
	case quote == 0:
		return end, rest[start:end], 0
	case end == len(rest) || rest[end] != quote:
		return 0, "", 0
	}
	return end + 1, rest[start:end], quote
}

// IsVariable reports whether a text can be the name of a variable: letters, digits, and underscores.
func IsVariable(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c < 0x80 {
			return false
		}
	}
	return name != ""
}

// tokenLength is the length of the token that a text begins with, or of all of it if a quote is not closed.
func tokenLength(rest string, escapes bool) int {
	switch {
	case strings.HasPrefix(rest, "::"), strings.HasPrefix(rest, ":="):
		return 2 //nolint:mnd // both characters
	case rest[0] == ':':
		return 1
	case escapes && (rest[0] == '\'' || rest[0] == '"'):
		for i := 1; i < len(rest); i++ {
			switch rest[i] {
			case '\\':
				i++
			case rest[0]:
				return i + 1 // a doubled quote begins the next one
			}
		}
		return len(rest)
	}
	if _, length := dialect.Scan(rest); length > 0 {
		return length
	}
	return len(rest)
}
