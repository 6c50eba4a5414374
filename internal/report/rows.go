package report

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/provider"
)

const (
	rowsShown    = 100
	changesShown = 50
	// mostPages bounds how far one can page: a filter finds what is behind that.
	mostPages = 10_000
	// longestWhole bounds a value that is shown as a whole, in characters, and wholes those of a page.
	longestWhole = 8_000
	wholes       = 1_000_000
	// filterPrefix is before the column in the name of a filter's parameter.
	filterPrefix = "has."
)

// rowsPage is a page with rows of a table.
type rowsPage struct {
	frame

	Table, Workspace string
	Columns          []columnHead
	Rows             [][]cell
	Says             string
	History          string // address
	Sort, Desc       string // values of the form
	Filtered         bool
	Plain            string // the address without filters
	Earlier, Later   string // addresses
}

// columnHead is a column, with the address that sorts by it, and its filter.
type columnHead struct {
	Name, Sort, Order, Arrow string
	Filter, Has              string
}

// cell is a value of a row.
type cell struct {
	value

	Whole string // the text, if it is longer than what is shown first
	Link  string
}

// rows draws a page of rows. Parameters: sort, desc, workspace, page, and has.<column> for each filter.
func (s *Server) rows(ctx context.Context, r *http.Request) (string, framed, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", nil, provider.Usagef("the address has parameters that cannot be read: %v", err)
	}
	q := pipeline.RowsQuery{Table: r.PathValue("table"), Workspace: query.Get("workspace"), Sort: query.Get("sort"), Desc: query.Get("desc") != "", Limit: rowsShown + 1}
	page := 1
	for _, name := range slices.Sorted(maps.Keys(query)) {
		value := query.Get(name)
		column, isFilter := strings.CutPrefix(name, filterPrefix)
		switch {
		case isFilter && value == "":
			query.Del(name)
		case isFilter:
			q.Filters = append(q.Filters, pipeline.Filter{Column: column, Has: value})
		case name == "page":
			if page, err = strconv.Atoi(value); err != nil || page < 1 || page > mostPages {
				return "", nil, provider.Usagef("page %s is no number from 1 to %d", provider.Quote(value), mostPages).Hintf("filter the rows")
			}
		case name == "sort" || name == "desc" || name == "workspace":
			if value == "" {
				query.Del(name)
			}
		default:
			return "", nil, provider.Usagef("the address has an unknown parameter %s", provider.Quote(name))
		}
	}
	q.Offset = (page - 1) * rowsShown
	rows, err := s.source.Rows(ctx, q)
	if err != nil {
		return "", nil, err
	}
	p := &rowsPage{Table: q.Table, Workspace: q.Workspace, Sort: q.Sort, Desc: query.Get("desc"), Filtered: len(q.Filters) > 0, History: tablePath(q.Table) + "/history"}
	path := tablePath(q.Table)
	p.heads(rows.Columns(), path, query, q)
	more, err := s.fill(ctx, p, rows)
	if err = errors.Join(err, rows.Close()); err != nil {
		return "", nil, err
	}
	with := func(page int) string {
		other := maps.Clone(query)
		other.Set("page", strconv.Itoa(page))
		return address(path, other)
	}
	if page > 1 {
		p.Earlier = with(page - 1)
	}
	if more && page < mostPages {
		p.Later = with(page + 1)
	}
	plain := url.Values{}
	if q.Workspace != "" {
		plain.Set("workspace", q.Workspace)
	}
	p.Plain = address(path, plain)
	switch {
	case len(p.Rows) == 0:
		p.Says = "No rows."
	case more:
		p.Says = "Rows " + number(q.Offset+1) + " to " + number(q.Offset+len(p.Rows)) + "; more follow."
	default:
		p.Says = "Rows " + number(q.Offset+1) + " to " + number(q.Offset+len(p.Rows)) + ", the last ones."
	}
	p.Title = q.Table
	p.Table = text{s.options.LooksSecret}.short(q.Table, longestText)
	return "rows.html", p, nil
}

// heads draws the heads of the columns. A click on one sorts by it, and a second click in the other order.
func (p *rowsPage) heads(columns []provider.Column, path string, query url.Values, q pipeline.RowsQuery) {
	for _, c := range columns {
		sort := maps.Clone(query)
		sort.Del("page")
		sort.Del("desc")
		sort.Set("sort", c.Name)
		head := columnHead{Name: text{}.short(c.Name, longestText), Filter: filterPrefix + c.Name, Has: query.Get(filterPrefix + c.Name), Order: "none"}
		if q.Sort == c.Name {
			head.Order, head.Arrow = "ascending", "↑"
			if q.Desc {
				head.Order, head.Arrow = "descending", "↓"
			} else {
				sort.Set("desc", "1")
			}
		}
		head.Sort = address(path, sort)
		p.Columns = append(p.Columns, head)
	}
}

