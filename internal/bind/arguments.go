package bind

import (
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Arg is a value for a placeholder in a statement: ?, ?2, :name, @name or $name; in an EXEC ? or
// :name.
type Arg struct {
	Name    string // without its sign; empty: by position
	Ordinal int    // from 1
	Value   any    // nil, bool, string, int64 or float64
}

// Args are the values for the placeholders of a text. They may be used by several goroutines. A nil
// *Args has none.
type Args struct {
	all []*arg
}

// arg is an Arg that a placeholder may have taken.
type arg struct {
	Arg
	taken atomic.Bool
}

// NewArgs makes values available to placeholders.
func NewArgs(values []Arg) *Args {
	args := &Args{all: make([]*arg, len(values))}
	for i, value := range values {
		args.all[i] = &arg{Arg: value}
	}
	return args
}

// Empty reports whether there are no values.
func (a *Args) Empty() bool { return a == nil || len(a.all) == 0 }

// take returns the first value that fits, and remembers that it was used.
func (a *Args) take(fits func(Arg) bool) (any, bool) {
	if a == nil {
		return nil, false
	}
	for _, one := range a.all {
		if fits(one.Arg) {
			one.taken.Store(true)
			return one.Value, true
		}
	}
	return nil, false
}

// Numbered returns the value for a placeholder of SQLite's: its number, from 1, and its name with
// the sign, if it has one.
func (a *Args) Numbered(n int, name string) (any, bool) {
	return a.take(func(value Arg) bool {
		if value.Name != "" {
			return len(name) > 1 && name[1:] == value.Name
		}
		return value.Ordinal == n
	})
}

// Value returns the value for a placeholder of an EXEC.
func (a *Args) Value(v statement.Value) (any, error) {
	value, ok := a.take(func(value Arg) bool {
		return value.Name == v.Text || value.Name == "" && strconv.Itoa(value.Ordinal) == v.Text
	})
	if ok {
		return value, nil
	}
	return nil, provider.Usagef("no value for the placeholder %s", provider.Quote(v.Text)).
		At(v.Pos()).
		Hintf("placeholders are for programs that use the driver; here, write the value, or {{ name }} with --var")
}

// AllTaken is an error if no placeholder has taken one of the values.
func (a *Args) AllTaken() error {
	if a == nil {
		return nil
	}
	for _, one := range a.all {
		if one.taken.Load() {
			continue
		}
		name := ":" + provider.Printable(one.Name)
		if one.Name == "" {
			name = fmt.Sprintf("?%d", one.Ordinal)
		}
		return provider.Usagef("a value is given for %s, and there is no such placeholder", name).
			Hintf("placeholders stand outside of quotes: ? or :name")
	}
	return nil
}
