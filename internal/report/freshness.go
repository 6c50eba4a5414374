package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline"
)

// state is how fresh the rows of a table and a workspace are, the worse the higher.
type state int

const (
	stateNone state = iota // the table has no rows of the workspace, and does not ask for any
	stateLeft
	stateFresh
	stateWaiting
	stateLate
	stateOld
	stateFailed
	stateNever // it failed, and never answered before
)

// of says what a state is called, and how a cell shows it.
func (s state) of() (class, says, symbol string) {
	switch s {
	case stateNone:
		return "none", "not queried", "·"
	case stateLeft:
		return "left", "left: not queried any more", "–"
	case stateFresh:
		return "fresh", "fresh", ""
	case stateWaiting:
		return "waiting", "waiting for the first answer", "…"
	case stateLate:
		return "late", "missed a run", "!"
	case stateOld:
		return "old", "missed several runs", "!!"
	case stateFailed:
		return "failed", "failed: rows of an earlier run", "×"
	case stateNever:
	}
	return "failed", "failed: no rows yet", "×"
}

// limits are the ages until which rows are fresh, and late.
func limits(every time.Duration) (fresh, late time.Duration) {
	every = max(cmp.Or(every, pipeline.Unscheduled), time.Hour)
	return every + every/2, 3*every + every/2
}

func (d *drawing) every(table string) time.Duration {
	i, found := slices.BinarySearchFunc(d.Tables, table, func(t pipeline.TableOverview, name string) int { return cmp.Compare(t.Name, name) })
	if !found {
		return 0
	}
	return d.Tables[i].Every
}

func (d *drawing) stateOf(s *pipeline.Slice) state {
	switch s.State {
	case pipeline.SliceLeft:
		return stateLeft
	case pipeline.SliceUnanswered:
		return stateWaiting
	case pipeline.SliceFailed:
		if s.Observed.IsZero() {
			return stateNever
		}
		return stateFailed
	case pipeline.SliceFresh:
	}
	fresh, late := limits(d.every(s.Table))
	old := d.Now.Sub(s.Observed)
	switch {
	case old <= fresh:
		return stateFresh
	case old <= late:
		return stateLate
	}
	return stateOld
}

// heat is the map of freshness: a line for each workspace, the worst first, and a column for each table.
type heat struct {
	Tables  []string
	Hidden  int // further tables, which have no column
	Open    []heatRow
	Folded  []heatRow
	Rest    []string // the names of further workspaces
	Unnamed int      // and of how many more there is no name
	Legend  []legend
}

type heatRow struct {
	Workspace string
	Says      string // the worst state, and how often
	Cells     []heatCell
}

type heatCell struct{ Class, Age, Says, Symbol string }

type legend struct{ Class, Symbol, Says string }

const (
	mostColumns   = 24
	leastOpen     = 20
	mostOpen      = 50
	mostFolded    = 150
	mostRemaining = 1000
)

// standing is the freshness of one workspace.
type standing struct {
	name   string
	of     map[string]*pipeline.Slice
	worst  state
	n      int64 // slices in the worst state
	oldest time.Time
}

func (d *drawing) standings() []*standing {
	all := map[string]*standing{}
	for i := range d.Slices {
		s := &d.Slices[i]
		w := all[s.Workspace]
		if w == nil {
			w = &standing{name: s.Workspace, of: map[string]*pipeline.Slice{}, oldest: s.Observed}
			all[s.Workspace] = w
		}
		w.of[s.Table] = s
		is := d.stateOf(s)
		if is == stateNever { // no worse than rows that are old
			is = stateFailed
		}
		switch {
		case is > w.worst:
			w.worst, w.n = is, 1
		case is == w.worst:
			w.n++
		}
		if s.Observed.Before(w.oldest) {
			w.oldest = s.Observed
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *standing) int {
		return cmp.Or(cmp.Compare(b.worst, a.worst), cmp.Compare(b.n, a.n), a.oldest.Compare(b.oldest), cmp.Compare(a.name, b.name))
	})
}

// columns chooses the tables of the map: all by name, or if there are too many, those with the worst states.
func (d *drawing) columns() (names []string, hidden int) {
	bad := map[string]int64{}
	for i := range d.Slices {
		if s := &d.Slices[i]; d.stateOf(s) >= stateWaiting {
			bad[s.Table]++
		}
	}
	for i := range d.Tables {
		names = append(names, d.Tables[i].Name)
	}
	if hidden = len(names) - mostColumns; hidden <= 0 {
		return names, 0
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(bad[b], bad[a]) })
	names = names[:mostColumns]
	slices.Sort(names)
	return names, hidden
}

func (d *drawing) heat() (h heat) {
	h.Tables, h.Hidden = d.columns()
	all := d.standings()
	bad := len(all)
	if i := slices.IndexFunc(all, func(w *standing) bool { return w.worst <= stateFresh }); i >= 0 {
		bad = i
	}
	open := min(max(bad, leastOpen), mostOpen)
	if len(all)-open <= leastOpen/4 { // too few to fold
		open = min(len(all), mostOpen+leastOpen/4)
	}
	for i, w := range all {
		switch {
		case i < open:
			h.Open = append(h.Open, d.heatRow(w, h.Tables))
		case i < open+mostFolded:
			h.Folded = append(h.Folded, d.heatRow(w, h.Tables))
		case i < open+mostFolded+mostRemaining:
			h.Rest = append(h.Rest, d.short(w.name, longestText))
		default:
			h.Unnamed++
		}
	}
	h.Legend = d.legend()
	return h
}

func (d *drawing) heatRow(w *standing, tables []string) heatRow {
	_, says, _ := w.worst.of()
	row := heatRow{Workspace: d.short(w.name, longestText), Says: count(w.n, "table") + " " + says}
	for _, name := range tables {
		s := w.of[name]
		if s == nil {
			class, says, symbol := stateNone.of()
			row.Cells = append(row.Cells, heatCell{class, symbol, says, symbol})
			continue
		}
		class, says, symbol := d.stateOf(s).of()
		cell := heatCell{Class: class, Says: says, Symbol: symbol, Age: symbol}
		if !s.Observed.IsZero() {
			cell.Age = age(d.Now.Sub(s.Observed))
		}
		row.Cells = append(row.Cells, cell)
	}
	return row
}

// legend explains the cells that the map has.
func (d *drawing) legend() (all []legend) {
	there := map[state]bool{stateFresh: true}
	for i := range d.Slices {
		is := d.stateOf(&d.Slices[i])
		if is == stateNever {
			is = stateFailed
		}
		there[is] = true
	}
	var every []time.Duration
	for i := range d.Tables {
		if !slices.Contains(every, d.Tables[i].Every) {
			every = append(every, d.Tables[i].Every)
		}
	}
	for _, is := range []state{stateFresh, stateLate, stateOld, stateFailed, stateWaiting, stateLeft} {
		if !there[is] {
			continue
		}
		class, says, symbol := is.of()
		if is == stateFailed {
			says = "failed: rows of an earlier run, or none"
		}
		if len(every) == 1 {
			fresh, late := limits(every[0])
			switch is {
			case stateFresh:
				says += ", at most " + spoken(fresh)
			case stateLate:
				says += ", at most " + spoken(late)
			case stateNone, stateLeft, stateWaiting, stateOld, stateFailed, stateNever:
			}
		}
		all = append(all, legend{class, symbol, says})
	}
	return all
}
