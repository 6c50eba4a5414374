package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/pipeline"
)

// driver is a kind of compute that costs, by size, and by what happens when it idles.
type driver struct {
	Title   string
	Missing string // why there is nothing to show; empty: there is
	Total   string
	Running string
	Never   string // how many never stop
	Sizes   []sizeRow
	Worst   []costly
	Cut     bool // the rarest kinds are not counted
}

// sizeRow is a line of a driver: those of one size.
type sizeRow struct {
	Size           string
	Stops, Never   float64 // widths of the bar, of 100
	Count, Running string
	NeverN         string
}

// costly is one of those that cost most.
type costly struct {
	Name, Workspace, Size, Idle, State, Tone string
}

// collected is how a driver is read from its table.
type collected struct {
	title, table string
	needs, wants []string // columns; it works without those that it wants
	name         []string // columns with its name, the first that has one
	running      string   // its state while it costs
	// size tells the size, its order, and its weight within that.
	size func(v values) (name string, order int, weight float64)
	// idle tells what happens when it idles.
	idle func(v values) (says string, never bool)
}

// values are those of a group, or of a row, by column.
type values map[string]any

func (v values) text(column string) string {
	s, null := written(v[column])
	if null {
		return ""
	}
	return s
}

func (v values) number(column string) (float64, bool) {
	f, err := strconv.ParseFloat(v.text(column), 64)
	return f, err == nil
}

// warehouseSizes are the sizes of SQL warehouses, in the order of the API.
func warehouseSizes() []string {
	return []string{"2X-Small", "X-Small", "Small", "Medium", "Large", "X-Large", "2X-Large", "3X-Large", "4X-Large", "5X-Large"}
}

// step is a class of sizes.
type step struct {
	most float64
	name string
}

// classOf finds the class of a size.
func classOf(n float64, steps []step) (string, int) {
	for i, s := range steps {
		if n <= s.most {
			return s.name, i
		}
	}
	return steps[len(steps)-1].name, len(steps) - 1
}

// kinds are the drivers that the queries of `pipeline init` collect.
func kinds() []collected {
	return []collected{
		{
			title: "SQL warehouses", table: "warehouses", needs: []string{"cluster_size", "auto_stop_mins"}, wants: []string{"max_num_clusters", "state"}, name: []string{"name", "id"}, running: "RUNNING",
			size: func(v values) (string, int, float64) {
				size := cmp.Or(v.text("cluster_size"), "unknown")
				clusters, _ := v.number("max_num_clusters")
				return size, slices.Index(warehouseSizes(), size), max(clusters, 1)
			},
			idle: func(v values) (string, bool) {
				minutes, there := v.number("auto_stop_mins")
				if there && minutes == 0 {
					return "never stops", true
				}
				return after(minutes, there), false
			},
		},
		{
			title: "Clusters", table: "clusters", needs: []string{"autotermination_minutes", "num_workers"}, wants: []string{"max_workers", "state"}, name: []string{"cluster_name", "cluster_id"}, running: "RUNNING",
			size: func(v values) (string, int, float64) {
				workers, there := v.number("max_workers")
				if !there {
					workers, _ = v.number("num_workers")
				}
				name, order := classOf(workers, []step{{0, "single node"}, {4, "1–4 workers"}, {16, "5–16 workers"}, {64, "17–64 workers"}, {1e9, "65 or more"}})
				return name, order, workers
			},
			idle: func(v values) (string, bool) {
				minutes, there := v.number("autotermination_minutes")
				if minutes == 0 {
					return "never stops", true
				}
				return after(minutes, there), false
			},
		},
		{
			title: "Lakebase endpoints", table: "endpoints", needs: []string{"max_cu", "suspend_timeout"}, wants: []string{"min_cu", "state", "disabled"}, name: []string{"name"}, running: "ACTIVE",
			size: func(v values) (string, int, float64) {
				cu, _ := v.number("max_cu")
				name, order := classOf(cu, []step{{1, "up to 1 CU"}, {4, "2–4 CU"}, {8, "5–8 CU"}, {16, "9–16 CU"}, {32, "17–32 CU"}, {1e9, "33 CU or more"}})
				return name, order, cu
			},
			idle: func(v values) (string, bool) {
				seconds, err := strconv.ParseFloat(strings.TrimSuffix(v.text("suspend_timeout"), "s"), 64)
				if disabled := v.text("disabled"); disabled == "true" || disabled == "1" {
					return "disabled", false
				}
				if err != nil || seconds <= 0 {
					return "never sleeps", true
				}
				return after(seconds/60, true), false
			},
		},
	}
}

// after says when an idle one stops.
func after(minutes float64, known bool) string {
	switch {
	case !known:
		return "by default"
	case minutes >= 48*60:
		return fmt.Sprintf("after %.0f days", minutes/60/24)
	case minutes >= 120:
		return fmt.Sprintf("after %.0f h", minutes/60)
	}
	return fmt.Sprintf("after %.0f min", minutes)
}

const (
	mostGroups = 2000
	mostCostly = 8
)

func (d *drawing) drivers(ctx context.Context, source Source) (all []driver, err error) {
	for _, kind := range kinds() {
		drawn, err := d.driver(ctx, source, &kind)
		if err != nil {
			return nil, err
		}
		all = append(all, drawn)
	}
	return all, nil
}

// priced is a group of rows with the same size and settings.
type priced struct {
	pipeline.Group

	values values
	size   string
	order  int
	weight float64
	idle   string
	never  bool
}

