// Package dialect translates PostgreSQL's spelling to SQLite's, so that both may stand in one
// statement.
//
// It works on the tokens of a statement, not on a parse tree: the clauses stay as they are, for
// SQLite to read. A small parser of expressions ([translator.expression]) knows where each operand
// begins and ends, and the translation puts text around operands and in place of operators: x::int
// becomes lakeql_int8(x). So each part of the translated text comes from a part of the statement,
// and an error of SQLite's can be led back to the word that it is about.
//
// A statement without a spelling of PostgreSQL's own stays as it is, byte for byte. The functions
// that the translation calls are in the package functions; [Prefix] begins their names.
package dialect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Prefix begins the names of the functions that only translated text calls.
const Prefix = "lakeql_"

// Edit is other text for a part of a text, or, if the part is empty, text to put in.
type Edit struct {
	Start, End int
	Text       string
}

// Fault is what cannot be translated.
type Fault struct {
	Offset        int // in the text
	Message, Hint string
}

func (f *Fault) Error() string { return f.Message }

// Translate returns the edits that translate a statement, in order and without overlaps; none if it
// is written as SQLite takes it. The tokens are those of the text, without comments. An error is a
// *[Fault].
func Translate(text string, tokens []Token) ([]Edit, error) { return Options{}.Translate(text, tokens) }

// Options say what a translation knows beside the text. The zero value takes PostgreSQL's spelling
// and SQLite's.
type Options struct {
	// Only is set for text that is PostgreSQL's only: what SQLite reads in another way is not SQLite's.
	// x[i] is an item of an array, current_user is a call, an item of a SELECT without a name has the one
	// that PostgreSQL gives it, and casts to types that are not known are left out.
	Only bool
	// Casts are functions for casts to further types, by the type's name.
	Casts map[string]string
	// Views are names of functions behind FROM that are tables here.
	Views []string
	// Column returns the type of a column of a table that the statement names; empty: unknown. It may be
	// nil.
	Column func(name string) string
}

// Translate is [Translate] with the options.
func (o Options) Translate(text string, tokens []Token) ([]Edit, error) {
	t, err := o.read(text, tokens)
	if t == nil || err != nil {
		return nil, err
	}
	return t.edits(), nil
}

// read goes over a statement; it returns nil for one in which brackets do not match.
func (o Options) read(text string, tokens []Token) (t *translator, err error) {
	t = &translator{
		Options: o, text: text, tokens: joined(tokens), replaced: map[int]string{}, before: map[int][]wrap{}, behind: map[int][]wrap{},
		pairs: map[int]int{}, named: map[int]bool{}, parameters: map[int]form{}, inner: map[string]form{},
	}
	if !t.match() {
		return nil, nil // SQLite says what is wrong
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Fault:
			t, err = nil, r
		default:
			panic(r)
		}
	}()
	t.names()
	t.items = t.list(0, len(t.tokens))
	t.inserted()
	return t, nil
}

// translator holds the tokens of a statement and what becomes of them.
type translator struct {
	Options

	text     string
	tokens   []Token
	pairs    map[int]int    // of a bracket, or of CASE and END, to its other half
	replaced map[int]string // by token
	before   map[int][]wrap // text before a token
	behind   map[int][]wrap // text behind it
	named    map[int]bool   // reserved words that are names
	changes  int
	depth    int

	items      []Item          // of the statement's SELECT
	parameters map[int]form    // the types of $1, $2, …, as far as they are known
	inner      map[string]form // the types of the columns of inner queries
}

// wrap is text at one end of a span of tokens.
type wrap struct {
	text   string
	length int // of the span: a longer one is around a shorter one
	order  int
}

// operators are those of several characters, longest first.
var operators = []string{
	"!~~*", "->>", "#>>", "!~*", "!~~", "~~*", "->", "#>", "@>", "<@", "~*", "!~", "~~", "<<", ">>", "<=", ">=", "<>", "!=", "==", "||", "&&",
}

// joined makes one token of each operator of several characters.
func joined(tokens []Token) []Token {
	all := make([]Token, 0, len(tokens))
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if sign, n := qualified(tokens[i:]); n > 0 {
			t = Token{Type: int(sign[0]), Raw: sign, Start: t.Start, length: tokens[i+n-1].End() - t.Start}
			i += n - 1
			all = append(all, t)
			continue
		}
		if t.Type < Word && len(t.Raw) == 1 && strings.IndexByte("!#<>@~-|=&", t.Raw[0]) >= 0 {
			run := t.Raw
			for j := i + 1; j < len(tokens) && len(run) < 4 && tokens[j].Type < Word && len(tokens[j].Raw) == 1 && tokens[j].Start == t.Start+len(run); j++ {
				run += tokens[j].Raw
			}
			for _, operator := range operators {
				if strings.HasPrefix(run, operator) {
					t.Raw = operator
					i += len(operator) - 1
					break
				}
			}
		}
		all = append(all, t)
	}
	return all
}

