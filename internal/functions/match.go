package functions

import (
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
)

func matchFunctions() []function {
	like := func(args []sqlite3.Value) (any, error) {
		re, _, err := flagged(args, 2)
		if err != nil {
			return nil, err
		}
		return re.MatchString(args[0].Text()), nil
	}
	return []function{
		{name: "lakeql_match", args: []int{2, 3}, call: like},
		{name: "regexp_like", args: []int{3}, call: like},
		{name: "regexp_match", args: []int{2, 3}, call: func(args []sqlite3.Value) (any, error) {
			re, _, err := flagged(args, 2)
			if err != nil {
				return nil, err
			}
			match := re.FindStringSubmatchIndex(args[0].Text())
			if match == nil {
				return nil, nil //nolint:nilnil // NULL: no match
			}
			return encodeJSON(groups(args[0].Text(), match))
		}},
		{name: "regexp_split_to_array", args: []int{2, 3}, call: func(args []sqlite3.Value) (any, error) {
			re, _, err := flagged(args, 2)
			if err != nil {
				return nil, err
			}
			return encodeJSON(re.Split(args[0].Text(), -1))
		}},
		{name: "lakeql_regexp_replace", args: []int{3, 4}, call: func(args []sqlite3.Value) (any, error) {
			re, flags, err := flagged(args, 3)
			if err != nil {
				return nil, err
			}
			return replaceMatches(re, args[0].Text(), args[2].Text(), strings.Contains(flags, "g")), nil
		}},
		{name: "lakeql_ilike", args: []int{2, 3}, call: func(args []sqlite3.Value) (any, error) {
			escape := `\`
			if len(args) > 2 {
				escape = args[2].Text()
			}
			return matchesLike(args[1].Text(), args[0].Text(), escape, "(?is)")
		}},
		{name: "lakeql_similar", args: []int{2, 3}, call: func(args []sqlite3.Value) (any, error) {
			escape := `\`
			if len(args) > 2 {
				escape = args[2].Text()
			}
			return similar(args[1].Text(), args[0].Text(), escape)
		}},
	}
}

// patterns keeps regular expressions that were compiled, a few of them.
type patterns struct {
	mu   sync.Mutex
	made map[string]*regexp.Regexp
}

// compiled is a compiled pattern; it never changes.
var compiled = &patterns{made: map[string]*regexp.Regexp{}} //nolint:gochecknoglobals // a cache of values that never change

// compile compiles a regular expression of Go's.
func (p *patterns) compile(text string) (*regexp.Regexp, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if re, ok := p.made[text]; ok {
		return re, nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, errors.New("this is no regular expression of RE2: it has no look-ahead and no references to groups")
	}
	const most = 256
	if len(p.made) >= most {
		clear(p.made)
	}
	p.made[text] = re
	return re, nil
}

// flagged compiles the regular expression that is the second argument, with the flags that the argument at a
// place has, if it is there.
func flagged(args []sqlite3.Value, at int) (re *regexp.Regexp, flags string, err error) {
	if len(args) > at {
		flags = args[at].Text()
	}
	re, err = pattern(args[1].Text(), flags)
	return re, flags, err
}

// pattern compiles a regular expression of PostgreSQL's with its flags: i, c, n, s, x and g.
func pattern(text, flags string) (*regexp.Regexp, error) {
	options := "s" // a point matches a newline
	for _, flag := range flags {
		switch flag {
		case 'i':
			options += "i"
		case 'n', 'm':
			options = strings.ReplaceAll(options, "s", "") + "m"
		case 'g', 'c', 's':
		default:
			return nil, errors.New("the flags of a regular expression are g, i, c, n and s")
		}
	}
	text = strings.NewReplacer(`\m`, `\b`, `\M`, `\b`, `\y`, `\b`, `\Y`, `\B`, `\Z`, `\z`).Replace(text)
	return compiled.compile("(?" + options + ")" + text)
}

// groups returns the texts of a match's groups, or of all of it if it has none; nil for a group without.
func groups(text string, match []int) []any {
	from := 2
	if len(match) == 2 {
		from = 0
	}
	var all []any
	for i := from; i < len(match); i += 2 {
		if match[i] < 0 {
			all = append(all, nil)
		} else {
			all = append(all, text[match[i]:match[i+1]])
		}
	}
	return all
}

// firstMatch returns the first match of a pattern, or of its first group; nil: there is none.
func firstMatch(text, expression string) (any, error) {
	re, err := pattern(expression, "")
	if err != nil {
		return nil, err
	}
	match := re.FindStringSubmatchIndex(text)
	if match == nil {
		return nil, nil //nolint:nilnil // NULL
	}
	return groups(text, match)[0], nil
}

// replaceMatches replaces the first match or all, with PostgreSQL's references: \1, \&.
func replaceMatches(re *regexp.Regexp, text, replacement string, all bool) string {
	var b strings.Builder
	at := 0
	count := 1
	if all {
		count = -1
	}
	for _, match := range re.FindAllStringSubmatchIndex(text, count) {
		b.WriteString(text[at:match[0]])
		for i := 0; i < len(replacement); i++ {
			c := replacement[i]
			if c != '\\' || i+1 == len(replacement) {
				b.WriteByte(c)
				continue
			}
			i++
			group := 0
			switch c = replacement[i]; {
			case c >= '0' && c <= '9':
				group = int(c - '0')
			case c != '&':
				b.WriteByte(c)
				continue
			}
			if 2*group+1 < len(match) && match[2*group] >= 0 {
				b.WriteString(text[match[2*group]:match[2*group+1]])
			}
		}
		at = match[1]
	}
	b.WriteString(text[at:])
	return b.String()
}

// matchesLike reports whether a text matches a pattern of LIKE's.
func matchesLike(pattern, text, escape, options string) (bool, error) {
	var b strings.Builder
	runes := []rune(pattern)
	for i := 0; i < len(runes); i++ {
		switch c := string(runes[i]); {
		case c == escape && i+1 < len(runes):
			i++
			b.WriteString(regexp.QuoteMeta(string(runes[i])))
		case c == "%":
			b.WriteString(".*")
		case c == "_":
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(c))
		}
	}
	re, err := compiled.compile(options + `\A` + b.String() + `\z`)
	if err != nil {
		return false, err
	}
	return re.MatchString(text), nil
}

// similar reports whether a text matches a pattern of SIMILAR TO.
func similar(pattern, text, escape string) (bool, error) {
	var b strings.Builder
	runes := []rune(pattern)
	inside := false
	for i := 0; i < len(runes); i++ {
		switch c := string(runes[i]); {
		case c == escape && i+1 < len(runes):
			i++
			b.WriteString(regexp.QuoteMeta(string(runes[i])))
		case inside:
			inside = c != "]"
			b.WriteString(c)
		case c == "[":
			inside = true
			b.WriteString(c)
		case c == "%":
			b.WriteString(".*")
		case c == "_":
			b.WriteString(".")
		case c == "." || c == "^" || c == "$" || c == `\`:
			b.WriteString(regexp.QuoteMeta(c))
		default:
			b.WriteString(c)
		}
	}
	re, err := compiled.compile(`(?s)\A(?:` + b.String() + `)\z`)
	if err != nil {
		return false, err
	}
	return re.MatchString(text), nil
}
