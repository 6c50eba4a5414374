// Package live has the tables that read the database behind an endpoint of Lakebase: its roles, activity,
// databases, tables, settings, extensions and grants, and a query of the user.
//
//   - [Documents] adds the tables to the documents, beside the resources of the API (tables.go).
//   - [Source] answers their calls: it logs in to the endpoint with a minted password, and runs one statement
//     in a read-only transaction (source.go). It writes the rows as JSON (json.go).
//
// To all other packages the tables are resources with one method. So they join with resources of the API, are
// called once a statement, in parallel and ahead, and fail or are missing as calls are.
package live

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

const (
	providerName = "databricks_workspace"
	serviceName  = "postgres"
	// like is the resource whose server the tables share: the workspace.
	like = "postgres_endpoints"
	// queryTable is the table that runs a query of the user.
	queryTable = "lakebase_query"
)

// The parameters of the tables.
const (
	endpointParam = "endpoint"
	queryParam    = "sql"
	databaseParam = "database"
)

const (
	// connects describes a call for EXPLAIN.
	connects = "connects to the endpoint, which wakes it if it sleeps"
	// connectVerb stands in the place of an HTTP method.
	connectVerb = "CONNECT"
)

// Functions are the tables that a query may also read as a function, as vtab.Env has them.
func Functions() map[string]string {
	return map[string]string{queryTable: providerName + "." + serviceName + "." + queryTable}
}

// Documents adds the tables to documents.
func Documents(documents provider.Loader) provider.Loader { return loader{documents} }

type loader struct{ provider.Loader }

// Service implements [provider.Loader].
func (l loader) Service(providerOf, name string) (*provider.Service, error) {
	s, err := l.Loader.Service(providerOf, name)
	if err != nil || providerOf != providerName || name != serviceName {
		return s, err
	}
	more := *s
	more.Resources = slices.Clone(s.Resources)
	for _, t := range tables() {
		more.Resources = append(more.Resources, &provider.ResourceInfo{Name: t.name, ID: t.fullName(), Description: t.description})
	}
	slices.SortFunc(more.Resources, func(a, b *provider.ResourceInfo) int { return strings.Compare(a.Name, b.Name) })
	return &more, nil
}

// Resource implements [provider.Loader].
func (l loader) Resource(providerOf, service, name string) (*provider.Resource, error) {
	t, ok := tableOf(name)
	if !ok || providerOf != providerName || service != serviceName {
		return l.Loader.Resource(providerOf, service, name)
	}
	model, err := l.Loader.Resource(providerName, serviceName, like)
	if err != nil {
		return nil, err
	}
	return t.resource(model.Methods[0].Servers), nil
}

// table is a table of this package.
type table struct {
	name, description string
	// database is set if the rows depend on the database that is connected to.
	database bool
	// sql returns the rows; empty: the user's query does.
	sql     string
	columns []column
}

// column is a column of a table.
type column struct{ name, typ, description string }

// tableOf finds a table.
func tableOf(name string) (table, bool) {
	all := tables()
	i := slices.IndexFunc(all, func(t table) bool { return t.name == name })
	if i < 0 {
		return table{}, false
	}
	return all[i], true
}

func (t table) fullName() string { return providerName + "." + serviceName + "." + t.name }

// resource describes the table as the documents describe resources.
func (t table) resource(servers []provider.Server) *provider.Resource {
	text := &provider.Schema{Type: "string"}
	m := &provider.Method{
		Resource: t.fullName(), Name: "list", SQLVerb: provider.Select, Description: t.description, Connects: connects,
		Verb: connectVerb, Path: "/" + t.name, Servers: servers,
		Params: []provider.Parameter{{
			Name: endpointParam, In: provider.InQuery, Required: true, Schema: text,
			Description: "Endpoint to connect to: projects/p/branches/b/endpoints/e, p/b/e, p/b, p, or the name of an instance of the database service.",
		}},
	}
	if t.sql == "" {
		m.Name = "query"
		m.Params = append(m.Params, provider.Parameter{
			Name: queryParam, In: provider.InQuery, Required: true, Schema: text,
			Description: "One query in PostgreSQL's SQL: SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN. It runs in a read-only transaction.",
		})
	}
	if t.database {
		m.Params = append(m.Params, provider.Parameter{
			Name: databaseParam, In: provider.InQuery, Schema: text,
			Description: "Database to connect to, databricks_postgres by default.",
		})
	}
	row := &provider.Schema{Type: "object"}
	if t.sql != "" { // a column of a function must be hidden to be an argument
		// The rows do not have the attribute: its value is the argument, so that each row meets the comparison
		// that led to it, in whichever form that names the endpoint.
		named := &provider.Schema{Type: "string", Description: "Endpoint, as the statement names it."}
		row.Properties = append(row.Properties, provider.Property{Name: endpointParam, Schema: named})
	}
	for _, c := range t.columns {
		typ, format, _ := strings.Cut(c.typ, " ")
		row.Properties = append(row.Properties, provider.Property{Name: c.name, Schema: &provider.Schema{Type: typ, Format: format, Description: c.description}})
	}
	rows := provider.Property{Name: rowsKey, Schema: &provider.Schema{Type: "array", Items: row}}
	m.Response = &provider.Response{MediaType: "application/json", Schema: &provider.Schema{Type: "object", Properties: []provider.Property{rows}}, ObjectKey: "$." + rowsKey}
	return &provider.Resource{
		Provider: providerName, Service: serviceName, Name: t.name, ID: t.fullName(), Title: t.name,
		Description: t.description, Methods: []*provider.Method{m},
	}
}
