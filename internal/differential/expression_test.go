package differential

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// generator makes queries out of random numbers.
type generator struct {
	*rand.Rand

	world   *world
	samples map[string][]string // literals of what a column has, by resource and column
	common  map[string][]string // literals of the names that a resource has in every workspace
	aliases int
	scope   scope // what deployment_name is compared with
}

// scope says which workspaces a query is about.
type scope int

const (
	configured scope = iota // the configured host: deployment_name is in no condition
	single                  // one that a deployment name tells
	several
)

// source is a table of a FROM clause.
type source struct {
	alias string
	text  string    // in the FROM
	of    *resource // whose names alias.name has; nil: no resource's
	// columns are the columns that expressions may name, each with its alias.
	columns []column
	// shown are columns that may be selected, and not compared.
	shown []string
	// whole is set where alias.* is all columns of the resource.
	whole bool
}

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

// chance is true n times of a hundred.
func (g *generator) chance(n int) bool { return g.IntN(100) < n }

func (g *generator) alias() string {
	g.aliases++
	return fmt.Sprintf("t%d", g.aliases)
}

// columnOf picks a column of a kind.
func (g *generator) columnOf(k kind, from []*source) (string, bool) {
	var found []string
	for _, s := range from {
		for _, c := range s.columns {
			if c.kind == k {
				found = append(found, c.name)
			}
		}
	}
	if len(found) == 0 {
		return "", false
	}
	return pick(g, found...), true
}

// literal picks a value that some column of a kind has.
func (g *generator) literal(k kind) string {
	switch k {
	case number:
		return pick(g, "0", "1", "2", "16", "17", "4.0", "3", "100000000", "NULL")
	case instant:
		return pick(g, "'2025-03-01T00:00:00Z'", "'2025-06-15T12:00:00Z'", "'2025-09'", "'2026'")
	case path:
		return pick(g, g.common[pick(g, g.world.resources...).name]...)
	case text, object, id:
	}
	r := pick(g, g.world.resources...)
	return pick(g, g.samples[r.name+" "+pick(g, r.columns...).name]...)
}

// scalar is an expression of a kind.
func (g *generator) scalar(k kind, from []*source, depth int) string {
	column, ok := g.columnOf(k, from)
	if !ok {
		column = g.literal(k)
	}
	if !ok && k == object {
		return "json_quote(" + column + ")"
	}
	if k == path || depth <= 0 || g.chance(45) {
		return column
	}
	switch k {
	case text:
		if name, ok := g.columnOf(path, from); ok && g.chance(30) {
			column = name
		}
		return g.textExpression(column, from, depth-1)
	case number:
		return g.numberExpression(column, from, depth-1)
	case instant:
		return pick(g, column, "substr("+column+", 1, 7)", "strftime('%Y-%m-%dT%H:%M:%SZ', "+column+")", "date("+column+", '+1 month')")
	case object:
		return pick(g, column, "json_object('v', "+column+") ->> 'v'", "CAST(json_valid("+column+") AS TEXT)")
	case path, id:
	}
	return column
}

func (g *generator) textExpression(column string, from []*source, depth int) string {
	switch g.IntN(9) {
	case 0:
		return "upper(" + column + ")"
	case 1:
		return "substr(" + column + ", " + pick(g, "1, 9", "-4", "10", "3, 1") + ")"
	case 2:
		return "(" + column + " || '/' || " + g.scalar(text, from, depth) + ")"
	case 3:
		return "coalesce(" + column + ", " + g.scalar(text, from, depth) + ", '-')"
	case 4:
		return "CASE WHEN " + g.condition(from, depth) + " THEN " + column + " ELSE " + g.scalar(text, from, depth) + " END"
	case 5:
		return "replace(" + column + ", 'projects/', '')"
	case 6:
		return "iif(" + g.condition(from, depth) + ", " + column + ", NULL)"
	case 7:
		return "nullif(" + column + ", " + g.literal(text) + ")"
	default:
		return "CAST(" + g.scalar(number, from, depth) + " AS TEXT)"
	}
}

