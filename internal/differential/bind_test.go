package differential

import (
	"strings"
)

// everyRow is the condition of a table that needs no parameter.
const everyRow = "TRUE"

// anyResource picks a resource or a view of one.
func (g *generator) anyResource() *resource {
	if g.chance(12) {
		return pick(g, g.world.views...)
	}
	return pick(g, g.world.resources...)
}

// source makes a table of a resource.
func (g *generator) source(r *resource) *source {
	alias := g.alias()
	name := r.name
	if g.scope != configured {
		name += everywhere
	}
	s := &source{alias: alias, text: "{" + name + "} AS " + alias, of: r, whole: r.path != "", shown: []string{alias + ".deployment_name"}}
	if g.chance(30) {
		s.text = "{" + name + "} " + alias
	}
	for _, c := range r.columns {
		s.columns = append(s.columns, column{alias + "." + c.name, c.kind})
	}
	for _, c := range r.inside {
		s.columns = append(s.columns, column{"(" + alias + "." + c.name + ")", c.kind})
	}
	return s
}

// bound is a table of a resource, and the condition that supplies its parameters: by constants, or by the
// tables before it.
func (g *generator) bound(r *resource, before []*source) (*source, string) {
	s := g.source(r)
	condition, known := g.binding(s, before)
	for _, id := range known {
		name := s.alias + "." + id
		s.columns = append(s.columns, column{"(" + name + " || '')", text}) // never one that says what to ask
		if g.chance(10) {
			condition += " AND " + name + pick(g, " LIKE 'p%'", " <> 'orders'", " BETWEEN 'a' AND 'p'", " IS NOT NULL", " IN ("+name+", 'x')")
		}
	}
	if at := g.workspace(s, before); at != "" {
		condition += " AND " + at
		s.columns = append(s.columns, column{"(" + s.alias + ".deployment_name || '')", text})
	}
	if g.chance(15) && s.whole && (strings.HasPrefix(condition, s.alias+".parent = ") || strings.HasPrefix(condition, s.alias+".parent IN ('")) {
		condition += " AND {" + s.alias + ".page_size " + pick(g, "1", "3", "100") + "}"
	}
	return s, condition
}

// workspace is the condition on deployment_name.
func (g *generator) workspace(s *source, before []*source) string {
	name := s.alias + ".deployment_name"
	if g.scope == configured {
		return ""
	}
	if len(before) > 0 {
		return name + " = " + before[0].alias + ".deployment_name"
	}
	if g.scope == single {
		return name + " = '" + workspaces[0] + "'"
	}
	return name + " IN ('" + strings.Join(workspaces, "', '") + "')"
}

// binding is the condition, and the parameters that have a value by it.
func (g *generator) binding(s *source, before []*source) (condition string, known []string) {
	r := s.of
	if r.parent == "" && g.chance(70) {
		return everyRow, nil
	}
	if feeder := g.feeder(r, before); feeder != nil && g.chance(75) {
		return g.fed(s, feeder)
	}
	if other := g.sibling(r, before); other != nil && g.chance(40) {
		if r.parent == "" || other.of.name == r.name && g.chance(50) {
			return s.alias + ".name = " + other.alias + ".name", nil
		}
		return s.alias + ".parent = " + other.alias + ".parent", nil
	}
	return g.constant(s)
}

// feeder is a source whose names are parents of the resource; nil if no source has them.
func (g *generator) feeder(r *resource, before []*source) *source {
	for _, s := range before {
		if r.parent != "" && s.of != nil && strings.TrimPrefix(s.of.name, "vw_") == r.parent {
			return s
		}
	}
	return nil
}

// sibling is a source that has the same parents.
func (g *generator) sibling(r *resource, before []*source) *source {
	for _, s := range before {
		if s.of != nil && s.whole && s.of.parent == r.parent {
			return s
		}
	}
	return nil
}