func (d *drawing) driver(ctx context.Context, source Source, kind *collected) (driver, error) {
	drawn := driver{Title: kind.title}
	at := slices.IndexFunc(d.Tables, func(t pipeline.TableOverview) bool { return t.Name == kind.table })
	if at < 0 {
		drawn.Missing = "Not collected: the pipeline has no table " + kind.table + "."
		return drawn, nil
	}
	there := d.Tables[at].Columns
	for _, name := range kind.needs {
		if !slices.Contains(there, name) {
			drawn.Missing = fmt.Sprintf("Not collected: the table %s has no column %s.", kind.table, name)
			return drawn, nil
		}
	}
	columns := slices.Clone(kind.needs)
	for _, name := range kind.wants {
		if slices.Contains(there, name) {
			columns = append(columns, name)
		}
	}
	found, cut, err := source.Groups(ctx, kind.table, columns, mostGroups)
	if err != nil {
		return drawn, err
	}
	drawn.Cut = cut
	groups := make([]priced, len(found))
	for i, g := range found {
		p := priced{Group: g, values: values{}}
		for j, name := range columns {
			p.values[name] = g.Values[j]
		}
		p.size, p.order, p.weight = kind.size(p.values)
		p.idle, p.never = kind.idle(p.values)
		groups[i] = p
	}
	slices.SortStableFunc(groups, func(a, b priced) int {
		never := func(p priced) int {
			if p.never {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(never(a), never(b)), cmp.Compare(b.order, a.order), cmp.Compare(b.weight, a.weight), cmp.Compare(a.idle, b.idle), cmp.Compare(a.values.text("state"), b.values.text("state")))
	})
	drawn.draw(groups, kind.running)
	drawn.Worst, err = d.costly(ctx, source, kind, columns, groups)
	return drawn, err
}

// draw sums up the groups by their size.
func (drawn *driver) draw(groups []priced, runs string) {
	type sum struct {
		order                 int
		total, running, never int64
	}
	sizes := map[string]*sum{}
	var names []string
	var all sum
	for i := range groups {
		g := &groups[i]
		s := sizes[g.size]
		if s == nil {
			s = &sum{order: g.order}
			sizes[g.size], names = s, append(names, g.size)
		}
		for _, s := range []*sum{s, &all} {
			s.total += g.Rows
			if g.never {
				s.never += g.Rows
			}
			if g.values.text("state") == runs {
				s.running += g.Rows
			}
		}
	}
	most := int64(1)
	for _, s := range sizes {
		most = max(most, s.total)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(sizes[b].order, sizes[a].order), cmp.Compare(a, b))
	})
	drawn.Total, drawn.Running, drawn.Never = number(all.total), number(all.running), number(all.never)
	const mostSizes = 12
	for _, name := range names[:min(len(names), mostSizes)] {
		s := sizes[name]
		drawn.Sizes = append(drawn.Sizes, sizeRow{
			Size: text{}.short(name, longestText), Count: number(s.total), Running: number(s.running), NeverN: number(s.never),
			Never: round(100 * float64(s.never) / float64(most)), Stops: round(100 * float64(s.total-s.never) / float64(most)),
		})
	}
}

// costly reads those that cost most: the rows of the first groups.
func (d *drawing) costly(ctx context.Context, source Source, kind *collected, columns []string, groups []priced) (worst []costly, err error) {
	for i := range groups {
		g := &groups[i]
		if len(worst) == mostCostly {
			break
		}
		q := pipeline.RowsQuery{Table: kind.table, Asked: true, Limit: mostCostly - len(worst)}
		for j, name := range columns {
			q.Filters = append(q.Filters, pipeline.Filter{Column: name, Is: g.Values[j], Exact: true})
		}
		rows, err := source.Rows(ctx, q)
		if err != nil {
			return nil, err
		}
		for {
			row, err := rows.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, errors.Join(err, rows.Close())
			}
			v := values{}
			for j, c := range rows.Columns() {
				v[c.Name] = row[j]
			}
			name := ""
			for _, column := range kind.name {
				name = cmp.Or(name, v.text(column))
			}
			c := costly{
				Name: d.short(shortName(name), longestText), Workspace: d.short(v.text("deployment_name"), longestText), Size: d.short(sizeOf(kind, v), longestText),
				Idle: g.idle, State: d.short(strings.ToLower(v.text("state")), longestText), Tone: "quiet",
			}
			if g.never {
				c.Tone = "bad"
			}
			worst = append(worst, c)
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
	}
	return worst, nil
}

// shortName is a resource name without the words of its collections: project/branch/endpoint.
func shortName(name string) string {
	parts := strings.Split(name, "/")
	if len(parts) != 6 || parts[0] != "projects" || parts[2] != "branches" || parts[4] != "endpoints" {
		return name
	}
	return parts[1] + "/" + parts[3] + "/" + parts[5]
}

// sizeOf is the size of one: more exact than that of its group.
func sizeOf(kind *collected, v values) string {
	size, _, weight := kind.size(v)
	switch {
	case kind.table == "warehouses" && weight > 1:
		return fmt.Sprintf("%s × %.0f", size, weight)
	case kind.table == "clusters" && weight > 0:
		return count(int64(weight), "worker")
	case kind.table == "endpoints":
		from, there := v.number("min_cu")
		if there && from != weight {
			return fmt.Sprintf("%v–%v CU", from, weight)
		}
		return fmt.Sprintf("%v CU", weight)
	}
	return size
}