func (g *generator) numberExpression(column string, from []*source, depth int) string {
	switch g.IntN(8) {
	case 0:
		return "length(" + g.scalar(text, from, depth) + ")"
	case 1:
		return "(" + column + " " + pick(g, "+", "-", "*", "/", "%") + " " + g.scalar(number, from, depth) + ")"
	case 2:
		return "instr(" + g.scalar(text, from, depth) + ", '" + pick(g, "a", "/", "pro") + "')"
	case 3:
		return "abs(" + column + " % 1000)"
	case 4:
		return "CAST(strftime('" + pick(g, "%s", "%m", "%Y") + "', " + g.scalar(instant, from, 0) + ") AS INTEGER)"
	case 5:
		return "json_array_length(json_array(" + column + ", " + g.scalar(text, from, depth) + "))"
	case 6:
		return "(" + g.condition(from, depth) + ")"
	default:
		return "round(" + column + " / 1048576.0, 2)"
	}
}

// condition is something that a WHERE may hold, true of some of the rows.
func (g *generator) condition(from []*source, depth int) string {
	if depth > 0 && g.chance(35) {
		switch g.IntN(4) {
		case 0:
			return "NOT (" + g.condition(from, depth-1) + ")"
		case 1:
			return "(" + g.condition(from, depth-1) + " AND " + g.condition(from, depth-1) + ")"
		default:
			return "(" + g.condition(from, depth-1) + " OR " + g.condition(from, depth-1) + ")"
		}
	}
	if depth > 0 && g.chance(20) {
		return g.subqueryCondition(from, depth-1)
	}
	return g.comparison(from, depth)
}

func (g *generator) comparison(from []*source, depth int) string {
	k := pick(g, text, text, path, number, number, instant, object)
	value := g.scalar(k, from, depth-1)
	if k == path {
		if value, ok := g.columnOf(path, from); ok {
			return g.pathComparison(value, from)
		}
	}
	if !strings.Contains(value, from[0].alias+".") {
		value, k = from[0].alias+".name", text // SQLite forgets what stands beside a condition that is always false
		if from[0].of == nil {
			return "TRUE"
		}
		return value + " <> " + g.literal(text)
	}
	other := g.literalLike(k, value, from)
	not := pick(g, "", "", "NOT ")
	switch g.IntN(10) {
	case 0:
		return value + " IS " + not + "NULL"
	case 1:
		return value + " " + not + "BETWEEN " + g.literalLike(k, value, from) + " AND " + other
	case 2:
		return value + " " + not + "IN (" + g.literalLike(k, value, from) + ", " + other + ", " + g.literal(k) + ")"
	case 3:
		return value + " " + not + "LIKE '" + pick(g, "%p%", "projects/o%", "%/production", "_r%", "%R_ADY", "2025-0%", "%1") + "'"
	case 4:
		return value + " GLOB '" + pick(g, "*p*", "projects/[o-p]*", "*[0-9]", "?r*") + "'"
	case 5:
		return value + " IS " + not + "DISTINCT FROM " + other
	case 6:
		return value + " = " + other + " COLLATE NOCASE"
	case 7:
		return "(" + value + ", " + g.scalar(number, from, 0) + ") " + pick(g, "<", ">=", "=") + " (" + other + ", 3)"
	default:
		return value + " " + pick(g, "=", "=", "<>", "<", "<=", ">", ">=") + " " + other
	}
}

// pathComparison compares the name of a resource, or of its parent, with names that there are: others
// lakeql refuses where they become parameters.
func (g *generator) pathComparison(value string, from []*source) string {
	alias, column, _ := strings.Cut(value, ".")
	i := slices.IndexFunc(from, func(s *source) bool { return s.alias == alias })
	of := from[i].of
	if of == nil {
		return value + " " + pick(g, "<", ">=", "=", "<>") + " " + g.literal(path)
	}
	name := strings.TrimPrefix(of.name, "vw_")
	if column == "parent" {
		name = of.parent
	}
	one, two := pick(g, g.common[name]...), pick(g, g.common[name]...)
	switch g.IntN(8) {
	case 0:
		return value + " IN (" + one + ", " + two + ", NULL)"
	case 1:
		return value + " NOT IN (" + one + ", " + two + ")"
	case 2:
		return value + " BETWEEN min(" + one + ", " + two + ") AND max(" + one + ", " + two + ")"
	case 3:
		return value + " = upper(" + one + ") COLLATE NOCASE"
	case 4:
		return value + " LIKE '%" + pick(g, "/p%", "/production", "tenant%", "e") + "'"
	default:
		return value + " " + pick(g, "=", "=", "<>", "IS", "IS NOT", "<", ">") + " " + one
	}
}

