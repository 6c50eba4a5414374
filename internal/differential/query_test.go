package differential

import (
	"fmt"
	"slices"
	"strings"
)

// query is a generated query.
type query struct {
	sql string
	// ordered is set where the order of the rows is part of the answer.
	ordered bool
	// whole is set if a LIMIT without an order may return different rows: it returns all rows that the
	// LIMIT may choose from, after the skipped ones.
	whole     string
	cut, skip int
}

// query makes one of any shape.
func (g *generator) query() query {
	g.scope = pick(g, configured, configured, configured, configured, single, several)
	switch n := g.IntN(100); {
	case n < 55:
		sql, width := g.sel(1+g.IntN(3), nil)
		return g.arranged("", sql, width)
	case n < 70:
		return g.compound()
	case n < 85:
		return g.withTable()
	case n < 90:
		return g.recursive()
	default:
		return g.limited()
	}
}

// arranged puts the rows of a query in order, or not.
func (g *generator) arranged(with, sql string, width int) query {
	if g.chance(35) {
		return query{sql: with + sql}
	}
	var order []string
	for i := range width {
		order = append(order, fmt.Sprintf("%d%s", i+1, pick(g, "", "", " DESC", " NULLS LAST")))
	}
	g.Shuffle(width, func(i, j int) { order[i], order[j] = order[j], order[i] })
	sql += " ORDER BY " + strings.Join(order, ", ")
	switch g.IntN(4) {
	case 0:
		sql += fmt.Sprintf(" LIMIT %d", g.IntN(6))
	case 1:
		sql += fmt.Sprintf(" LIMIT %d OFFSET %d", 1+g.IntN(8), g.IntN(4))
	}
	return query{sql: with + sql, ordered: true}
}

// limited is a query that may stop early.
func (g *generator) limited() query {
	sql, _ := g.sel(1+g.IntN(3), nil)
	n, skip := g.IntN(8), pick(g, 0, 0, 1, 3)
	return query{sql: fmt.Sprintf("%s LIMIT %d OFFSET %d", sql, n, skip), whole: sql, cut: n, skip: skip}
}

// compound joins selects by set operations.
func (g *generator) compound() query {
	kinds := []kind{pick(g, text, path), pick(g, text, number)}
	sql, _ := g.sel(1+g.IntN(2), kinds)
	for range 1 + g.IntN(2) {
		next, _ := g.sel(1+g.IntN(2), kinds)
		sql += pick(g, " UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT ") + next
	}
	return g.arranged("", sql, len(kinds))
}

// withTable is a query over a common table expression, and over sources that depend on it.
func (g *generator) withTable() query {
	first, where := g.bound(pick(g, g.world.resources[:2]...), nil)
	values := []string{g.scalar(text, []*source{first}, 1), g.scalar(number, []*source{first}, 1)}
	with := fmt.Sprintf("WITH c(name, x, y, deployment_name) AS%s (SELECT %s.name, %s, %s.deployment_name FROM %s WHERE %s AND %s) ",
		pick(g, "", "", " MATERIALIZED", " NOT MATERIALIZED"), first.alias, strings.Join(values, ", "), first.alias, first.text, where, g.condition([]*source{first}, 1))
	c := &source{alias: "c", text: "c", of: first.of, columns: []column{{"c.x", text}, {"c.y", number}}}
	from := []*source{c}
	tables := "c"
	if g.chance(80) {
		s, where := g.bound(pick(g, g.below(first.of)...), from)
		tables += pick(g, " JOIN ", " LEFT JOIN ", " CROSS JOIN ") + s.text + " ON " + where
		from = append(from, s)
	}
	sql, width := g.output(from, tables, g.condition(from, 2), nil)
	return g.arranged(with, sql, width)
}

// below lists the resources that are listed by another.
func (g *generator) below(of *resource) []*resource {
	var found []*resource
	for _, r := range g.world.resources {
		if r.parent == strings.TrimPrefix(of.name, "vw_") {
			found = append(found, r)
		}
	}
	return found
}

// recursive walks from projects down to the resources below their branches.
func (g *generator) recursive() query {
	g.scope = configured
	leaf := pick(g, g.world.resources[2:]...)
	start := pick(g, g.common["projects"]...)
	with := "WITH RECURSIVE tree(name, depth) AS (SELECT p.name, 0 FROM {projects} p WHERE p.name >= " + start +
		" UNION ALL SELECT b.name, tree.depth + 1 FROM tree JOIN {branches} b ON b.parent = tree.name WHERE tree.depth < 1) "
	sql := "SELECT tree.name, tree.depth, l.name FROM tree LEFT JOIN {" + leaf.name + "} l ON l.parent = iif(tree.depth = 1, tree.name, NULL)"
	return g.arranged(with, sql, 3)
}

// sel is a SELECT over so many tables, with columns of the kinds given, or any.
func (g *generator) sel(tables int, kinds []kind) (sql string, width int) {
	if kinds == nil && g.chance(7) {
		from, joined := g.outerJoin()
		return g.output(from, joined, g.condition(from, 2), nil)
	}
	from, joined, where := g.from(tables)
	if len(where) == 0 || g.chance(50) {
		where = append(where, g.condition(from, 2))
	}
	g.Shuffle(len(where), func(i, j int) { where[i], where[j] = where[j], where[i] })
	return g.output(from, joined, strings.Join(where, " AND "), kinds)
}

