package redact

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
)

// readStatement hides parts of one statement with matching quotes. st is the parsed statement; nil if it
// does not parse.
func (r *reading) readStatement(tokens []token, st statement.Statement) {
	tokens = r.hideComments(tokens)
	if len(tokens) == 0 {
		return
	}
	for _, t := range tokens {
		if t.kind == word || t.kind == parameter {
			r.known.load(strings.TrimLeft(r.raw(t), "@:$"))
		}
	}
	values := r.values(tokens, st)
	strict := slices.ContainsFunc(tokens, func(t token) bool {
		return (t.kind == word || t.kind == parameter) && dispatch.NamesSecret(r.raw(t))
	})
	w := wording{reading: r, tokens: tokens, strict: strict, head: r.head(tokens)}
	w.findAliases()
	for i, t := range tokens {
		switch t.kind {
		case literal, name:
			if hidden, ok := values[t.start]; ok {
				r.hidden = append(r.hidden, hidden...)
			} else if !w.harmless(i) {
				r.hide(t.start+1, max(t.end-1, t.start+1))
			}
		case word, parameter:
			if t.end > w.head && !w.isShown(i) {
				r.hide(t.start, t.end)
			}
		case number:
			if _, ok := values[t.start]; !ok && (strict && t.end-t.start >= 4 || strings.Trim(r.raw(t), "0123456789.") != "") {
				r.hide(t.start, t.end)
			}
		case comment, hint, symbol:
		}
	}
}

// hideComments hides the comments, in which anything may stand, and returns the other tokens.
func (r *reading) hideComments(tokens []token) []token {
	var others []token
	for _, t := range tokens {
		switch {
		case t.kind == comment && t.end-t.start > 2:
			from, to := t.start+2, t.end
			if strings.HasSuffix(r.raw(t), "*/") {
				to -= 2
			}
			if from < to && !isMarker(r.text[from:to]) {
				r.hide(from, to)
			}
		case t.kind == hint && !plain(r.raw(t)):
			r.hide(t.start, t.end)
		case t.kind != comment && t.kind != hint:
			others = append(others, t)
		}
	}
	return others
}

// isMarker reports whether the text of a comment is empty, or a word by which StackQL's pages mark
// parameters.
func isMarker(text string) bool {
	text = strings.TrimSpace(text)
	return text == "" || strings.EqualFold(text, "required") || strings.EqualFold(text, "optional")
}

// wording judges the bare words of a statement.
type wording struct {
	*reading
	tokens []token
	// strict is set if the statement has to do with credentials: only known words are shown.
	strict bool
	head   int // what stands before is shown
	// aliases are words that stand where a name stands.
	aliases map[string]bool
}

// isValue reports whether a value may stand at a token: behind a comparison, or in VALUES.
func (w *wording) isValue(i int) bool {
	for i > 1 && w.is(i-1, ".") {
		i -= 2
	}
	if i == 0 {
		return false
	}
	before := w.raw(w.tokens[i-1])
	switch strings.ToUpper(before) {
	case "=", "<", ">", "!", "LIKE", "GLOB", "REGEXP", "IS", "NOT", "|", "+", "-", "VALUES", "TO", "SET":
		return before != "SET"
	}
	depth := 0
	for j := i - 1; j >= 0; j-- {
		switch w.raw(w.tokens[j]) {
		case ")":
			depth++
		case "(":
			if depth--; depth < 0 {
				depth = 0
				if j > 0 && (strings.EqualFold(w.raw(w.tokens[j-1]), "VALUES") || strings.EqualFold(w.raw(w.tokens[j-1]), "IN") || w.raw(w.tokens[j-1]) == ",") {
					return true
				}
				if j > 0 && w.tokens[j-1].kind == word {
					return false
				}
			}
		}
		if w.tokens[j].kind == word && depth == 0 && clauses()[strings.ToUpper(w.raw(w.tokens[j]))] {
			return false
		}
	}
	return false
}

var clauses = sync.OnceValue(func() map[string]bool {
	return wordSet("select from where set on group order having returning by join and or as with limit")
})

func (w *wording) is(i int, symbol string) bool {
	return i >= 0 && i < len(w.tokens) && w.raw(w.tokens[i]) == symbol
}

// findAliases collects the words that stand where a name stands, which are names where a value may
// stand as well.
func (w *wording) findAliases() {
	w.aliases = map[string]bool{}
	for i, t := range w.tokens {
		if t.kind == word && !w.isValue(i) && !w.is(i-1, ".") {
			w.aliases[strings.ToLower(w.raw(t))] = true
		}
	}
}