// qualified reads OPERATOR(pg_catalog.~) at the first token: the operator, and of how many tokens it is; 0
// if something else stands there.
func qualified(tokens []Token) (sign string, n int) {
	if len(tokens) < 4 || !tokens[0].is("OPERATOR") || tokens[1].Raw != "(" {
		return "", 0
	}
	n = 2
	if tokens[n].Type == Word && tokens[n+1].Raw == "." {
		n += 2
	}
	for ; n < len(tokens) && tokens[n].Type < Word && strings.Trim(tokens[n].Raw, "!#<>@~-|=&+*/%^") == ""; n++ {
		sign += tokens[n].Raw
	}
	if sign == "" || n == len(tokens) || tokens[n].Raw != ")" {
		return "", 0
	}
	return sign, n + 1
}

// match finds the other half of each bracket; false if one has none.
func (t *translator) match() bool {
	var open []int
	halves := map[string]string{")": "(", "]": "["}
	for i, token := range t.tokens {
		part := t.get(i-1).Raw == "." || t.get(i-1).is("AS")
		switch {
		case token.Raw == "(" || token.Raw == "[" || token.is("CASE") && !part:
			open = append(open, i)
		case token.Raw == ")" || token.Raw == "]" || token.is("END") && !part:
			if len(open) == 0 {
				return false
			}
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if half, bracket := halves[token.Raw]; bracket && t.tokens[last].Raw != half || !bracket && !t.tokens[last].is("CASE") {
				return false
			}
			t.pairs[i], t.pairs[last] = last, i
		}
	}
	return len(open) == 0
}

// get returns a token; the zero token beyond either end.
func (t *translator) get(i int) Token {
	if i < 0 || i >= len(t.tokens) {
		return Token{}
	}
	return t.tokens[i]
}

// word reports whether a token is a bare word that is no name.
func (t *translator) word(i int, words ...string) bool {
	return !t.named[i] && slices.ContainsFunc(words, t.get(i).is)
}

// pair returns the other half of a bracket.
func (t *translator) pair(i int) int {
	if other, ok := t.pairs[i]; ok {
		return other
	}
	return i
}

// replace puts text in place of a token.
func (t *translator) replace(i int, text string) {
	t.replaced[i] = text
	t.changes++
}

// remove takes tokens away.
func (t *translator) remove(from, to int) {
	for i := from; i < to; i++ {
		t.replace(i, "")
	}
}

// around puts text before and behind the tokens from one to before another.
func (t *translator) around(from, to int, before, behind string) {
	t.changes++
	if before != "" {
		t.before[from] = append(t.before[from], wrap{before, to - from, t.changes})
	}
	if behind != "" {
		t.behind[to-1] = append(t.behind[to-1], wrap{behind, to - from, t.changes})
	}
}

// edits puts the changes together.
func (t *translator) edits() []Edit {
	var edits []Edit
	for i, token := range t.tokens {
		opening, closing := t.before[i], t.behind[i]
		slices.SortFunc(opening, func(a, b wrap) int { return cmp.Or(b.length-a.length, b.order-a.order) })
		slices.SortFunc(closing, func(a, b wrap) int { return cmp.Or(a.length-b.length, a.order-b.order) })
		if len(opening) > 0 {
			edits = append(edits, Edit{token.Start, token.Start, joinWraps(opening)})
		}
		text, ok := t.replaced[i]
		if !ok && token.length > 0 {
			text = token.Raw
		}
		if (ok || token.length > 0) && text != t.text[token.Start:token.End()] {
			edits = append(edits, Edit{token.Start, token.End(), text})
		}
		if len(closing) > 0 {
			edits = append(edits, Edit{token.End(), token.End(), joinWraps(closing)})
		}
	}
	return edits
}

func joinWraps(wraps []wrap) string {
	var b strings.Builder
	for _, w := range wraps {
		b.WriteString(w.text)
	}
	return b.String()
}

// refuse ends the translation with the error that something at a token cannot be translated.
func (t *translator) refuse(i int, hint, format string, args ...any) {
	at := len(t.text)
	if i < len(t.tokens) {
		at = t.tokens[i].Start
	} else if len(t.tokens) > 0 {
		at = t.tokens[len(t.tokens)-1].Start
	}
	panic(&Fault{at, fmt.Sprintf(format, args...), hint})
}
