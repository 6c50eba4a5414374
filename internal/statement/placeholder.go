package statement

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// pagePlaceholder matches the placeholders for values on documentation pages and in templates:
// {{ name }}, {{ .name }}, {{ quote .name }}, {{ name | filter }}. The references of Databricks jobs look
// alike but have a dot or no blanks: {{job.id}}, {{run_id}}.
var pagePlaceholder = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{\{(\s+\w+\s*|\s*\w+\s+|\s*\.\w+\s*|\s*\w+\s+\.\w+\s*|\s*\.?\w+\s*\|[^{}]*)\}\}`)
})

// Unfilled returns an error if a string or quoted name of a text has a placeholder that was not filled
// in. [Parse] must be able to read the text. A value that becomes {{ name }} only in an evaluation is
// not a placeholder.
func Unfilled(text string) error {
	if !strings.Contains(text, "{{") {
		return nil
	}
	lex := newLexer(text)
	for {
		first, err := lex.next()
		if err != nil || first.typ == endOfText {
			return nil //nolint:nilerr // Parse has reported it
		}
		var unfilled error
		last, err := skip(lex, first, func(before []token, t token) {
			if unfilled == nil {
				unfilled = placeholderIn(lex, before, t)
			}
		})
		if unfilled != nil {
			return unfilled
		}
		if err != nil || last.typ == endOfText {
			return nil //nolint:nilerr // Parse has reported it
		}
	}
}

// placeholderIn finds a placeholder in a string or quoted name. {{name}} is one where it is all that a
// column or parameter of that name is compared with or set to. before are the two tokens before it.
func placeholderIn(lex *lexer, before []token, t token) error {
	if t.raw == "" || !slices.Contains([]byte(`'"`+"`"), t.raw[0]) {
		return nil
	}
	found := pagePlaceholder().FindStringIndex(t.raw)
	if found == nil && len(before) == 2 && before[1].typ == '=' && len(t.raw) > 2 &&
		isBarePlaceholder(strings.TrimPrefix(unquoteName(before[0].raw), "@"), t.raw[1:len(t.raw)-1]) {
		found = []int{1, len(t.raw) - 1}
	}
	if found == nil {
		return nil
	}
	return PlaceholderError(t.raw[found[0]:found[1]], provider.PositionAt(lex.text, t.start+found[0]))
}

// isBarePlaceholder reports whether the value of a parameter or attribute is its own name in braces.
func isBarePlaceholder(name, text string) bool { return name != "" && text == "{{"+name+"}}" }

// Placeholder returns a placeholder of a documentation page in the value of a parameter or attribute
// called name: {{name}}. Other texts that [Unfilled] finds in a statement are data if an expression
// returns them.
func Placeholder(name, text string) (string, bool) {
	if isBarePlaceholder(name, text) {
		return text, true
	}
	return "", false
}

// FilterHint is the hint for a placeholder with a filter, as stackql-deploy has them.
const FilterHint = "give the value with --var name=VALUE or in the file of -q; the filters are b64decode, b64encode, capitalize, default, first, float, from_json, int, join, last, length, lower, replace, reverse, sort, split, sql_escape, sql_list, string, title, to_json, trim, unique and upper"

// PlaceholderError is the error that a placeholder was left in.
func PlaceholderError(placeholder string, pos provider.Position) error {
	name := strings.Trim(placeholder, "{}. \t\r\n")
	if _, _, filtered := strings.Cut(name, "|"); filtered {
		return provider.Usagef("the placeholder %s was not filled in", provider.Printable(placeholder)).
			At(pos).
			Hintf("%s", FilterHint)
	}
	return provider.Usagef("the placeholder %s was not filled in", provider.Printable(placeholder)).
		At(pos).
		Hintf("put a value in its place, or give one on the command line: --var %s=VALUE; if the braces are meant, part them: '{' || '{ … }}' in an expression, \\u007b{ … }} in JSON", provider.Printable(name))
}
