package report

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/pipeline"
)

// tile is a number at the top of the page.
type tile struct {
	Label, Value, Note string
	Tone               string // good, bad, or quiet
}

// pipelines are the names of the pipelines of the tables.
func (d *drawing) pipelines() string {
	of := map[string]bool{}
	for i := range d.Tables {
		of[d.Tables[i].Pipeline] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(of)), ", ")
}

// sums counts the slices by their state.
type sums struct {
	rows, asked, failed, waiting, old int64
	workspaces, failing, left, tables map[string]bool
}

func (d *drawing) sums() sums {
	s := sums{workspaces: map[string]bool{}, failing: map[string]bool{}, left: map[string]bool{}, tables: map[string]bool{}}
	for i := range d.Slices {
		slice := &d.Slices[i]
		if slice.State == pipeline.SliceLeft {
			s.left[slice.Workspace] = true
			continue
		}
		s.rows += slice.Rows
		s.asked++
		s.workspaces[slice.Workspace], s.tables[slice.Table] = true, true
		switch d.stateOf(slice) {
		case stateFailed, stateNever:
			s.failed++
			s.failing[slice.Workspace] = true
		case stateWaiting:
			s.waiting++
		case stateLate, stateOld:
			s.old++
		case stateNone, stateLeft, stateFresh:
		}
	}
	for workspace := range s.workspaces { // it left some tables only
		delete(s.left, workspace)
	}
	return s
}

// verdict is the state of everything in one sentence.
func (d *drawing) verdict() (says, tone string) {
	s := d.sums()
	var parts []string
	switch failing, unknown := notPassing(d.checked); {
	case failing > 0 && unknown > 0:
		parts = append(parts, count(failing, "check")+" of "+number(len(d.checked))+" did not pass, "+number(unknown)+" unknown")
	case failing > 0:
		parts = append(parts, count(failing, "check")+" of "+number(len(d.checked))+" did not pass")
	case unknown > 0:
		parts = append(parts, count(unknown, "check")+" of "+number(len(d.checked))+" unknown")
	}
	if s.failed > 0 {
		parts = append(parts, count(s.failed, "query")+" of "+number(s.asked)+" failed, in "+count(int64(len(s.failing)), "workspace"))
	}
	if s.old > 0 {
		parts = append(parts, count(s.old, "query")+" missed a run")
	}
	if s.waiting > 0 {
		parts = append(parts, count(s.waiting, "query")+" waiting for an answer")
	}
	switch {
	case s.asked == 0:
		return "Nothing was run into this store yet.", "quiet"
	case len(parts) == 0 && len(d.checked) > 0:
		return "Every table of every workspace is up to date, and every check passes.", "good"
	case len(parts) == 0:
		return "Every table of every workspace is up to date.", "good"
	}
	return strings.Join(parts, "; ") + ".", "bad"
}

func (d *drawing) tiles() []tile {
	s := d.sums()
	bad := func(n int64) string {
		if n > 0 {
			return "bad"
		}
		return "good"
	}
	failed, of := int64(0), ""
	if len(d.Runs) > 0 {
		failed, of = d.Runs[0].Failed, "in the last run of "+count(d.Runs[0].Queries, "query")
	}
	all := []tile{
		{"Rows", number(s.rows), "in " + count(int64(len(s.tables)), "table"), "quiet"},
		{"Workspaces", number(len(s.workspaces)), count(s.asked, "query"), "quiet"},
		{"Stale", number(s.failed + s.old), "tables of workspaces with old rows", bad(s.failed + s.old)},
		{"Failed", number(failed), cmp.Or(of, "no run yet"), bad(failed)},
		{"Left", number(len(s.left)), "workspaces not queried any more", "quiet"},
	}
	if len(s.left) == 1 {
		all[len(all)-1].Note = "workspace not queried any more"
	}
	if len(d.checked) > 0 {
		failing, unknown := notPassing(d.checked)
		t := tile{"Checks", number(failing), "not passed, of " + number(len(d.checked)), bad(failing)}
		if unknown > 0 {
			t.Note += "; " + number(unknown) + " unknown"
		}
		if failing == 0 && unknown > 0 {
			t.Tone = "quiet"
		}
		all = append(all, t)
	}
	return all
}

// failure is a reason why queries failed.
type failure struct {
	Reason             string
	Queries            string
	Tables, Workspaces []string
	MoreTables, More   int
}

const (
	mostReasons = 12
	mostNamed   = 8
)

// failures groups the slices that failed by their reason, the most frequent first.
func (d *drawing) failures() (all []failure, more int) {
	type group struct {
		reason             string
		queries            int64
		tables, workspaces map[string]bool
	}
	of := map[string]*group{}
	for i := range d.Slices {
		s := &d.Slices[i]
		if s.State != pipeline.SliceFailed {
			continue
		}
		reason := reasonOf(s)
		g := of[reason]
		if g == nil {
			g = &group{reason: s.Error, tables: map[string]bool{}, workspaces: map[string]bool{}}
			of[reason] = g
		} else {
			g.reason = reason
		}
		g.queries++
		g.tables[s.Table], g.workspaces[s.Workspace] = true, true
	}
	groups := slices.SortedFunc(maps.Values(of), func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.queries, a.queries), cmp.Compare(a.reason, b.reason))
	})
	named := func(of map[string]bool) ([]string, int) {
		names := slices.Sorted(maps.Keys(of))
		for i := range names {
			names[i] = d.short(names[i], longestText)
		}
		n := min(len(names), mostNamed)
		return names[:n], len(names) - n
	}
	for _, g := range groups[:min(len(groups), mostReasons)] {
		f := failure{Reason: d.short(cmp.Or(g.reason, "no reason is known"), longestError), Queries: count(g.queries, "query")}
		f.Tables, f.MoreTables = named(g.tables)
		f.Workspaces, f.More = named(g.workspaces)
		all = append(all, f)
	}
	return all, len(groups) - len(all)
}

