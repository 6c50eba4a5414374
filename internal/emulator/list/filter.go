package list

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Condition tests whether a resource belongs to a list.
type Condition func(r resource.Record) bool

// maxFilter is how many bytes a filter may have, maxNested how deep its brackets may be.
const (
	maxFilter = 16 << 10
	maxNested = 32
)

// token is a piece of a filter: a word, quoted text, an operator such as <=, or a bracket or comma.
type token struct {
	kind tokenKind
	text string // without its quotes
	at   int    // position of its first character, from 1
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

// filterReader reads the tokens of a filter, in either of two languages: SCIM's ([ParseSCIM]), or
// comparisons joined by AND (parseComparisons).
type filterReader struct {
	text       string
	understood string // describes the language in errors
	tokens     []token
	next       int
	nested     int
}

// newFilterReader splits a filter into tokens. With escapes, quoted text is a JSON string, as in
// SCIM. Without, a quote in quoted text is doubled, as in SQL.
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
			if i == start { // a quote of the other language
				return nil, f.failure(place(i), "%q has no meaning here", ch)
			}
			f.tokens = append(f.tokens, token{wordToken, text[start:i], place(start)})
		}
	}
	f.tokens = append(f.tokens, token{kind: endToken, at: place(len(text))})
	return f, nil
}

// unquote reads text in quotes. Its size is 0 if the text does not end.
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

// take returns the next token. After the last it returns the end again.
func (f *filterReader) take() token {
	t := f.tokens[f.next]
	if t.kind != endToken {
		f.next++
	}
	return t
}

// accept takes the next token if it is the given one.
func (f *filterReader) accept(text string) bool {
	if !f.peek().is(text) {
		return false
	}
	f.next++
	return true
}

// expect takes the next token, which must be the given sign.
func (f *filterReader) expect(sign string) error {
	if t := f.peek(); !f.accept(sign) {
		return f.failure(t.at, "there is %s where %q should be", t, sign)
	}
	return nil
}

// done refuses tokens that are left over.
func (f *filterReader) done() error {
	if t := f.peek(); t.kind != endToken {
		return f.failure(t.at, "%s does not go on from what is before it", t)
	}
	return nil
}

// enter begins brackets at a position.
func (f *filterReader) enter(at int) error {
	if f.nested++; f.nested > maxNested {
		return f.failure(at, "its brackets are more than %d deep", maxNested)
	}
	return nil
}

func (f *filterReader) failure(at int, format string, args ...any) error {
	return apierror.Invalid("The filter %s cannot be read at character %d: %s. The emulator reads %s.",
		strconv.Quote(apierror.Printable(f.text)), at, fmt.Sprintf(format, args...), f.understood)
}
