package engine

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// setting is a value that SET changes for the rest of the session.
type setting struct {
	name, description string
	value             func(*Session) string
	// parse reads a value and returns the effect of SET.
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
					return nil, provider.Usagef("page_limit: %s is no number of pages", provider.Quote(text))
				}
				return func(s *Session) { s.Client.PageLimit = n }, nil
			},
		},
		{
			"memory", "memory of a statement for its answers, and as much for SQLite, such as 512MiB",
			func(s *Session) string { return memoryText(s.SQLMemory) },
			func(text string) (func(*Session), error) {
				n, err := ParseMemory(text)
				return func(s *Session) { s.SetMemory(n) }, err
			},
		},
	}
}

// HasSetting reports whether SET knows a name.
func (s *Session) HasSetting(name string) bool {
	return slices.ContainsFunc(settings(), func(known setting) bool { return strings.EqualFold(known.name, name) })
}

// planSet checks that the setting exists and takes the value. It changes nothing until it runs.
func (p *planner) planSet(set *statement.Set) (*plan, error) {
	all := settings()
	i := slices.IndexFunc(all, func(known setting) bool { return known.name == set.Name })
	if i < 0 {
		var names []string
		for _, known := range all {
			names = append(names, known.name)
		}
		return nil, provider.Errorf(provider.Unknown, "unknown setting %s", provider.Quote(set.Name)).
			At(set.Position).
			Hintf("known are %s", strings.Join(names, ", "))
	}
	apply, err := all[i].parse(set.Value.Text)
	if err != nil {
		return nil, provider.At(err, set.Value.Pos())
	}
	return &plan{run: func(context.Context) (provider.Rows, error) {
		apply(p.session)
		return provider.NewRows(nil, nil), nil
	}}, nil
}