// bareName matches usual names of columns, tables and aliases. No credential looks like one.
var bareName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([a-z_]{1,40}|[A-Z_]{1,20}|[A-Za-z]\w{0,2})$`) })

// isColumn reports whether a token stands where only a column's name can: between the commas of a SELECT or
// RETURNING, in the list of an INSERT, or before the = of a condition or an assignment.
func (w *wording) isColumn(i int) bool {
	first := i
	for first > 1 && w.is(first-1, ".") {
		first -= 2
	}
	if w.isValue(first) || first == 0 {
		return false
	}
	ends := i+1 == len(w.tokens) || w.is(i+1, ",") || w.is(i+1, ")") || w.is(i+1, "=") || strings.EqualFold(w.raw(w.tokens[i+1]), "FROM")
	begins := w.is(first-1, ",") || w.is(first-1, "(") ||
		slices.Contains([]string{"SELECT", "RETURNING", "DISTINCT", "SET", "WHERE", "AND", "OR"}, strings.ToUpper(w.raw(w.tokens[first-1])))
	return begins && ends && !w.isArgument(first)
}

// isArgument reports whether a token stands between brackets other than those behind INSERT INTO name.
func (w *wording) isArgument(i int) bool {
	depth := 0
	for j := i - 1; j >= 0; j-- {
		switch w.raw(w.tokens[j]) {
		case ")":
			depth++
		case "(":
			if depth--; depth < 0 {
				return j == 0 || !w.follows(j-1, "INTO")
			}
		}
	}
	return false
}

// columnName matches the names of columns that documents use, in both of their spellings.
var columnName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z_]{1,60}|[a-z]{1,20}([A-Z][a-z]{1,20}){1,6})$`)
})

// isShown reports whether a bare word may be shown.
func (w *wording) isShown(i int) bool {
	t := w.tokens[i]
	raw := strings.TrimLeft(w.raw(t), "@:$")
	lower := strings.ToLower(raw)
	if keywords()[strings.ToUpper(raw)] || w.known.has(lower) {
		return true
	}
	if dispatch.LooksSecret(raw) || w.isForeign(lower) {
		return false
	}
	switch {
	case t.kind == word && columnName().MatchString(raw) && (w.isColumn(i) || w.is(i+1, ".") && i+2 < len(w.tokens) && w.isColumn(i+2)):
		return true
	case t.kind == parameter:
		return w.is(i+1, "=") && bareName().MatchString(raw) || w.known.near(lower) || w.raw(t)[0] != '@' && bareName().MatchString(raw)
	case w.known.near(lower):
		return true
	case w.isFunction(i):
		return bareName().MatchString(raw)
	case w.follows(i, "FROM", "JOIN", "INTO", "UPDATE", "TABLE", "VIEW", "IN", "AS", "DESCRIBE", "EXISTS"):
		return bareName().MatchString(raw) || !w.strict && len(raw) <= 40 && nameWithDigits().MatchString(raw)
	case w.isValue(i):
		first := i
		for first > 1 && w.is(first-1, ".") {
			first -= 2
		}
		return !w.strict && w.aliases[strings.ToLower(w.raw(w.tokens[first]))] && (first < i || w.is(i+1, ".")) && bareName().MatchString(raw)
	}
	return !w.strict && bareName().MatchString(raw)
}

// nameWithDigits matches names such as t1, jobs_2025, s3_buckets.
var nameWithDigits = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z]+\d{0,4}(_[a-z]*\d{0,4})*$`) })

func (w *wording) isFunction(i int) bool { return w.is(i+1, "(") }

// follows reports whether the dotted name that a token is a part of stands behind one of the words.
func (w *wording) follows(i int, words ...string) bool {
	for i > 1 && w.is(i-1, ".") {
		i -= 2
	}
	return i > 0 && slices.Contains(words, strings.ToUpper(w.raw(w.tokens[i-1])))
}

// isForeign reports whether a word comes from a text from outside.
func (w *wording) isForeign(lower string) bool {
	return len(lower) > 1 && slices.ContainsFunc(w.judge.Foreign, func(text string) bool { return strings.Contains(strings.ToLower(text), lower) })
}

// harmless reports whether a quoted text says nothing: it has no letters and digits, or is a path into
// JSON of known names, or the name of a column.
func (w *wording) harmless(i int) bool {
	t := w.tokens[i]
	text := w.raw(t)
	if strings.HasPrefix(text, "{{") {
		inner := strings.Trim(text, "{}. \t\r\n")
		return bareName().MatchString(inner) && (!w.strict || w.known.has(strings.ToLower(inner)))
	}
	text = text[1:max(len(text)-1, 1)]
	if placeholder().FindString(text) == text && text != "" {
		return true
	}
	if strings.IndexFunc(text, func(r rune) bool { return r < 0x80 && isWordByte(byte(r)) && r != '_' || r >= 0x80 }) < 0 { //nolint:gosec // it is ASCII
		return true
	}
	known := jsonPath().MatchString(text)
	eachWord(text, func(word string) { known = known && (w.known.has(strings.ToLower(word)) || len(word) == 1) })
	switch {
	case dateTime().MatchString(text):
		return true
	case t.kind == name:
		column, inside, dotted := strings.Cut(text, ".")
		return known || !w.strict && dotted && w.known.has(strings.ToLower(column)) && bareName().MatchString(inside)
	case w.is(i-1, ">") && (w.is(i-2, "-") || w.is(i-3, "-")) || strings.HasPrefix(text, "$."):
		return known
	}
	return false
}

// dateTime matches a date, with a time or without.
var dateTime = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$`)
})

var jsonPath = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w$.\[\]]+$`) })
