// Package functions has the SQL functions that queries may call beyond SQLite's own.
//
// Most are PostgreSQL's, under their own names. The functions whose names begin with
// [dialect.Prefix] are called by translated text only: they are the casts and operators of
// PostgreSQL. The table-valued ones are in rows.go.
//
// SQLite has four kinds of value, so a time is a text as the API writes it, 2026-01-02T03:04:05Z, a
// boolean is 1 or 0, an interval is a text as PostgreSQL writes it, and JSON and arrays are texts of
// JSON. Unless its documentation says otherwise, a function returns NULL if an argument is NULL. Errors
// do not show the values that they are about: those may be secrets.
package functions

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/regexp"

	"github.com/lakeql/lakeql/internal/dialect"
	"github.com/lakeql/lakeql/provider"
)

// function is a function that returns one value for its arguments.
type function struct {
	name string
	// args are the numbers of arguments that it takes; -1: any.
	args []int
	// call returns nil, string, int64, float64, bool, []byte or document.
	call func(args []sqlite3.Value) (any, error)
	// nulls is set if the function takes NULL.
	nulls bool
}

// document is a text of JSON as a result. SQLite's own functions of JSON recognise it.
type document string

// subtype is the one by which SQLite's functions know JSON.
const subtype = 'J'

// Names lists the names of the functions for statements, sorted.
func Names() []string {
	var public []string
	for name := range names() {
		if !strings.HasPrefix(name, dialect.Prefix) {
			public = append(public, name)
		}
	}
	slices.Sort(public)
	return public
}

// Set holds the functions of one database. Registering a function costs microseconds, and there are
// more than a hundred, so a query gets only those that it calls. It is not safe for concurrent use.
type Set struct {
	db      *sqlite3.Conn
	made    map[string]bool // those that are known there
	started time.Time       // of the first now()
}

// New adds the functions that every query has to a database: those of regular expressions.
func New(db *sqlite3.Conn) (*Set, error) {
	s := &Set{db: db, made: map[string]bool{}}
	if err := regexp.Register(db); err != nil {
		return nil, provider.Internalf("add functions to SQLite").Because(err)
	}
	return s, s.Add("regexp_like")
}

// All adds all functions to a database.
func All(db *sqlite3.Conn) error {
	s, err := New(db)
	if err != nil {
		return err
	}
	for name := range names() {
		if err := s.Add(name); err != nil {
			return err
		}
	}
	return nil
}

// names are the names of all functions.
var names = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{"gen_random_uuid": true}
	for _, f := range all(time.Now) {
		set[f.name] = true
	}
	for _, a := range aggregates() {
		set[a.name] = true
	}
	return set
})

// AddCalled adds the functions that a text of SQL may call.
func (s *Set) AddCalled(text string) error {
	for i := 0; i < len(text); i++ {
		open := strings.IndexByte(text[i:], '(')
		if open < 0 {
			return nil
		}
		i += open
		before := strings.TrimRight(text[:i], " \t\r\n\f\"`")
		start := len(before)
		for start > 0 && (before[start-1] == '_' || before[start-1] >= '0' && before[start-1] <= '9' || before[start-1]|0x20 >= 'a' && before[start-1]|0x20 <= 'z') {
			start--
		}
		if err := s.Add(before[start:]); err != nil {
			return err
		}
	}
	return nil
}

// Provide adds the function that an error of SQLite misses, and reports whether it is one of these.
func (s *Set) Provide(missing error) (bool, error) {
	_, name, ok := strings.Cut(missing.Error(), "no such function: ")
	if !ok || !names()[strings.ToLower(name)] || s.made[strings.ToLower(name)] {
		return false, nil
	}
	return true, s.Add(name)
}

// Add adds a function by its name. Other names it leaves out.
func (s *Set) Add(name string) error {
	name = strings.ToLower(name)
	if !names()[name] || s.made[name] {
		return nil
	}
	s.made[name] = true
	const pure = sqlite3.DETERMINISTIC | sqlite3.INNOCUOUS | sqlite3.RESULT_SUBTYPE | sqlite3.SUBTYPE
	var errs []error
	for _, f := range all(s.now) {
		if f.name != name {
			continue
		}
		for _, n := range f.args {
			errs = append(errs, s.db.CreateFunction(f.name, n, pure, f.scalar))
		}
	}
	for _, a := range aggregates() {
		if a.name == name {
			errs = append(errs, s.db.CreateWindowFunction(a.name, a.args, pure, a.start))
		}
	}
	if name == "gen_random_uuid" {
		errs = append(errs, s.db.CreateFunction(name, 0, sqlite3.INNOCUOUS, randomUUID))
	}
	if err := errors.Join(errs...); err != nil {
		return provider.Internalf("add functions to SQLite").Because(err)
	}
	return nil
}

// now is the time of the first call: it stays the same in a query, as in PostgreSQL.
func (s *Set) now() time.Time {
	if s.started.IsZero() {
		s.started = time.Now()
	}
	return s.started
}

// Started is the time that now() returns in this query; zero: it was not called.
func (s *Set) Started() time.Time { return s.started }

// Restart begins another query: now() is another time.
func (s *Set) Restart() { s.started = time.Time{} }

// all returns the functions.
func all(now func() time.Time) []function {
	return slices.Concat(textFunctions(), jsonFunctions(), arrayFunctions(), timeFunctions(now), castFunctions(), matchFunctions(), numberFunctions())
}

func (f function) scalar(ctx sqlite3.Context, args ...sqlite3.Value) {
	if !f.nulls && slices.ContainsFunc(args, func(v sqlite3.Value) bool { return v.Type() == sqlite3.NULL }) {
		ctx.ResultNull()
		return
	}
	value, err := f.call(args)
	if err != nil {
		name := strings.TrimPrefix(f.name, dialect.Prefix)
		if dialect.IsCast(name) {
			name = "cast to " + name
		}
		ctx.ResultError(fmt.Errorf("%s: %w", name, err))
		return
	}
	result(ctx, value)
}

// result returns a value to SQLite.
func result(ctx sqlite3.Context, value any) {
	switch value := value.(type) {
	case nil:
		ctx.ResultNull()
	case string:
		ctx.ResultText(value)
	case document:
		ctx.ResultText(string(value))
		ctx.ResultSubtype(subtype)
	case int64:
		ctx.ResultInt64(value)
	case int:
		ctx.ResultInt64(int64(value))
	case float64:
		ctx.ResultFloat(value)
	case bool:
		ctx.ResultBool(value)
	case []byte:
		ctx.ResultBlob(value)
	default:
		ctx.ResultError(fmt.Errorf("a function returns a %T", value))
	}
}

// text makes a function of one text.
func text(name string, call func(string) (any, error)) function {
	return function{name: name, args: []int{1}, call: func(args []sqlite3.Value) (any, error) { return call(args[0].Text()) }}
}

// isNumeric reports whether a value is a number.
func isNumeric(v sqlite3.Value) bool {
	return v.Type() == sqlite3.INTEGER || v.Type() == sqlite3.FLOAT
}

// value returns a value of SQLite's as Go has it, with nothing of SQLite's memory.
func value(v sqlite3.Value) any {
	switch v.Type() {
	case sqlite3.INTEGER:
		return v.Int64()
	case sqlite3.FLOAT:
		return v.Float()
	case sqlite3.TEXT:
		return v.Text()
	case sqlite3.BLOB:
		return v.Blob(nil)
	default:
		return nil
	}
}