// fill draws the rows of a page, and reports whether there are more.
func (s *Server) fill(ctx context.Context, p *rowsPage, rows provider.Rows) (more bool, err error) {
	t, budget := text{s.options.LooksSecret}, wholes
	for {
		row, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if len(p.Rows) == rowsShown {
			return true, nil
		}
		cells := make([]cell, len(row))
		for i, v := range row {
			cells[i].value = t.value(v)
			all, null := written(v)
			if whole := t.short(all, longestWhole); !null && whole != cells[i].Text && all != "" && len(whole) <= budget {
				cells[i].Whole = whole
				budget -= len(whole)
			}
			if rows.Columns()[i].Name == "deployment_name" {
				cells[i].Link = workspacePath(all)
			}
		}
		p.Rows = append(p.Rows, cells)
	}
}

// historyPage is a page with changes of a table, or of a workspace.
type historyPage struct {
	frame

	Of, Kind string
	Slices   []sliceRow
	Groups   []changed
	Later    string // the address of older changes
	Rows     string // the address of the table's rows
}

// sliceRow is the state of a table in a workspace.
type sliceRow struct {
	Table, Rows, Class, Says, Error, Link string
	Observed                              stamp
}

// history draws the changes of a table, newest first.
func (s *Server) history(ctx context.Context, r *http.Request) (string, framed, error) {
	name := r.PathValue("table")
	p := &historyPage{frame: frame{Title: name + ": changes"}, Of: text{s.options.LooksSecret}.short(name, longestText), Kind: "Table", Rows: tablePath(name)}
	return "history.html", p, s.changes(ctx, r, p, name, "")
}

// workspace draws the state of a workspace, and the changes of its rows.
func (s *Server) workspace(ctx context.Context, r *http.Request) (string, framed, error) {
	name := r.PathValue("workspace")
	over, err := s.source.Overview(ctx, time.Now(), 1) // without days
	if err != nil {
		return "", nil, err
	}
	if s.options.Now != nil {
		over.Now = s.options.Now()
	}
	d := &drawing{Overview: over, text: text{s.options.LooksSecret}}
	p := &historyPage{frame: frame{Title: name, Store: d.short(over.Place, longestError), Made: d.stamp(over.Now)}, Of: d.short(name, longestText), Kind: "Workspace"}
	for i := range over.Slices {
		slice := &over.Slices[i]
		if slice.Workspace != name {
			continue
		}
		class, says, _ := d.stateOf(slice).of()
		row := sliceRow{
			Table: d.short(slice.Table, longestText), Rows: number(slice.Rows), Class: class, Says: says, Error: d.short(slice.Error, longestError),
			Link: address(tablePath(slice.Table), url.Values{"workspace": {name}}), Observed: d.stamp(slice.Observed),
		}
		p.Slices = append(p.Slices, row)
	}
	if len(p.Slices) == 0 {
		return "", nil, provider.Errorf(provider.Unknown, "the store has no workspace %s", provider.Quote(name))
	}
	return "history.html", p, s.changes(ctx, r, p, "", name)
}

// changes draws changes, from the place in the parameter after on.
func (s *Server) changes(ctx context.Context, r *http.Request, p *historyPage, table, workspace string) error {
	after, err := parseCursor(r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	found, more, err := s.source.History(ctx, table, workspace, after, changesShown)
	if err != nil {
		return err
	}
	t := text{s.options.LooksSecret}
	for i := range found {
		c := &found[i]
		n := len(p.Groups)
		if n == 0 || i > 0 && (c.Table != found[i-1].Table || c.Workspace != found[i-1].Workspace || c.Run != found[i-1].Run) {
			p.Groups = append(p.Groups, changed{Table: t.short(c.Table, longestText), Workspace: t.short(c.Workspace, longestText), Run: c.Run, At: t.stamp(c.At)})
			n++
		}
		p.Groups[n-1].Rows = append(p.Groups[n-1].Rows, t.row(c))
	}
	if more {
		last := found[len(found)-1]
		p.Later = address(r.URL.EscapedPath(), url.Values{"after": {cursorText(last)}})
	}
	return nil
}

// cursorText is the place behind a change, for an address.
func cursorText(c pipeline.RowChange) string {
	return c.At.UTC().Format(time.RFC3339Nano) + "~" + c.Table + "~" + strconv.FormatInt(c.ID, 10)
}

// parseCursor reads a place; nil for an empty text.
func parseCursor(s string) (*pipeline.Cursor, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // from the newest on
	}
	parts := strings.Split(s, "~")
	if len(parts) == 3 {
		at, err := time.Parse(time.RFC3339Nano, parts[0])
		id, other := strconv.ParseInt(parts[2], 10, 64)
		if err == nil && other == nil {
			return &pipeline.Cursor{At: at, Table: parts[1], ID: id}, nil
		}
	}
	return nil, provider.Usagef("the parameter after, %s, is no place in the history", provider.Quote(s))
}
