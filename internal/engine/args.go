package engine

import (
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Arg is a value for a placeholder in a statement: ?, ?2, :name, @name or $name; in an EXEC ? or :name.
type Arg struct {
	Name    string // without its sign; empty: by position
	Ordinal int    // from 1
	Value   any    // nil, bool, string, int64 or float64
}

// placeholderValue is an Arg that a placeholder may have taken.
type placeholderValue struct {
	Arg
	taken atomic.Bool // passes ahead of a statement take it as well
}

// take makes values those of the session's next statements.
func (s *Session) take(args []Arg) {
	s.args = make([]*placeholderValue, len(args))
	for i, a := range args {
		s.args[i] = &placeholderValue{Arg: a}
	}
}

// allTaken is an error where a value was given that no statement has a place for.
func (s *Session) allTaken() error {
	for _, a := range s.args {
		if a.taken.Load() {
			continue
		}
		name := ":" + provider.Printable(a.Name)
		if a.Name == "" {
			name = fmt.Sprintf("?%d", a.Ordinal)
		}
		return &provider.Error{
			Code:    provider.Usage,
			Message: "a value is given for " + name + ", and there is no such placeholder",
			Hint:    "placeholders stand outside of quotes: ? or :name",
		}
	}
	return nil
}

// valueFor gives the value for a placeholder of an EXEC.
func (s *Session) valueFor(v statement.Value) (any, error) {
	for _, a := range s.args {
		if a.Name == v.Text || a.Name == "" && strconv.Itoa(a.Ordinal) == v.Text {
			a.taken.Store(true)
			return a.Value, nil
		}
	}
	return nil, &provider.Error{
		Code:     provider.Usage,
		Message:  "no value for the placeholder " + provider.Quote(v.Text),
		Hint:     "placeholders are for programs that use the driver; here, write the value, or {{ name }} with --var",
		Position: v.Pos(),
	}
}

// bindArgs gives the placeholders of a statement of the program's their values.
func (p *program) bindArgs(stmt *sqlite3.Stmt) error {
	for i := range stmt.BindCount() {
		n := i + 1
		name := stmt.BindName(n)
		at := slices.IndexFunc(p.session.args, func(a *placeholderValue) bool {
			if a.Name != "" {
				return len(name) > 1 && name[1:] == a.Name
			}
			return a.Ordinal == n
		})
		if at < 0 {
			if name == "" {
				name = fmt.Sprintf("?%d", n)
			}
			return &provider.Error{Code: provider.Usage, Message: "no value for the placeholder " + name, Position: p.position}
		}
		a := p.session.args[at]
		a.taken.Store(true)
		if err := bindValue(stmt, n, a.Value); err != nil {
			return err
		}
	}
	return nil
}
