package emulator

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Lists choose their items by filters in two languages: SCIM's (filterscim.go), and comparisons
// joined by AND (filterlist.go). What is read becomes a condition; what cannot be read is refused,
// as a filter that is passed over would give more than was asked for.

// condition tests a resource.
type condition func(r map[string]any) bool

// maxFilter is how long a filter may be, maxNested how deep its parentheses.
const (
	maxFilter = 16 << 10
	maxNested = 32
)

// token is a piece of a filter: a word, quoted text, an operator such as <=, or a bracket or comma.
type token struct {
	kind tokenKind
	text string // without its quotes
	at   int    // place of its first character, from 1
}

type tokenKind int

const (
	endToken tokenKind = iota
	wordToken
	quotedToken
	operatorToken
	punctuationToken
)

// is reports whether the token is a word, whatever its case, or a sign.
func (t token) is(text string) bool {
	return t.kind != quotedToken && t.kind != endToken && strings.EqualFold(t.text, text)
}

func (t token) String() string {
	if t.kind == endToken {
		return "its end"
	}
	return strconv.Quote(apierror.Printable(t.text))
}

// filterReader goes through the tokens of a filter.
type filterReader struct {
	text       string
	understood string // what the language has, for errors
	tokens     []token
	next       int
	nested     int
}

// newFilterReader takes a filter apart. With escapes, quoted text is a JSON string, as SCIM has it;
// else a quote in it is written twice, as in SQL.
func newFilterReader(text, understood string, escapes bool) (*filterReader, error) {
	f := &filterReader{text: text, understood: understood}
	if len(text) > maxFilter {
		return nil, f.failure(1, "it has %d bytes, and may have %d", len(text), maxFilter)
	}
	place := func(i int) int { return len([]rune(text[:i])) + 1 }
	for i := 0; i < len(text); {
		start, ch := i, text[i]
		switch {
		case ch <= ' ':
			i++
			continue
		case ch == '"' || !escapes && (ch == '\'' || ch == '`'):
			quoted, size := unquote(text[i:], ch, escapes)
			if size == 0 {
				return nil, f.failure(place(i), "the text in quotes does not end, or has an escape that is none")
			}
			i += size
			f.tokens = append(f.tokens, token{quotedToken, quoted, place(start)})
		case strings.IndexByte("()[],", ch) >= 0:
			i++
			f.tokens = append(f.tokens, token{punctuationToken, text[start:i], place(start)})
		case strings.IndexByte("=<>!", ch) >= 0:
			for i < len(text) && strings.IndexByte("=<>!", text[i]) >= 0 {
				i++
			}
			f.tokens = append(f.tokens, token{operatorToken, text[start:i], place(start)})
		default:
			for i < len(text) && text[i] > ' ' && strings.IndexByte("()[],=<>!\"'`", text[i]) < 0 {
				i++
			}
			if i == start { // a quote that is none in this language
				return nil, f.failure(place(i), "%q has no meaning here", ch)
			}
			f.tokens = append(f.tokens, token{wordToken, text[start:i], place(start)})
		}
	}
	f.tokens = append(f.tokens, token{kind: endToken, at: place(len(text))})
	return f, nil
}

// unquote reads text in quotes; size is 0 where it has no end.
func unquote(text string, quote byte, escapes bool) (unquoted string, size int) {
	for i := 1; i < len(text); i++ {
		switch {
		case escapes && text[i] == '\\':
			i++
		case text[i] != quote:
		case !escapes && i+1 < len(text) && text[i+1] == quote:
			i++
		case escapes:
			if json.Unmarshal([]byte(text[:i+1]), &unquoted) != nil {
				return "", 0
			}
			return unquoted, i + 1
		default:
			double := string([]byte{quote, quote})
			return strings.ReplaceAll(text[1:i], double, double[:1]), i + 1
		}
	}
	return "", 0
}

func (f *filterReader) peek() token { return f.tokens[f.next] }

// take gives the next token; the end is never passed.
func (f *filterReader) take() token {
	t := f.tokens[f.next]
	if t.kind != endToken {
		f.next++
	}
	return t
}

