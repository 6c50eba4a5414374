package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// Filter is a condition on a column of a table.
type Filter struct {
	Column string
	// Has is a text that the value, as it is shown, has in it, in any case (of ASCII).
	Has string
	// Is, if Exact is set, is the value itself, as Groups returned it.
	Is    any
	Exact bool
}

// RowsQuery chooses rows of a table. Its names are checked, and its values are parameters of the statement.
type RowsQuery struct {
	Table     string
	Workspace string // empty: all
	Filters   []Filter
	Sort      string // a column; empty: by workspace
	Desc      bool
	// Asked leaves out the rows of workspaces that the pipeline does not query any more.
	Asked         bool
	Offset, Limit int
}

// own are the columns that each table has besides those of its query.
func own() []Column {
	return []Column{{deploymentName, Text}, {"observed_at", Timestamp}, {"stale", Boolean}}
}

// table finds a table that is read.
func (r *Reader) table(ctx context.Context, name string) (*storedTable, error) {
	t, err := r.s.table(ctx, name)
	if err == nil && r.pipeline != "" && t.Pipeline != r.pipeline {
		return nil, provider.Errorf(provider.Unknown, "the pipeline %s has no table %s", r.pipeline, provider.Quote(name))
	}
	return t, err
}

// column finds a column of a table, and how SQL names it.
func (t *storedTable) column(name string) (c Column, in string, err error) {
	for _, c := range own() {
		if c.Name == name {
			from := map[bool]string{true: "r.", false: "s."}[name == deploymentName]
			return c, from + quote(name), nil
		}
	}
	if i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name }); i >= 0 {
		return t.Columns[i], "r." + quote(name), nil
	}
	return Column{}, "", provider.Errorf(provider.Unknown, "the table %s has no column %s", t.Name, provider.Quote(name))
}

// from joins the rows of a table with the state of their slices.
func (t *storedTable) from() string {
	return " FROM " + quote(rowsTable(t.Name)) + " r JOIN lakeql_slice s ON s.table_name = " + literal(t.Name) + " AND s.deployment_name = r.deployment_name"
}

// asText is a value as text, as rows show it.
func (d *dialect) asText(c Column, in string) string {
	switch {
	case d.postgres && c.Type == Timestamp:
		return "to_char(" + in + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
	case !d.postgres && c.Type == Boolean:
		return "CASE " + in + " WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
	}
	return "CAST(" + in + " AS text)"
}

// conditions are those of a query, with their parameters.
func (r *Reader) conditions(t *storedTable, q *RowsQuery) (text string, args []any, err error) {
	all := []string{"1 = 1"}
	parameter := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("?%d", len(args))
	}
	if q.Asked {
		all = append(all, "s.asked")
	}
	if q.Workspace != "" {
		all = append(all, "r.deployment_name = "+parameter(q.Workspace))
	}
	for _, f := range q.Filters {
		c, in, err := t.column(f.Column)
		if err != nil {
			return "", nil, err
		}
		if f.Exact {
			all = append(all, in+" IS NOT DISTINCT FROM "+parameter(f.Is))
			continue
		}
		has, find := f.Has, "instr"
		if r.s.d.postgres {
			has, find = postgres.EscapeText(has), "strpos"
		}
		all = append(all, find+"(lower("+r.s.d.asText(c, in)+"), lower(CAST("+parameter(has)+" AS text))) > 0")
	}
	return " WHERE " + strings.Join(all, " AND "), args, nil
}

// Rows returns rows of a table, with the columns deployment_name, observed_at and stale before those of its query.
// NULL comes last in both orders.
func (r *Reader) Rows(ctx context.Context, q RowsQuery) (provider.Rows, error) {
	t, err := r.table(ctx, q.Table)
	if err != nil {
		return nil, err
	}
	where, args, err := r.conditions(t, &q)
	if err != nil {
		return nil, err
	}
	var described []provider.Column
	var selected []string
	for _, c := range append(own(), t.Columns...) {
		_, in, err := t.column(c.Name)
		if err != nil {
			return nil, err
		}
		if r.s.d.postgres && c.Type == JSON {
			in += "::text"
		}
		described, selected = append(described, c.describe()), append(selected, in)
	}
	order := ""
	if q.Sort != "" {
		c, in, err := t.column(q.Sort)
		if err != nil {
			return nil, err
		}
		if r.s.d.postgres && c.Type == Text {
			in += ` COLLATE "C"` // as SQLite orders texts
		}
		order = in + map[bool]string{true: " DESC", false: ""}[q.Desc] + " NULLS LAST, "
	}
	args = append(args, q.Limit, q.Offset)
	return r.s.read(ctx, described, "SELECT "+strings.Join(selected, ", ")+t.from()+where+
		fmt.Sprintf(" ORDER BY %sr.deployment_name, r.key_hash LIMIT ?%d OFFSET ?%d", order, len(args)-1, len(args)), args...)
}

// Group counts the rows that have the same values in some columns.
type Group struct {
	Values []any
	Rows   int64
}

// Groups counts the rows of a table by the values of some columns, the most frequent first, and reports whether
// there are more than limit. It reads the rows of workspaces that the pipeline still queries.
func (r *Reader) Groups(ctx context.Context, table string, columns []string, limit int) (all []Group, more bool, err error) {
	t, err := r.table(ctx, table)
	if err != nil {
		return nil, false, err
	}
	var selected, places []string
	for i, name := range columns {
		_, in, err := t.column(name)
		if err != nil {
			return nil, false, err
		}
		selected, places = append(selected, in), append(places, fmt.Sprint(i+1))
	}
	by := strings.Join(places, ", ")
	err = each(ctx, r.s.db, "SELECT "+strings.Join(selected, ", ")+", count(*)"+t.from()+" WHERE s.asked GROUP BY "+by+
		fmt.Sprintf(" ORDER BY count(*) DESC, %s LIMIT ?1", by), []any{limit + 1}, func(scan func(...any) error) error {
		g := Group{Values: make([]any, len(columns))}
		into := make([]any, 0, len(columns)+1)
		for i := range g.Values {
			into = append(into, &g.Values[i])
		}
		if err := scan(append(into, &g.Rows)...); err != nil {
			return err
		}
		all = append(all, g)
		return nil
	})
	if len(all) > limit {
		all, more = all[:limit], true
	}
	return all, more, storeError(r.s.place, err)
}
