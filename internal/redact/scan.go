package redact

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/dialect"
)

// kind is the kind of a token.
type kind int

const (
	word      kind = iota // a bare word
	literal               // between single quotes
	name                  // between double quotes, backquotes or square brackets
	number                // digits, with what follows them
	parameter             // @name, @@name, :name, $name
	comment               // to the end of the line, or /* … */
	hint                  // /*+ … */
	symbol                // one character
)

// token is a piece of a text. Blanks lie between tokens.
type token struct {
	kind       kind
	start, end int
}

// scanned is a text cut into statements.
type scanned struct {
	text       string
	statements [][]token // without semicolons
	// broken is set where quotes and brackets do not stand as in a statement, so that a part of a
	// literal may look like a word.
	broken bool
}

// scan cuts a text. It reads on whatever the text is.
func scan(text string) scanned {
	s := scanned{text: text}
	var all []token
	backslashes := false
	for at := 0; at < len(text); {
		if strings.IndexByte(" \t\r\n\f", text[at]) >= 0 {
			at++
			continue
		}
		t := s.token(at, backslashes)
		at = t.end
		if t.kind == symbol && text[t.start] == ';' {
			s.statements, all, backslashes = append(s.statements, all), nil, false
			continue
		}
		all = append(all, t)
		if t.kind == word {
			if first, ok := firstWord(all, text); ok {
				backslashes = escapes(first)
			}
		}
	}
	s.statements = append(s.statements, all)
	for _, tokens := range s.statements {
		s.checkNeighbours(tokens)
	}
	return s
}

// firstWord returns the word that names the kind of the statement, if it is the last token.
func firstWord(tokens []token, text string) (string, bool) {
	for i, t := range tokens {
		if t.kind == comment || t.kind == hint {
			continue
		}
		first := strings.ToUpper(text[t.start:t.end])
		switch first {
		case "EXPLAIN", "ANALYZE", "QUERY", "PLAN":
			continue
		}
		return first, i == len(tokens)-1
	}
	return "", false
}

// escapes reports whether a backslash escapes a quote in a statement that begins with a word.
func escapes(first string) bool {
	switch first {
	case "EXEC", "EXECUTE", "SHOW", "DESCRIBE", "DESC", "REGISTRY":
		return true
	}
	return false
}

func (s *scanned) token(at int, backslashes bool) token {
	rest := s.text[at:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "/*"):
		length := strings.Index(rest[2:], "*/")
		if length < 0 {
			s.broken = true
			return token{comment, at, len(s.text)}
		}
		if rest[2] == '+' {
			return token{hint, at, at + length + 4}
		}
		return token{comment, at, at + length + 4}
	case strings.HasPrefix(rest, "--"):
		blanks := len(rest) - 2 - len(strings.TrimLeft(rest[2:], " \t"))
		if after := rest[2+blanks:]; len(after) >= 8 && strings.EqualFold(after[:8], "required") {
			return token{hint, at, at + 2 + blanks + 8} // a marker; what follows may be a part of the statement
		}
		return token{comment, at, at + lineLength(rest)}
	case strings.HasPrefix(rest, "//") || c == '#' && backslashes:
		return token{comment, at, at + lineLength(rest)}
	case c == '\'' || c == '"' || c == '`':
		return s.quoted(at, c, backslashes)
	case c == '[':
		if length := strings.IndexByte(rest, ']'); length > 0 {
			return token{name, at, at + length + 1}
		}
		s.broken = true
		return token{name, at, len(s.text)}
	case strings.HasPrefix(rest, "{{"):
		if length := strings.Index(rest, "}}"); length > 0 {
			return token{name, at, at + length + 2}
		}
		s.broken = true
		return token{name, at, len(s.text)}
	case c == '{' || c == '}' || c == '\\': // of JSON that has lost its quotes
		s.broken = true
	case c >= '0' && c <= '9':
		length := 1
		for length < len(rest) && (isWordByte(rest[length]) || rest[length] == '.') {
			length++
		}
		return token{number, at, at + length}
	case isWordByte(c):
		return token{word, at, at + wordLength(rest)}
	case c == '$' && !backslashes && dollarQuoted(rest) > 0: // hidden as a whole, as what is not understood
		s.broken = true
		return token{literal, at, at + dollarQuoted(rest)}
	case c == '@' || c == ':' || c == '$':
		prefix := 1
		if strings.HasPrefix(rest, "@@") {
			prefix = 2
		}
		if length := wordLength(rest[prefix:]); length > 0 {
			return token{parameter, at, at + prefix + length}
		}
	}
	_, size := utf8.DecodeRuneInString(rest)
	return token{symbol, at, at + size}
}

