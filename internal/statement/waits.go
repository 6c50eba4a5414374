package statement

import "strings"

// Waits returns what the end of a text waits for before its statements can run: a quote, "$" of a dollar
// quote, "/*" of a comment, "(", or ";" if the last statement lacks only that. It is empty if the text
// ends with a semicolon, has no statement, or begins one with a word that no statement begins with.
func Waits(text string) string {
	lex := newLexer(text)
	for {
		first, err := lex.next()
		switch {
		case err != nil:
			return opened(first)
		case first.typ == endOfText:
			return ""
		case first.typ == ';':
			continue
		case !begins(first):
			return ""
		}
		brackets := 0
		last, err := skip(lex, first, func(_ []token, t token) {
			switch t.raw {
			case "(":
				brackets++
			case ")":
				brackets--
			}
		})
		switch {
		case err != nil:
			return opened(last)
		case last.typ == endOfText && brackets > 0:
			return "("
		case last.typ == endOfText:
			return ";"
		}
	}
}

// opened returns the beginning of a string, quoted name or comment that the text ends in; empty for
// another fault.
func opened(t token) string {
	switch {
	case !t.open:
		return ""
	case strings.HasPrefix(t.raw, "/*"):
		return "/*"
	}
	if i := strings.IndexAny(t.raw, "'\"`$"); i >= 0 { // E'…' has a letter before the quote
		return t.raw[i : i+1]
	}
	return ";"
}

// begins reports whether a statement may begin with a token.
func begins(t token) bool {
	word := strings.ToUpper(t.raw)
	_, isSQL := grammar[word]
	_, isUnsupported := unsupported[word]
	return isSQL || isUnsupported || isStackQL(t) || word == "EXPLAIN"
}
