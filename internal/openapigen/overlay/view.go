package overlay

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/names"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// View is a resource defined by a query over other resources. Its SQL is SQLite's. Package document
// translates it to StackQL's other dialect, and documents the SQL that it can translate.
type View struct {
	Description string       `yaml:"description"`
	Columns     []ViewColumn `yaml:"columns"`
	From        string       `yaml:"from"` // resources by three-part names, each with an alias
	Where       string       `yaml:"where"`
	// Union is there instead of From where the view is several queries, one below the other.
	Union []ViewPart `yaml:"union"`
}

// ViewColumn is a column of a view.
type ViewColumn struct {
	Name        string `yaml:"name"`
	Type        string `yaml:"type"` // as in schemas; string where there is none
	SQL         string `yaml:"sql"`  // an expression; empty where each query of a union has its own
	Description string `yaml:"description"`
	// Required is set on a parameter, without which the API cannot be asked.
	Required bool `yaml:"required"`
}

// ViewPart is one query of a view.
type ViewPart struct {
	From  string `yaml:"from"`
	Where string `yaml:"where"`
	// Columns has the expressions, by the column's name, that differ from those of the view.
	Columns map[string]string `yaml:"columns"`
}

// Parts returns the queries that the view consists of.
func (v *View) Parts() []ViewPart {
	if len(v.Union) > 0 {
		return v.Union
	}
	return []ViewPart{{From: v.From, Where: v.Where}}
}

// Expression is what a query selects for a column.
func (p ViewPart) Expression(c ViewColumn) string {
	if sql, ok := p.Columns[c.Name]; ok {
		return sql
	}
	return c.SQL
}

// ViewsOf returns the views of a provider's service by name.
func (o *Overlays) ViewsOf(provider, service string) map[string]*View {
	return o.Views[provider+"."+service]
}

// columnTypes lists the types that a column may have.
func columnTypes() []string {
	return []string{"string", "integer", "number", "boolean", "object", "array"}
}

// views checks views as far as possible without an SQL engine.
func (c *checker) views(api *sdk.API, o *Overlays) {
	for _, key := range slices.Sorted(maps.Keys(o.Views)) {
		provider, service, _ := strings.Cut(key, ".")
		s := c.service(api, "views/"+key+".yaml", service)
		if s == nil {
			continue
		}
		if !slices.ContainsFunc(s.Operations, func(o *sdk.Operation) bool { return names.ProviderOf(o) == provider }) {
			c.failf("%s has no service %s to hold views", provider, service)
		}
		for _, name := range slices.Sorted(maps.Keys(o.Views[key])) {
			c.view(name, o.Views[key][name])
		}
	}
}

func (c *checker) view(name string, v *View) {
	if v == nil || v.Description == "" || len(v.Columns) == 0 {
		c.failf("view %s needs a description and columns", name)
		return
	}
	if len(v.Union) > 0 && (v.From != "" || v.Where != "") {
		c.failf("view %s has from or where beside union", name)
	}
	known := map[string]bool{}
	for _, column := range v.Columns {
		if column.Name == "" || column.Description == "" {
			c.failf("view %s: column %s needs a name and a description", name, column.Name)
		}
		if known[column.Name] {
			c.failf("view %s has the column %s twice", name, column.Name)
		}
		known[column.Name] = true
		if column.Type != "" && !slices.Contains(columnTypes(), column.Type) {
			c.failf("view %s: column %s has the type %s", name, column.Name, column.Type)
		}
	}
	for i, part := range v.Parts() {
		if part.From == "" {
			c.failf("view %s: query %d has no from", name, i+1)
		}
		for _, column := range slices.Sorted(maps.Keys(part.Columns)) {
			if !known[column] {
				c.failf("view %s: query %d has the column %s, which the view lacks", name, i+1, column)
			}
		}
		for _, column := range v.Columns {
			if part.Expression(column) == "" {
				c.failf("view %s: query %d has no sql for %s", name, i+1, column.Name)
			}
		}
	}
}
