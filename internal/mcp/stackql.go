package mcp

import (
	"context"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/provider"
)

// The tools of StackQL's server answer under their names. They are listed, in place of ours, only if the server
// was started as StackQL's is: two tools for one purpose make an agent choose badly.

// sqlInput are the arguments of StackQL's tools that take a statement.
type sqlInput struct {
	SQL      string `json:"sql" jsonschema:"one statement"`
	RowLimit int    `json:"row_limit,omitempty" jsonschema:"how many rows to return at most; 100 if absent"`
	Source   string `json:"source,omitempty" jsonschema:"accepted, and not used"`
}

// namesInput are the parts of a name.
type namesInput struct {
	Provider string `json:"provider,omitempty" jsonschema:"such as databricks_workspace"`
	Service  string `json:"service,omitempty" jsonschema:"service of the provider"`
	Resource string `json:"resource,omitempty" jsonschema:"resource of the service"`
	Method   string `json:"method,omitempty" jsonschema:"method of the resource"`
	Version  string `json:"version,omitempty" jsonschema:"accepted, and not used"`
	RowLimit int    `json:"row_limit,omitempty" jsonschema:"how many rows to return at most"`
}

// addStackQLTools adds the tools with StackQL's names.
func (s *Server) addStackQLTools() {
	hidden := !s.options.StackQLNames
	add(s, &tool{name: "server_info", title: "Server", hidden: hidden, description: "Returns the version of the server, and whether it only reads."}, s.serverInfo)
	for _, t := range []struct{ name, title, description, statement, parts string }{
		{"list_providers", "Providers", "Lists the providers.", "SHOW PROVIDERS", ""},
		{"list_services", "Services", "Lists the services of a provider.", "SHOW EXTENDED SERVICES IN ", "provider"},
		{"list_resources", "Resources", "Lists the resources of a service.", "SHOW EXTENDED RESOURCES IN ", "provider.service"},
		{"list_methods", "Methods", "Lists the methods of a resource, with the SQL verb that reaches each, and the parameters that it requires.", "SHOW EXTENDED METHODS IN ", "provider.service.resource"},
		{"describe_resource", "Columns", "Describes the columns of a resource.", "DESCRIBE EXTENDED ", "provider.service.resource"},
		{"describe_method", "Method", "Describes the parameters of a method, the form of its body, and its columns.", "DESCRIBE METHOD EXTENDED ", "provider.service.resource.method"},
		{"list_registry", "Registry", "Lists the providers with their versions.", "REGISTRY LIST", ""},
		{"pull_provider", "Pull a provider", "Says that the providers are part of lakeql: there is nothing to pull.", "REGISTRY PULL ", "provider"},
	} {
		add(s, &tool{name: t.name, title: t.title, hidden: hidden, description: t.description},
			func(ctx context.Context, req *sdk.CallToolRequest, own *tool, in namesInput) (any, error) {
				name, err := in.join(t.parts)
				if err != nil {
					return nil, err
				}
				most := limits{rows: mostOfCatalogue, bytes: mostOfCatalogue << 8}
				if in.RowLimit > 0 {
					most.rows = min(in.RowLimit, mostOfCatalogue)
				}
				return s.run(ctx, job{client: clientOf(req), tool: own.name, text: t.statement + name, limits: most})
			})
	}
	add(s, &tool{name: "validate_select_query", title: "Check a query", hidden: hidden, description: "Checks a SELECT without running it: names, parameters, columns. Calls nothing."}, s.validate)
	add(s, &tool{name: "run_select_query", title: "Query", hidden: hidden, calls: true, description: "Runs one SELECT and returns its rows. The answer is complete only if complete is true; otherwise cut and notes say what is missing."}, s.runSQL(s.query))
	for name, what := range map[string]string{"run_mutation_query": "INSERT, UPDATE, REPLACE or DELETE", "run_lifecycle_operation": "EXEC"} {
		add(s, &tool{
			name: name, title: "Execute", hidden: hidden || !s.gate.writes, calls: true, writes: true,
			description: "Runs one " + what + ". Shows its requests to the user, and runs it only if the user agrees.",
		}, s.runSQL(s.execute))
	}
	add(s, &tool{name: "reload_credentials", title: "Credentials", hidden: hidden, description: "Lists where the credential of each provider comes from. Returns no credential."}, s.credentials)
}

// join writes the parts that a tool needs as a name.
func (in namesInput) join(form string) (string, error) {
	if form == "" {
		return "", nil
	}
	given := map[string]string{"provider": in.Provider, "service": in.Service, "resource": in.Resource, "method": in.Method}
	var parts []string
	for part := range strings.SplitSeq(form, ".") {
		if !isName(given[part]) {
			return "", provider.Usagef("%s is missing, or no name", part)
		}
		parts = append(parts, given[part])
	}
	return strings.Join(parts, "."), nil
}

type info struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Mode     string `json:"mode"` // read_only, or safe: a write needs the user's word
	ReadOnly bool   `json:"is_read_only"`
}

func (s *Server) serverInfo(context.Context, *sdk.CallToolRequest, *tool, struct{}) (any, error) {
	i := info{Name: "lakeql", Version: s.options.Version, Mode: "read_only", ReadOnly: !s.gate.writes}
	if s.gate.writes {
		i.Mode = "safe"
	}
	return i, nil
}

// runSQL makes a tool with StackQL's arguments of one of ours.
func (s *Server) runSQL(run func(context.Context, *sdk.CallToolRequest, *tool, queryInput) (any, error)) func(context.Context, *sdk.CallToolRequest, *tool, sqlInput) (any, error) {
	return func(ctx context.Context, req *sdk.CallToolRequest, t *tool, in sqlInput) (any, error) {
		return run(ctx, req, t, queryInput{SQL: in.SQL, MaxRows: in.RowLimit})
	}
}

type validity struct {
	Valid  bool     `json:"valid"`
	Errors []string `json:"errors,omitempty"`
}

// validate reports whether a query can run.
func (s *Server) validate(ctx context.Context, req *sdk.CallToolRequest, t *tool, in sqlInput) (any, error) {
	if _, err := s.gate.admit(t, in.SQL); err != nil {
		return validity{Errors: []string{errorText(err)}}, nil
	}
	session := s.options.Session(false, func(string) {})
	defer session.Close()
	if _, err := session.Columns(in.SQL); err != nil {
		return validity{Errors: []string{errorText(err)}}, nil
	}
	return validity{Valid: true}, nil
}

// credentials lists where credentials come from. They are looked for when a workspace is first called, so
// nothing has to be loaded again.
func (s *Server) credentials(ctx context.Context, req *sdk.CallToolRequest, t *tool, in namesInput) (any, error) {
	providers, err := s.providers(in.Provider)
	if err != nil {
		return nil, err
	}
	all := &answer{Rows: []raw{}}
	for _, p := range providers {
		a, err := s.run(ctx, job{client: clientOf(req), tool: t.name, text: "SHOW AUTH IN " + p.Name, limits: limits{rows: usualRows, bytes: usualMaxBytes}})
		if err != nil {
			return nil, err
		}
		all.Complete, all.Columns = a.Complete, a.Columns
		all.Rows, all.Notes = append(all.Rows, a.Rows...), append(all.Notes, a.Notes...)
		all.RowCount = len(all.Rows)
	}
	return all, nil
}