// literalLike is a literal that the value may equal, if the value is a column of a resource, or else
// a column.
func (g *generator) literalLike(k kind, value string, from []*source) string {
	if g.chance(25) {
		return g.scalar(k, from, 0)
	}
	_, column, ok := strings.Cut(strings.TrimSuffix(value, ")"), ".")
	for _, r := range g.world.resources {
		if samples := g.samples[r.name+" "+column]; ok && len(samples) > 0 && g.chance(50) {
			return pick(g, samples...)
		}
	}
	return g.literal(k)
}

// subqueryCondition compares with a subquery, correlated or not.
func (g *generator) subqueryCondition(from []*source, depth int) string {
	s, where := g.bound(pick(g, g.world.resources...), from)
	inner := append(slices.Clone(from), s)
	if g.chance(60) {
		where += " AND " + g.condition(inner, depth)
	}
	table := "FROM " + s.text + " WHERE " + where
	not := pick(g, "", "", "NOT ")
	k := pick(g, text, text, number)
	switch g.IntN(4) {
	case 0:
		return not + "EXISTS (SELECT 1 " + table + ")"
	case 1:
		return g.scalar(number, from, 0) + " " + pick(g, "<", ">", "=") + " (SELECT " + pick(g, "count(*)", "count(DISTINCT "+g.scalar(text, []*source{s}, 0)+")", "max("+g.scalar(number, []*source{s}, 0)+")") + " " + table + ")"
	case 2:
		return g.scalar(k, from, 0) + " " + not + "IN (SELECT " + g.scalar(k, inner[len(inner)-1:], 1) + " " + table + ")"
	default:
		value := g.scalar(k, []*source{s}, 1)
		return g.scalar(k, from, 0) + " " + pick(g, "<=", ">=", "<>") + " (SELECT " + value + " " + table + " ORDER BY 1 LIMIT 1)"
	}
}

// aggregate is an aggregate over sources whose result does not depend on the order of rows.
func (g *generator) aggregate(from []*source) string {
	value, n := g.scalar(text, from, 1), g.scalar(number, from, 0)
	filter := ""
	if g.chance(25) {
		filter = " FILTER (WHERE " + g.condition(from, 1) + ")"
	}
	switch g.IntN(8) {
	case 0:
		return "count(DISTINCT " + value + ")" + filter
	case 1:
		return "sum(" + n + ")" + filter
	case 2:
		return pick(g, "min", "max") + "(" + value + ")" + filter
	case 3:
		return "avg(length(" + value + "))" + filter
	case 4:
		return "group_concat(" + value + ", ',' ORDER BY " + value + ")" + filter
	case 5:
		return "json_group_array(" + value + " ORDER BY " + value + ")" + filter
	case 6:
		return pick(g, "min", "max") + "(" + n + ")" + filter
	default:
		return "count(*)" + filter
	}
}

// window is a window function over sources, whose result is the same in any order of rows.
func (g *generator) window(from []*source) string {
	value, n := g.scalar(text, from, 0), g.scalar(number, from, 0)
	partition := pick(g, "", "PARTITION BY "+g.scalar(text, from, 1)+" ")
	order := "ORDER BY " + value + pick(g, "", " DESC")
	switch g.IntN(6) {
	case 0:
		return "rank() OVER (" + partition + order + ")"
	case 1:
		return "dense_rank() OVER (" + partition + order + ")"
	case 2:
		return "count(*) OVER (" + partition + ")"
	case 3:
		return "sum(" + n + ") OVER (" + partition + order + ")"
	case 4:
		return "first_value(" + value + ") OVER (" + partition + order + ")"
	default:
		return "max(" + value + ") OVER (" + partition + order + " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
	}
}
