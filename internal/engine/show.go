package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// columns makes a header of text columns. Those after the bar are for EXTENDED only.
func columns(extended bool, header string) []provider.Column {
	plain, more, _ := strings.Cut(header, "|")
	names := strings.Fields(plain)
	if extended {
		names = append(names, strings.Fields(more)...)
	}
	all := make([]provider.Column, len(names))
	for i, name := range names {
		all[i] = provider.Column{Name: name, Type: "string"}
	}
	return all
}

// listing is the answer to a SHOW before LIKE and WHERE choose among its rows.
type listing struct {
	header string
	rows   [][]any
	names  []int // columns that LIKE looks at
}

func (p *planner) planShow(show *statement.Show) (*plan, error) {
	l := lister{p.session, p.names}
	t, err := l.shown(show)
	if err != nil {
		return nil, err
	}
	all := columns(true, t.header)
	cols := columns(show.Extended, t.header)
	var rows [][]any
	for _, row := range t.rows {
		keep, err := t.chosen(show, all, row)
		if err != nil {
			return nil, err
		}
		if keep {
			rows = append(rows, row[:len(cols)])
		}
	}
	if len(t.rows) == 0 && show.Where != nil { // a condition that names no column is wrong all the same
		if _, err := matches(show, all, make([]any, len(all))); err != nil {
			return nil, err
		}
	}
	former, err := l.former(show)
	if err != nil {
		return nil, err
	}
	for _, f := range former {
		keep, err := matches(show, all, f.row)
		if err != nil {
			return nil, err
		}
		if more := addRow(rows, f.row[:len(cols)]); keep && len(more) > len(rows) {
			p.names.renamed.add(f.sentence)
			rows = more
		}
	}
	return fixed(cols, rows), nil
}

// chosen reports whether a row matches LIKE and WHERE.
func (t listing) chosen(show *statement.Show, cols []provider.Column, row []any) (bool, error) {
	if show.Like != "" && !slices.ContainsFunc(t.names, func(i int) bool { return statement.Like(show.Like, fmt.Sprint(row[i])) }) {
		return false, nil
	}
	return matches(show, cols, row)
}

// matches reports whether a row matches WHERE.
func matches(show *statement.Show, cols []provider.Column, row []any) (bool, error) {
	if show.Where == nil {
		return true, nil
	}
	return show.Where.Match(func(name string) (string, bool) {
		for i, c := range cols {
			if strings.EqualFold(c.Name, name) {
				if row[i] == nil {
					return "", true
				}
				return fmt.Sprint(row[i]), true
			}
		}
		return "", false
	})
}

func (p *planner) planRegistry(r *statement.Registry) (*plan, error) {
	rows, err := lister{p.session, p.names}.providers()
	if err != nil {
		return nil, err
	}
	if len(r.Name) > 0 {
		found, err := p.names.lookup(r.Name[:1])
		if err != nil {
			return nil, err
		}
		known := found.Provider
		if r.Pull {
			message := fmt.Sprintf("%s %s is part of lakeql: there is nothing to pull", known.Name, known.Version)
			return fixed([]provider.Column{{Name: "message", Type: "string"}}, [][]any{{message}}), nil
		}
		rows = [][]any{{known.Name, known.Version}}
	}
	return fixed(columns(false, "provider version"), rows), nil
}
