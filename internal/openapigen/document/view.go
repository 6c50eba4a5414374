package document

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/overlay"
)

// The dialects of SQL that StackQL may run views in. Its predicates name them so.
const (
	sqlite   = "sqlite3"
	postgres = "postgres"
)

// viewNodes returns the service's views by name.
func (s *service) viewNodes() (map[string]*object, error) {
	nodes := map[string]*object{}
	views := s.overlays.ViewsOf(s.provider, s.sdk.Name)
	for _, name := range slices.Sorted(maps.Keys(views)) {
		node, err := s.viewNode(name, views[name])
		if err != nil {
			return nil, fmt.Errorf("view %s.%s.%s: %w", s.provider, s.sdk.Name, name, err)
		}
		nodes[name] = node
	}
	return nodes, nil
}

// viewNode is a view as StackQL has it: a resource that has a query where others have methods.
func (s *service) viewNode(name string, v *overlay.View) (*object, error) {
	fallback, err := postgresQuery(v)
	if err != nil {
		return nil, err
	}
	sql := newObject()
	for _, verb := range sqlVerbs() {
		sql.set(verb, []*object{}) // as resources have it for verbs without methods
	}
	definition := newObject().
		set("predicate", predicate(sqlite)).
		set("ddl", sqliteQuery(v)).
		set("fallback", newObject().set("predicate", predicate(postgres)).set("ddl", fallback))
	var fields, required []*object
	for _, c := range v.Columns {
		fields = append(fields, fieldNode(c))
		if c.Required {
			required = append(required, fieldNode(c))
		}
	}
	return newObject().
		set("id", s.provider+"."+s.sdk.Name+"."+name).
		set("name", name).
		set("title", name).
		set("description", v.Description).
		set("methods", newObject()).
		set("sqlVerbs", sql).
		set("config", newObject().
			set("views", newObject().set("select", definition)).
			set("docs", newObject().set("fields", fields).set("requiredParams", required))), nil
}

func predicate(dialect string) string { return `sqlDialect == "` + dialect + `"` }

func fieldNode(c overlay.ViewColumn) *object {
	return newObject().set("name", c.Name).set("type", columnType(c)).set("description", c.Description).flow()
}

func columnType(c overlay.ViewColumn) string { return cmp.Or(c.Type, "string") }

// sqliteQuery is the view's query for SQLite.
func sqliteQuery(v *overlay.View) string {
	var queries []string
	for _, part := range v.Parts() {
		var expressions []string
		for _, c := range v.Columns {
			expressions = append(expressions, part.Expression(c))
		}
		queries = append(queries, query(v, expressions, part.From, part.Where))
	}
	return strings.Join(queries, "\nUNION ALL\n")
}

// query puts together one SELECT.
func query(v *overlay.View, expressions []string, from, where string) string {
	lines := make([]string, len(expressions))
	for i, expression := range expressions {
		expression = strings.ReplaceAll(strings.TrimSpace(expression), "\n", "\n  ")
		if _, column, qualified := strings.Cut(expression, "."); !qualified || column != v.Columns[i].Name {
			expression += " AS " + alias(v.Columns[i].Name)
		}
		lines[i] = "  " + expression
	}
	text := "SELECT\n" + strings.Join(lines, ",\n") + "\nFROM " + strings.TrimSpace(from)
	if where != "" {
		text += "\nWHERE " + strings.TrimSpace(where)
	}
	return text
}

// alias writes a column's name behind AS. SQL reserves one of them.
func alias(name string) string {
	if name == "default" {
		return `"` + name + `"`
	}
	return name
}

// postgresQuery is the view's query for PostgreSQL, where StackQL keeps JSON as text.
func postgresQuery(v *overlay.View) (string, error) {
	var queries []string
	for _, part := range v.Parts() {
		var expressions []string
		for _, c := range v.Columns {
			expression, err := postgresExpression(c, part.Expression(c))
			if err != nil {
				return "", fmt.Errorf("column %s: %w", c.Name, err)
			}
			expressions = append(expressions, expression)
		}
		from, err := postgresCalls(part.From)
		if err != nil {
			return "", fmt.Errorf("from: %w", err)
		}
		where, err := postgresCalls(part.Where)
		if err != nil {
			return "", fmt.Errorf("where: %w", err)
		}
		queries = append(queries, query(v, expressions, from, where))
	}
	return strings.Join(queries, "\nUNION ALL\n"), nil
}

// element matches the value of an array's element. PostgreSQL returns it as text.
var element = regexp.MustCompile(`^\w+\.value$`)

// postgresExpression casts a value to the column's type: PostgreSQL returns values of JSON as text.
func postgresExpression(c overlay.ViewColumn, sql string) (string, error) {
	expression, err := postgresCalls(sql)
	if err != nil {
		return "", err
	}
	if expression == sql && !element.MatchString(sql) {
		return expression, nil // a column of the resource has its type
	}
	switch columnType(c) {
	case "boolean":
		return expression + " = 'true'", nil
	case "integer", "number":
		// StackQL's grammar has no bigint.
		return "CAST(" + expression + " AS DECIMAL)", nil
	default:
		return expression, nil
	}
}

var (
	jsonCall = regexp.MustCompile(`\bjson_\w+\(`)
	// readableCall is a call of SQLite's on a column, with or without a path.
	readableCall = regexp.MustCompile(`\b(json_extract|json_each|json_array_length)\(([\w.]+)(?:, '\$((?:\.[^."'\[\]]+|\[[0-9]+\])*)')?\)`)
	// pathStep is a step of SQLite's path to an attribute or into an array.
	pathStep = regexp.MustCompile(`\.([^.\[\]]+)|\[([0-9]+)\]`)
)

// postgresCalls writes the calls of SQLite's JSON functions as PostgreSQL's. Only calls on columns
// of tables are understood, so that no parser of SQL is needed.
func postgresCalls(sql string) (string, error) {
	if all, read := jsonCall.FindAllString(sql, -1), readableCall.FindAllString(sql, -1); len(all) != len(read) {
		return "", fmt.Errorf("%q is not json_extract, json_each or json_array_length of a column, with a path at most", sql)
	}
	return readableCall.ReplaceAllStringFunc(sql, func(call string) string {
		parts := readableCall.FindStringSubmatch(call)
		function, column, steps := parts[1], "CAST("+parts[2]+" AS json)", ""
		for _, step := range pathStep.FindAllStringSubmatch(parts[3], -1) {
			steps += ", '" + step[1] + step[2] + "'"
		}
		if function == "json_extract" {
			return "json_extract_path_text(" + column + steps + ")"
		}
		if steps != "" {
			column = "json_extract_path(" + column + steps + ")"
		}
		if function == "json_each" {
			function = "json_array_elements_text"
		}
		return function + "(" + column + ")"
	}), nil
}