// dollarQuoted returns the length of the text in dollar quotes that s begins with; 0: there is none.
func dollarQuoted(s string) int {
	typ, length := dialect.Scan(s)
	switch {
	case typ != dialect.String:
		return 0
	case length < 0:
		return len(s)
	}
	return length
}

func (s *scanned) quoted(at int, quote byte, backslashes bool) token {
	t := token{name, at, len(s.text)}
	if quote == '\'' {
		t.kind = literal
	}
	for i := at + 1; i < len(s.text); i++ {
		switch {
		case backslashes && s.text[i] == '\\':
			i++
		case s.text[i] != quote:
		case i+1 < len(s.text) && s.text[i+1] == quote:
			i++
		default:
			t.end = i + 1
			return t
		}
	}
	s.broken = true
	return t
}

// checkNeighbours looks for signs that a quote is missing or one too many: a quote that touches a
// word, and text between quotes that has no operator, comma or keyword on either side.
func (s *scanned) checkNeighbours(tokens []token) {
	var seen []token
	for _, t := range tokens {
		if t.kind != comment && t.kind != hint {
			seen = append(seen, t)
		}
	}
	for i, t := range seen {
		if t.kind != literal && t.kind != name || s.text[t.start] == '[' {
			continue
		}
		if i > 0 {
			before := seen[i-1]
			bytes := before.end == t.start && strings.EqualFold(s.text[before.start:before.end], "x")
			if s.isText(before) && !bytes && (before.end == t.start || t.kind == literal && !s.isKeyword(before)) {
				s.broken = true
			}
		}
		if i+1 < len(seen) {
			after := seen[i+1]
			touches := after.end == t.end || after.start == t.end
			if s.isText(after) && (touches || t.kind == literal && !s.isKeyword(after)) {
				s.broken = true
			}
		}
		if t.end < len(s.text) && s.text[t.end] == '\\' {
			s.broken = true
		}
	}
}

// isText reports whether a token is a word, a number or quoted.
func (s *scanned) isText(t token) bool {
	return t.kind == word || t.kind == number || t.kind == literal || t.kind == name && s.text[t.start] != '['
}

func (s *scanned) isKeyword(t token) bool {
	return t.kind == word && keywords()[strings.ToUpper(s.text[t.start:t.end])]
}

func lineLength(s string) int {
	if end := strings.IndexByte(s, '\n'); end >= 0 {
		return end
	}
	return len(s)
}

func isWordByte(c byte) bool {
	return c == '_' || c == '$' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
}

func wordLength(s string) int {
	length := 0
	for length < len(s) && isWordByte(s[length]) {
		length++
	}
	return length
}

// keywords are the words of the grammar and of SQLite's.
var keywords = sync.OnceValue(func() map[string]bool {
	return wordSet(`abort all alter analyze and any array as asc at auth avg begin between by case cast check collate columns
	constraint count create cross current current_date current_time current_timestamp database default delete desc describe
	distinct do drop else end errors escape except exclude exec execute exists explain extended fail false filter first
	following for foreign from full functions glob group groups having if ignore in index indexed inner insert instead intersect
	ilike interval into is isnull join json key lateral last left like limit list match materialized max method methods min natural nativequery not
	notnull null nulls of offset on or order others outer over ordinality partition plan pragma preceding primary providers purge query
	range recursive references refresh regexp registry release rename replace resources restrict returning right rollback
	row rows savepoint select services set settings show similar sleep some sum table tables temp temporary then ties to transaction
	trigger true truncate unbounded union unique update use using vacuum values version view views virtual when where window
	with within without`)
})

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(text) {
		set[strings.ToUpper(w)] = true
	}
	return set
}
