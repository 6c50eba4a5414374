package statement

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// Set changes a setting of the session: SET name = value or SET name TO value. The value is a string,
// a number, true, false, null, or a word, which is a string.
type Set struct {
	Position provider.Position
	// Name is in lower case. It may have dots, and begin with $. as StackQL's do: $.http.timeout.
	Name  string
	Value Value
}

// Pos is where the statement begins.
func (s *Set) Pos() provider.Position { return s.Position }

func (s *sqlParser) set() (Statement, error) {
	s.at++
	const wanted = "the name of a setting"
	prefix := ""
	if s.accept("$") {
		if prefix = "$."; !s.accept(".") {
			return nil, s.unexpected("a dot after $")
		}
	}
	name, err := s.dotted(wanted)
	if err != nil {
		return nil, err
	}
	set := &Set{Position: s.pos, Name: prefix + strings.ToLower(name.String())}
	if !s.accept("=") && !s.accept("TO") {
		return nil, s.unexpected("= or TO after " + provider.Quote(set.Name))
	}
	set.Value, err = s.value(set.Name)
	return set, err
}

// value reads the value of a setting.
func (s *sqlParser) value(name string) (Value, error) {
	t := s.token()
	v := Value{source: s.source, start: t.start, raw: t.raw, sql: true}
	switch {
	case t.typ == stringToken && t.raw[0] == '\'':
		v.Kind, v.Text = String, undouble(t.raw)
	case t.is("true"), t.is("false"):
		v.Kind, v.Text = Bool, strings.ToLower(t.raw)
	case t.is("null"):
		v.Kind = Null
	case t.typ == wordToken:
		v.Kind, v.Text = String, unquoteName(t.raw)
	case t.typ == '-' || t.typ == '+':
		s.at++
		if number := s.token(); number.typ != numberToken || number.start != t.end() {
			return v, s.unexpected("a number after " + t.raw)
		}
		v.Kind, v.Text = Number, strings.TrimPrefix(t.raw, "+")+s.token().raw
	case t.typ == numberToken:
		v.Kind, v.Text = Number, t.raw
	default:
		return v, s.unexpected(fmt.Sprintf("a value for %s: a string between single quotes, a number, true, false, null or a word", provider.Quote(name)))
	}
	if v.Kind == Number && !json.Valid([]byte(v.Text)) {
		return v, provider.Usagef("%s is not a number", provider.Quote(v.Text)).
			At(s.places.position(t.start)).
			Hintf("put text between single quotes")
	}
	s.at++
	return v, nil
}

// Use chooses what completes short names: USE provider, or USE provider.service.
type Use struct {
	Position provider.Position
	Name     Name // one part or two
}

// Pos is where the statement begins.
func (u *Use) Pos() provider.Position { return u.Position }

func (s *sqlParser) use() (Statement, error) {
	s.at++
	name, err := s.dotted("a provider, or provider.service")
	if err == nil && len(name) > 2 {
		err = provider.Usagef("%s has too many parts", provider.Printable(name.String())).At(name[0].Pos).Hintf("write USE provider, or USE provider.service")
	}
	if err != nil {
		return nil, err
	}
	return &Use{Position: s.pos, Name: s.scope.used(name)}, nil
}

// Purge empties caches, in StackQL: PURGE [words].
type Purge struct {
	Position provider.Position
	What     string // the words, upper case, with a blank between them
}

// Pos is where the statement begins.
func (p *Purge) Pos() provider.Position { return p.Position }

func (s *sqlParser) purge() (Statement, error) {
	s.at++
	var words []string
	for s.token().typ == wordToken {
		words = append(words, s.token().raw)
		s.at++
	}
	return &Purge{Position: s.pos, What: strings.ToUpper(strings.Join(words, " "))}, nil
}

// NativeQuery is a query in SQLite's own words: NATIVEQUERY 'sql'.
type NativeQuery struct {
	Position provider.Position
	Text     string // without the quotes around it
}

// Pos is where the statement begins.
func (n *NativeQuery) Pos() provider.Position { return n.Position }

func (s *sqlParser) nativeQuery() (Statement, error) {
	s.at++
	t := s.token()
	if t.typ != stringToken || t.raw[0] != '\'' {
		return nil, s.unexpected("a query between single quotes")
	}
	s.at++
	return &NativeQuery{Position: s.pos, Text: undouble(t.raw)}, nil
}

// Sleep waits: SLEEP milliseconds.
type Sleep struct {
	Position provider.Position
	Duration time.Duration
}

// Pos is where the statement begins.
func (s *Sleep) Pos() provider.Position { return s.Position }

func (s *sqlParser) sleep() (Statement, error) {
	s.at++
	t := s.token()
	const longest = math.MaxInt64 / int64(time.Millisecond)
	milliseconds, err := strconv.ParseInt(t.raw, 10, 64)
	if t.typ != numberToken || err != nil || milliseconds > longest {
		return nil, s.unexpected("a number of milliseconds")
	}
	s.at++
	return &Sleep{Position: s.pos, Duration: time.Duration(milliseconds) * time.Millisecond}, nil
}
