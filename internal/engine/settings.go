package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// setting is something that SET changes for the rest of the session.
type setting struct {
	name, description string
	value             func(*Session) string
	// parse reads a value and returns what SET does with it.
	parse func(text string) (apply func(*Session), err error)
}

func settings() []setting {
	return []setting{
		{
			"on_error", "fail, or partial: go on without what a failing call takes away",
			func(s *Session) string { return string(cmp.Or(s.OnError, Fail)) },
			func(text string) (func(*Session), error) {
				o, err := ParseOnError(text)
				return func(s *Session) { s.OnError = o }, err
			},
		},
		{
			"page_limit", "pages of a list to read at most; 0: all",
			func(s *Session) string { return strconv.Itoa(s.Client.PageLimit) },
			func(text string) (func(*Session), error) {
				n, err := strconv.Atoi(text)
				if err != nil || n < 0 {
					return nil, &provider.Error{Code: provider.Usage, Message: "page_limit: " + provider.Quote(text) + " is no number of pages"}
				}
				return func(s *Session) { s.Client.PageLimit = n }, nil
			},
		},
	}
}

// planSet checks that the setting exists and takes the value. It changes nothing until it runs.
func (s *Session) planSet(set *statement.Set) (*plan, error) {
	all := settings()
	i := slices.IndexFunc(all, func(known setting) bool { return known.name == set.Name })
	if i < 0 {
		var names []string
		for _, known := range all {
			names = append(names, known.name)
		}
		return nil, &provider.Error{
			Code:     provider.Unknown,
			Message:  "unknown setting " + provider.Quote(set.Name),
			Hint:     "known are " + strings.Join(names, ", "),
			Position: set.Position,
		}
	}
	apply, err := all[i].parse(set.Value.Text)
	if err != nil {
		return nil, provider.At(err, set.Value.Pos())
	}
	return &plan{run: func(context.Context) (provider.Rows, error) {
		apply(s)
		return provider.NewRows(nil, nil), nil
	}}, nil
}

// settingRows lists the settings.
func (s *Session) settingRows() [][]any {
	var rows [][]any
	for _, known := range settings() {
		rows = append(rows, []any{known.name, known.value(s), known.description})
	}
	return rows
}

// planUse checks that there is such a provider. Names are written in full here, so it changes nothing.
func (s *Session) planUse(u *statement.Use) (*plan, error) {
	if _, err := s.lookup(statement.Name{u.Provider}); err != nil {
		return nil, err
	}
	return fixed(nil, nil), nil
}

// planPurge is StackQL's way to empty its caches, of which there are none here.
func (s *Session) planPurge() *plan {
	return fixed([]provider.Column{{Name: "message", Type: "string"}}, [][]any{{"there is no cache to purge: every statement asks the API"}})
}

// planSleep waits, for scripts made for StackQL.
func (s *Session) planSleep(sl *statement.Sleep) *plan {
	return &plan{run: func(ctx context.Context) (provider.Rows, error) {
		timer := time.NewTimer(sl.Duration)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return nil, &provider.Error{Code: provider.Canceled, Message: "canceled", Err: context.Cause(ctx)}
		case <-timer.C:
			return provider.NewRows(nil, nil), nil
		}
	}}
}

// planNative runs a query as it stands, over the tables and views of the stores.
func (s *Session) planNative(n *statement.NativeQuery) (*plan, error) {
	parsed, err := statement.Parse(n.Text)
	if err == nil && len(parsed) == 1 {
		if q, ok := parsed[0].(*statement.Query); ok {
			return s.planText(n.Position, func(*vtab.Program) (string, error) { return q.Text, nil })
		}
	}
	e := &provider.Error{Code: provider.Usage, Message: "NATIVEQUERY takes one query: SELECT, VALUES or WITH", Position: n.Position, Err: err}
	if fault, ok := errors.AsType[*provider.Error](err); ok {
		e.Message += "; " + fault.Message
	}
	return nil, e
}

// unknownStatement is the error that nothing is known of a kind of statement.
func unknownStatement(st statement.Statement) error {
	return &provider.Error{Code: provider.Internal, Message: fmt.Sprintf("no plan for a %T", st), Position: st.Pos()}
}
