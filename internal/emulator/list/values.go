package list

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// literal is a value that a filter compares with.
type literal struct {
	text   string
	quoted bool
}

// compare orders a value of a resource relative to the literal: as numbers if both are, as times if
// both are, else as text.
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

// operators test the result of compare, by the operators of both languages.
var operators = map[string]func(int) bool{
	"=": func(n int) bool { return n == 0 }, "eq": func(n int) bool { return n == 0 },
	"<": func(n int) bool { return n < 0 }, "lt": func(n int) bool { return n < 0 },
	"<=": func(n int) bool { return n <= 0 }, "le": func(n int) bool { return n <= 0 },
	">": func(n int) bool { return n > 0 }, "gt": func(n int) bool { return n > 0 },
	">=": func(n int) bool { return n >= 0 }, "ge": func(n int) bool { return n >= 0 },
}

// like compiles a pattern of LIKE: % stands for any characters, _ for one.
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