// fed takes the parameters from the rows of another source.
func (g *generator) fed(s, feeder *source) (condition string, known []string) {
	parent, name := s.alias+".parent", feeder.alias+".name"
	switch n := g.IntN(10); {
	case n < 5:
		return pick(g, parent+" = "+name, name+" = "+parent), nil
	case n < 6:
		return parent + " = substr(" + name + " || '!', 1, length(" + name + "))", nil
	case n < 7 && s.of.parent == "projects":
		return s.alias + ".project_id = replace(" + name + ", 'projects/', '')", []string{"project_id"}
	case n < 8 && s.of.parent == "projects" && feeder.whole:
		return s.alias + ".project_id = " + feeder.alias + ".status ->> '$.project_id'", []string{"project_id"}
	case n < 8 && s.of.name == "branches" && feeder.whole:
		return s.alias + ".name = " + feeder.alias + ".status ->> '$.default_branch'", nil
	case n < 9 && len(s.of.ids) == 3:
		return s.alias + ".branch_id = 'production' AND " + s.alias + ".project_id = substr(" + name + ", 10, instr(substr(" + name + ", 10), '/') - 1)", []string{"project_id", "branch_id"}
	}
	return parent + " IN (" + name + ", NULL)", nil
}

// constant supplies the parameters by literals, or by a separate query.
func (g *generator) constant(s *source) (condition string, known []string) {
	r := s.of
	own := g.common[strings.TrimPrefix(r.name, "vw_")]
	name := s.alias + ".name"
	if r.parent == "" || g.chance(20) {
		switch g.IntN(4) {
		case 0:
			return name + " IN (" + pick(g, own...) + ", " + pick(g, own...) + ", " + pick(g, own...) + ")", nil
		case 1: // one that is not there
			return name + " = " + strings.TrimSuffix(pick(g, own...), "'") + "-x'", nil
		case 2:
			return "(" + name + " = " + pick(g, own...) + " OR " + pick(g, own...) + " = " + name + ")", nil
		}
		return name + " = " + pick(g, own...), nil
	}
	parents := g.common[r.parent]
	parent := s.alias + ".parent"
	switch n := g.IntN(20); {
	case n < 6:
		return parent + " = " + pick(g, parents...), nil
	case n < 9:
		return parent + " IN (" + pick(g, parents...) + ", " + pick(g, parents...) + ", " + pick(g, parents...) + ")", nil
	case n < 11:
		return "(" + parent + " = " + pick(g, parents...) + " AND " + g.plainly(s) + " OR " + parent + " = " + pick(g, parents...) + ")", nil
	case n < 12:
		return "(" + parent + " = " + pick(g, parents...) + " OR " + name + " = " + pick(g, own...) + ")", nil
	case n < 13:
		return "(" + parent + ", " + name + ") = (" + pick(g, parents...) + ", " + pick(g, own...) + ")", nil
	case n < 15 && g.scope == configured:
		feeder, where := g.bound(g.world.resource(r.parent), nil)
		if g.chance(50) {
			where += " AND " + g.condition([]*source{feeder}, 1)
		}
		return parent + " IN (SELECT " + feeder.alias + ".name FROM " + feeder.text + " WHERE " + where + ")", nil
	}
	// by the parts of a name
	ids := strings.Split(strings.Trim(pick(g, parents...), "'"), "/")
	var conditions []string
	for i := 1; i < len(ids); i += 2 {
		known = append(known, r.ids[i/2])
		conditions = append(conditions, s.alias+"."+r.ids[i/2]+" = '"+ids[i]+"'")
	}
	if len(known) == 1 && g.chance(40) {
		conditions[0] = s.alias + "." + r.ids[0] + " IN ('" + ids[1] + "', 'orders', 'p')"
	}
	if g.chance(10) { // and by its parent, which may be another
		conditions = append(conditions, parent+" = "+pick(g, parents...))
	}
	return strings.Join(conditions, " AND "), known
}

// plainly is a condition within an alternative that has a parameter. With a COLLATE anywhere in it
// SQLite does not take the alternatives apart.
func (g *generator) plainly(s *source) string {
	return s.alias + pick(g, ".create_time > '2025-06-01'", ".name LIKE '%p%'", ".name IS NOT NULL", ".update_time < '2025-09-01'")
}

// using is a table to join with the first one by columns of the same name; nil if no table has them.
func (g *generator) using(before []*source) (s *source, columns string) {
	first := before[0]
	if len(before) > 1 || !first.whole || first.of.parent == "" {
		return nil, ""
	}
	r := first.of
	columns = pick(g, "parent", "name", "parent, name")
	if columns == "parent" {
		r = pick(g, g.below(g.world.resource(r.parent))...)
	}
	s = g.source(r)
	if g.scope != configured {
		columns += ", deployment_name"
		s.columns = append(s.columns, column{"(" + s.alias + ".deployment_name || '')", text})
	}
	return s, columns
}