// from is a FROM clause: tables whose rows are parameters of others, and the conditions that WHERE needs.
func (g *generator) from(tables int) (from []*source, joined string, where []string) {
	s, condition := g.bound(g.anyResource(), nil)
	if g.chance(12) {
		s = g.derived(s, condition)
	} else {
		where = append(where, condition)
	}
	from, joined = []*source{s}, s.text
	for range tables - 1 {
		if next, using := g.using(from); next != nil && g.chance(30) {
			joined += " JOIN " + next.text + " USING (" + using + ")"
			from = append(from, next)
			continue
		}
		next, on := g.bound(g.anyResource(), from)
		kind := g.IntN(6)
		if !next.whole {
			kind = 5 // SQLite may work a view behind a LEFT JOIN out by itself, without what it is joined with
		}
		switch kind {
		case 0:
			joined += ", " + next.text
			where = append(where, on)
		case 1:
			joined += " CROSS JOIN " + next.text
			where = append(where, on)
		case 2, 3:
			if g.chance(40) {
				on += " AND " + g.condition(append(slices.Clone(from), next), 1)
			}
			joined += " LEFT JOIN " + next.text + " ON " + on
		default:
			joined += pick(g, " JOIN ", " INNER JOIN ") + next.text + " ON " + on
		}
		from = append(from, next)
	}
	if first := from[0]; first.whole && first.of.name == "projects" && g.chance(10) {
		joined += ", json_each(" + first.alias + ".status, '$.custom_tags') AS j"
		from = append(from, &source{alias: "j", columns: []column{{"(j.value ->> '$.value')", text}, {"j.key", number}}})
	}
	return from, joined, where
}

// outerJoin joins two tables with all parameters, and keeps unmatched rows.
func (g *generator) outerJoin() (from []*source, joined string) {
	for range 2 {
		s, condition := g.bound(g.anyResource(), nil)
		if condition == everyRow && g.chance(60) {
			from = append(from, s)
			continue
		}
		from = append(from, g.derived(s, condition))
	}
	left, right := from[0], from[1]
	on := left.alias + ".name = " + right.alias + ".name"
	if strings.TrimPrefix(left.of.name, "vw_") != strings.TrimPrefix(right.of.name, "vw_") {
		// A name of another form would be refused where it becomes a parameter.
		on = "substr(" + left.alias + ".name, 1, 11) = substr(" + right.alias + ".name, 1, 11)"
	}
	if g.chance(40) {
		on += " AND " + g.condition(from, 1)
	}
	return from, left.text + pick(g, " RIGHT JOIN ", " FULL JOIN ", " LEFT JOIN ") + right.text + " ON " + on
}

// derived is a subquery that selects from a source.
func (g *generator) derived(s *source, where string) *source {
	alias := g.alias()
	made := &source{alias: alias, of: s.of}
	values := []string{s.alias + ".name AS name", s.alias + "." + pick(g, "name", "create_time") + " AS parent", s.alias + ".deployment_name AS deployment_name"}
	if s.of.parent != "" {
		values[1] = s.alias + ".parent AS parent"
	}
	for i, k := range []kind{text, number, instant, object} {
		name := fmt.Sprintf("v%d", i)
		values = append(values, g.scalar(k, []*source{s}, 1)+" AS "+name)
		made.columns = append(made.columns, column{alias + "." + name, k})
	}
	if g.chance(40) {
		where += " AND " + g.condition([]*source{s}, 1)
	}
	limit := pick(g, "", "", "", " ORDER BY 1 LIMIT 7", " LIMIT -1")
	made.text = "(SELECT " + pick(g, "", "DISTINCT ") + strings.Join(values, ", ") + " FROM " + s.text + " WHERE " + where + limit + ") AS " + alias
	return made
}

// output is the SELECT list and the clauses after WHERE.
func (g *generator) output(from []*source, tables, where string, kinds []kind) (sql string, width int) {
	body := " FROM " + tables
	if where != everyRow {
		body += " WHERE " + where
	}
	if kinds == nil && g.chance(25) {
		return g.grouped(from, body)
	}
	if kinds == nil && g.chance(10) {
		whole := slices.IndexFunc(from, func(s *source) bool { return s.whole })
		if whole >= 0 {
			s := from[whole]
			return "SELECT {" + s.alias + ".* " + s.of.name + "}" + body, len(s.of.columns)
		}
	}
	if kinds == nil {
		for range 1 + g.IntN(4) {
			kinds = append(kinds, pick(g, text, path, path, number, instant, object))
		}
	}
	var values []string
	for _, k := range kinds {
		values = append(values, g.scalar(k, from, 2))
	}
	if g.chance(15) {
		values[0] = g.window(from)
	}
	if shown := from[0].shown; len(shown) > 0 && g.chance(20) {
		values[0] = pick(g, shown...)
	}
	if g.chance(8) {
		s, condition := g.bound(g.anyResource(), from)
		values[0] = "(SELECT " + g.aggregate([]*source{s}) + " FROM " + s.text + " WHERE " + condition + ")"
	}
	return "SELECT " + pick(g, "", "", "", "DISTINCT ") + strings.Join(values, ", ") + body, len(values)
}

// grouped is an aggregate query.
func (g *generator) grouped(from []*source, body string) (sql string, width int) {
	if g.chance(30) {
		return "SELECT " + g.aggregate(from) + ", " + g.aggregate(from) + body, 2
	}
	key := g.scalar(pick(g, text, path, number), from, 1)
	by := pick(g, "1", key)
	if strings.Trim(key, "0123456789.") == "" {
		by = "1" // a number would be that of a column
	}
	sql = "SELECT " + key + ", " + g.aggregate(from) + ", count(*)" + body + " GROUP BY " + by
	if g.chance(40) {
		sql += " HAVING count(*) " + pick(g, ">", "<", "<>") + pick(g, " 1", " 2") + pick(g, "", " OR "+g.aggregate(from)+" IS NULL")
	}
	return sql, 3
}
