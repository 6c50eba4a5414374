package registry

import (
	"fmt"
	"regexp"
	"strings"
)

// bindViews adds each view's parameters to its query: WHERE b.deployment_name = '{{ deployment_name }}'.
// StackQL searches the methods behind a view by the view's own WHERE, so that DESCRIBE would find none
// without it, and a SELECT without deployment_name would go to the document's default workspace. The value
// that a SELECT supplies replaces the placeholder.
func bindViews(s *service) error {
	return s.eachQuery(func(r *resource, ddl string) (string, error) {
		var names []string
		for _, p := range r.View.RequiredParams {
			names = append(names, p.Name)
		}
		return bind(ddl, names)
	})
}

// The left joins of the generator's views, each with its array of elements to join.
var (
	sqliteLeftJoin   = regexp.MustCompile(`\s+LEFT JOIN json_each\((\w+\.\w+)(?:, ('\$[^']*'))?\) AS (\w+) ON true`)
	postgresLeftJoin = regexp.MustCompile(`\s+LEFT JOIN json_array_elements_text\((CAST\(\w+\.\w+ AS json\)|json_extract_path\(CAST\(\w+\.\w+ AS json\)(?:, '\w+')+\))\) AS (\w+) ON true`)
)

// joinLeft replaces the left joins with an array's elements by joins with an array that is never empty: null
// replaces missing elements. StackQL knows no left join with a function.
func joinLeft(s *service) error {
	return s.eachQuery(func(_ *resource, ddl string) (string, error) {
		ddl = rewriteLeftJoins(ddl)
		if strings.Contains(ddl, "LEFT JOIN json_") {
			return "", fmt.Errorf("a left join with a function has another form than those that are rewritten: %s", ddl)
		}
		return ddl, nil
	})
}

func rewriteLeftJoins(ddl string) string {
	ddl = sqliteLeftJoin.ReplaceAllStringFunc(ddl, func(join string) string {
		parts := sqliteLeftJoin.FindStringSubmatch(join)
		path := parts[2]
		if path == "" {
			path = "'$'"
		}
		return ",\n  json_each(coalesce(nullif(json_extract(" + parts[1] + ", " + path + "), '[]'), '[null]')) AS " + parts[3]
	})
	return postgresLeftJoin.ReplaceAllString(ddl,
		",\n  json_array_elements_text(CAST(coalesce(nullif(CAST($1 AS text), '[]'), '[null]') AS json)) AS $2")
}

// eachQuery rewrites the queries of every view.
func (s *service) eachQuery(rewrite func(r *resource, ddl string) (string, error)) error {
	resources, err := s.resources()
	if err != nil {
		return err
	}
	for _, r := range resources {
		if r.View == nil {
			continue
		}
		for definition := child(r.node, "config", "views", "select"); definition != nil; definition = child(definition, "fallback") {
			ddl := child(definition, "ddl")
			if ddl == nil {
				return fmt.Errorf("%s: a view without a query", r.FullName())
			}
			written, err := rewrite(r, ddl.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", r.FullName(), err)
			}
			ddl.SetString(written)
		}
	}
	return nil
}

// bind adds the parameters to the WHERE of each query of a view. The queries have the form that the
// generator writes: a column a line, then FROM, then perhaps WHERE, joined by UNION ALL.
func bind(ddl string, parameters []string) (string, error) {
	queries := strings.Split(ddl, "\nUNION ALL\n")
	for i, query := range queries {
		for _, name := range parameters {
			column, err := columnOf(query, name)
			if err != nil {
				return "", err
			}
			word := "\nWHERE "
			if strings.Contains(query, word) {
				word = "\n  AND "
			}
			query += fmt.Sprintf("%s%s = '{{ %s }}'", word, column, name)
		}
		queries[i] = query
	}
	return strings.Join(queries, "\nUNION ALL\n"), nil
}

// columnOf finds the column of a table that a query selects under a name, as x.name or as expression AS name.
func columnOf(query, name string) (string, error) {
	line := regexp.MustCompile(`(?m)^  (?:(\w+\.` + regexp.QuoteMeta(name) + `)|(\w+\.[\w"]+) AS ` + regexp.QuoteMeta(name) + `),?$`)
	found := line.FindStringSubmatch(query)
	if found == nil {
		return "", fmt.Errorf("no column of a table is selected as the parameter %s", name)
	}
	return found[1] + found[2], nil
}