// accept takes the next token where it is the given one.
func (f *filterReader) accept(text string) bool {
	if !f.peek().is(text) {
		return false
	}
	f.next++
	return true
}

// expect takes the next token, which has to be the given sign.
func (f *filterReader) expect(sign string) error {
	if t := f.peek(); !f.accept(sign) {
		return f.failure(t.at, "there is %s where %q should be", t, sign)
	}
	return nil
}

// done refuses what is left over.
func (f *filterReader) done() error {
	if t := f.peek(); t.kind != endToken {
		return f.failure(t.at, "%s does not go on from what is before it", t)
	}
	return nil
}

// enter begins what may be in parentheses in itself.
func (f *filterReader) enter(at int) error {
	if f.nested++; f.nested > maxNested {
		return f.failure(at, "its brackets are more than %d deep", maxNested)
	}
	return nil
}

func (f *filterReader) failure(at int, format string, args ...any) error {
	return apierror.Invalid("The filter %s cannot be read at character %d: %s. The emulator reads %s.",
		strconv.Quote(apierror.Printable(f.text)), at, apierror.Invalid(format, args...).Message, f.understood)
}

// literal is a value that a filter compares with.
type literal struct {
	text   string
	quoted bool
}

// compare orders a value of a resource by a literal: as numbers where the literal is one, as times
// where both are, else as text.
func (l literal) compare(value string) int {
	if !l.quoted {
		if n, err := strconv.ParseInt(l.text, 10, 64); err == nil { // ids have more digits than a float64 holds
			if m, err := strconv.ParseInt(value, 10, 64); err == nil {
				return cmp.Compare(m, n)
			}
		}
		if n, err := strconv.ParseFloat(l.text, 64); err == nil {
			if m, err := strconv.ParseFloat(value, 64); err == nil {
				return cmp.Compare(m, n)
			}
		}
	}
	if want, err := time.Parse(time.RFC3339, l.text); err == nil {
		if have, err := time.Parse(time.RFC3339, value); err == nil {
			return have.Compare(want)
		}
	}
	return strings.Compare(value, l.text)
}

// orders are what comparisons come to, by operators of both languages.
var orders = map[string]func(int) bool{
	"=": func(n int) bool { return n == 0 }, "eq": func(n int) bool { return n == 0 },
	"<": func(n int) bool { return n < 0 }, "lt": func(n int) bool { return n < 0 },
	"<=": func(n int) bool { return n <= 0 }, "le": func(n int) bool { return n <= 0 },
	">": func(n int) bool { return n > 0 }, "gt": func(n int) bool { return n > 0 },
	">=": func(n int) bool { return n >= 0 }, "ge": func(n int) bool { return n >= 0 },
}

// like makes a pattern of SQL's ready: % stands for any characters, _ for one.
func like(pattern string, anyCase bool) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("(?s)")
	if anyCase {
		b.WriteString("(?i)")
	}
	b.WriteByte('^')
	for _, ch := range pattern {
		switch ch {
		case '%':
			b.WriteString(".*")
		case '_':
			b.WriteByte('.')
		default:
			b.WriteString(regexp.QuoteMeta(string(ch)))
		}
	}
	b.WriteByte('$')
	return regexp.MustCompile(b.String()) // every character in it is quoted
}

// valuesAt gives the values at a path, through lists. Names are found without regard to case.
func valuesAt(value any, path []string) []string {
	switch v := value.(type) {
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, valuesAt(item, path)...)
		}
		return all
	case map[string]any:
		return valuesIn(v, path)
	}
	if len(path) > 0 || value == nil {
		return nil
	}
	return []string{resource.Text(value)}
}

func valuesIn(object map[string]any, path []string) []string {
	if len(path) == 0 {
		return valuesAt(object["value"], nil) // of emails, members and the like
	}
	return valuesAt(attributeOf(object, path[0]), path[1:])
}

// attributeOf finds an attribute without regard to case.
func attributeOf(object map[string]any, name string) any {
	if value, ok := object[name]; ok {
		return value
	}
	for other, value := range object {
		if strings.EqualFold(other, name) {
			return value
		}
	}
	return nil
}