// aboutOne matches the parts of a message about one call: its method, and its request.
var aboutOne = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^databricks_\w+(\.\w+)+: |\s*\((GET|POST|PUT|PATCH|DELETE|HEAD) https?://[^()]*\)|,? ?request id [0-9A-Za-z-]+`)
})

// reasonOf is the message of a slice without what is about its call and its workspace only.
func reasonOf(s *pipeline.Slice) string {
	return strings.ReplaceAll(aboutOne().ReplaceAllString(s.Error, ""), s.Workspace, "…")
}

// run is a run in the list of the last ones.
type run struct {
	ID                                    int64
	Pipeline, State, Tone                 string
	Begun                                 stamp
	Took, By                              string
	Done, Failed, Rows, Calls             string
	Added, Changed, Removed, Error, Later string
}

func (d *drawing) runs() (all []run) {
	for i := range d.Runs {
		r := &d.Runs[i]
		drawn := run{
			ID: r.ID, Pipeline: d.short(r.Pipeline, longestText), State: d.short(r.State, longestText), Begun: d.stamp(r.Begun), By: d.short(r.StartedBy, longestText),
			Done: number(r.Done) + " of " + number(r.Queries), Failed: number(r.Failed), Rows: number(r.Rows), Calls: number(r.Calls),
			Added: number(r.Added), Changed: number(r.Changed), Removed: number(r.Removed), Error: d.short(r.Error, longestError), Took: "under way", Tone: "quiet",
		}
		if !r.Ended.IsZero() {
			drawn.Took = took(r.Ended.Sub(r.Begun))
		}
		switch r.State {
		case "done":
			drawn.Tone = "good"
		case "failed", "interrupted":
			drawn.Tone = "bad"
		}
		all = append(all, drawn)
	}
	return all
}

// schedule is when a pipeline runs next.
type schedule struct {
	Pipeline, Cron, Zone, Note string
	Next                       stamp
}

func (d *drawing) schedules() (all []schedule) {
	for _, c := range d.Schedules {
		s := schedule{d.short(c.Pipeline, longestText), d.short(c.Cron, longestText), d.short(cmp.Or(c.Timezone, "UTC"), longestText), d.short(c.Error, longestError), d.stamp(c.Next)}
		switch {
		case c.Paused:
			s.Note = "paused"
		case d.Workers == 0:
			s.Note = "no worker is running: lakeql worker starts the runs"
		}
		all = append(all, s)
	}
	return all
}

// table is a table in the list of tables.
type table struct {
	Name, Description, Pipeline            string
	Rows, Workspaces, Added, Changed, Gone string
	Stale                                  string
	Tone                                   string
	Oldest                                 stamp
	Notes                                  []string // what readers of the table should know
}

// mostAbsent is how many columns that are not returned any more are named.
const mostAbsent = 10

// notes says which columns of a table read as NULL, and whether the schedule is another version of the pipeline.
func (d *drawing) notes(t *pipeline.TableOverview) (all []string) {
	if n := len(t.Absent); n > 0 {
		names := strings.Join(t.Absent[:min(n, mostAbsent)], ", ")
		if n > mostAbsent {
			names += " and " + number(n-mostAbsent) + " more"
		}
		all = append(all, d.short("The query no longer returns "+names+": the values are NULL.", longestError))
	}
	if t.Note != "" {
		all = append(all, d.short(t.Note, longestError))
	}
	return all
}

func (d *drawing) tables() (all []table, more int) {
	type sum struct{ rows, workspaces, stale, added, changed, removed int64 }
	of := map[string]*sum{}
	oldest := map[string]*pipeline.Slice{}
	for i := range d.Tables {
		of[d.Tables[i].Name] = &sum{}
	}
	for i := range d.Slices {
		s := &d.Slices[i]
		t := of[s.Table]
		if t == nil || s.State == pipeline.SliceLeft {
			continue
		}
		t.rows += s.Rows
		t.workspaces++
		if s.State == pipeline.SliceFailed {
			t.stale++
		}
		if old := oldest[s.Table]; !s.Observed.IsZero() && (old == nil || s.Observed.Before(old.Observed)) {
			oldest[s.Table] = s
		}
	}
	for _, day := range d.Days {
		if t := of[day.Table]; t != nil {
			t.added, t.changed, t.removed = t.added+day.Added, t.changed+day.Changed, t.removed+day.Removed
		}
	}
	for i := range d.Tables {
		if len(all) == mostTables {
			break
		}
		t, s := &d.Tables[i], of[d.Tables[i].Name]
		drawn := table{
			Name: d.short(t.Name, longestText), Description: d.short(t.Description, longestError), Pipeline: d.short(t.Pipeline, longestText),
			Rows: number(s.rows), Workspaces: number(s.workspaces), Stale: number(s.stale), Tone: "quiet",
			Added: number(s.added), Changed: number(s.changed), Gone: number(s.removed), Oldest: stamp{Text: "never"}, Notes: d.notes(t),
		}
		if s.stale > 0 {
			drawn.Tone = "bad"
		}
		if o := oldest[t.Name]; o != nil {
			drawn.Oldest = d.stamp(o.Observed)
		}
		all = append(all, drawn)
	}
	return all, len(d.Tables) - len(all)
}
