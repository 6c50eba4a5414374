package mcp

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// tool describes a tool.
type tool struct {
	name, title, description string
	calls                    bool // it may call the API
	hidden                   bool // it answers, and is not listed
	writes                   bool // it runs statements that change something, where the gate lets them
}

// queryInput are the arguments of tools that return rows of a statement.
type queryInput struct {
	SQL      string `json:"sql" jsonschema:"one statement"`
	MaxRows  int    `json:"max_rows,omitempty" jsonschema:"how many rows to return at most; 100 if absent"`
	MaxBytes int    `json:"max_bytes,omitempty" jsonschema:"how many bytes the rows may have, as JSON"`
}

// statementInput is the argument of tools that look at a statement.
type statementInput struct {
	SQL string `json:"sql" jsonschema:"one statement"`
}

func (s *Server) addTools() {
	s.addStackQLTools()
	hidden := s.options.StackQLNames
	add(s, &tool{
		name: "search_resources", title: "Search resources", hidden: hidden,
		description: "Finds resources (tables) of the Databricks API by words such as \"cluster policy\". Returns their names, and the columns that WHERE must have. Calls nothing.",
	}, s.search)
	add(s, &tool{
		name: "describe", title: "Describe a resource or method", hidden: hidden,
		description: "Describes a name of up to four parts: a provider lists its services, a service its resources, a resource its columns, methods and parameters, a method its parameters and the form of its body and answer. Calls nothing.",
	}, s.describe)
	add(s, &tool{
		name: "explain", title: "Explain a statement", hidden: hidden,
		description: "Lists the API calls that a statement would make, how many, and where each parameter comes from. Makes none of them. Also checks names and parameters.",
	}, s.explain)
	add(s, &tool{
		name: "query", title: "Query", hidden: hidden, calls: true,
		description: "Runs one SELECT, VALUES, WITH, SHOW, DESCRIBE or EXPLAIN, and returns its rows. The answer is complete only if complete is true; otherwise cut and notes say what is missing.",
	}, s.query)
	add(s, &tool{
		name: "changes", title: "Changes", hidden: s.options.Changes == nil,
		description: "Lists what was added, changed and removed since a time, from the history that a pipeline keeps: the time, the workspace, the key, and the old and new values. Without a table, lists the tables, and how old their rows are. Calls nothing.",
	}, s.changes)
	add(s, &tool{
		name: "execute", title: "Execute", calls: true, writes: true, hidden: hidden || !s.gate.writes,
		description: "Runs one statement that may change something: EXEC, INSERT, UPDATE, REPLACE, DELETE, CREATE, DROP. Shows its requests to the user, and runs it only if the user agrees. Rows of a write must be constants, not a SELECT of resources.",
	}, s.execute)
}

// add registers a tool. An error of the handler goes to the agent, with its hint.
func add[In any](s *Server, t *tool, handle func(context.Context, *sdk.CallToolRequest, *tool, In) (any, error)) {
	if t.hidden {
		s.hidden[t.name] = true
	}
	sdk.AddTool(s.server, &sdk.Tool{Name: t.name, Title: t.title, Description: t.description, Annotations: s.gate.annotations(t)},
		func(ctx context.Context, req *sdk.CallToolRequest, in In) (*sdk.CallToolResult, any, error) {
			out, err := handle(ctx, req, t, in)
			if err != nil {
				return failed(err), nil, nil
			}
			if result, ok := out.(*sdk.CallToolResult); ok {
				return result, nil, nil
			}
			encoded, err := toJSON(out)
			if err != nil {
				return failed(err), nil, nil
			}
			return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: string(encoded)}}, StructuredContent: raw(encoded)}, nil, nil
		})
}

// withoutHidden leaves tools out of the list that answer only.
func (s *Server) withoutHidden(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		result, err := next(ctx, method, req)
		if list, ok := result.(*sdk.ListToolsResult); ok && list != nil {
			list.Tools = slices.DeleteFunc(list.Tools, func(t *sdk.Tool) bool { return s.hidden[t.Name] })
		}
		return result, err
	}
}

// failed is the result of a tool that ended with an error.
func failed(err error) *sdk.CallToolResult {
	return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: "error: " + errorText(err)}}}
}

// errorText words an error, with its hint.
func errorText(err error) string {
	if hint := provider.HintOf(err); hint != "" {
		return err.Error() + "\nhint: " + hint
	}
	return err.Error()
}

// limitsOf reads the limits of a call.
func (s *Server) limitsOf(rows, bytes int) (limits, error) {
	if rows < 0 || bytes < 0 {
		return limits{}, provider.Usagef("max_rows or max_bytes is negative")
	}
	most := limits{min(usualRows, s.options.MaxRows), s.options.MaxBytes, s.options.LooksSecret}
	if rows > 0 {
		most.rows = min(rows, s.options.MaxRows)
	}
	if bytes > 0 {
		most.bytes = min(bytes, s.options.MaxBytes)
	}
	return most, nil
}

// query runs a statement that reads.
func (s *Server) query(ctx context.Context, req *sdk.CallToolRequest, t *tool, in queryInput) (any, error) {
	most, err := s.limitsOf(in.MaxRows, in.MaxBytes)
	if err != nil {
		return nil, err
	}
	j := job{client: clientOf(req), tool: t.name, text: in.SQL, limits: most}
	if _, err := s.admit(t, j); err != nil {
		return nil, err
	}
	return s.run(ctx, j)
}

// explain lists the calls of a statement, and makes none: EXPLAIN ANALYZE, which runs the statement, is query's.
func (s *Server) explain(ctx context.Context, req *sdk.CallToolRequest, t *tool, in statementInput) (any, error) {
	text := in.SQL
	if statements, err := statement.Parse(text); err == nil && len(statements) == 1 {
		switch st := statements[0].(type) {
		case *statement.Explain:
			if st.Analyze {
				return nil, provider.Usagef("EXPLAIN ANALYZE runs the statement, and explain makes no call").Hintf("leave ANALYZE out, or call query")
			}
		default:
			text = "EXPLAIN " + text
		}
	}
	j := job{client: clientOf(req), tool: t.name, text: text, limits: limits{rows: s.options.MaxRows, bytes: s.options.MaxBytes}}
	if _, err := s.admit(t, j); err != nil {
		return nil, err
	}
	return s.run(ctx, j)
}

// changesInput are the arguments of changes.
type changesInput struct {
	Table    string `json:"table,omitempty" jsonschema:"table of the pipeline; without it, the tables are listed"`
	Since    string `json:"since,omitempty" jsonschema:"a time such as 2026-11-01 or 2026-11-01T06:00:00Z, or an age such as 24h or 7d; without it, the whole history"`
	MaxRows  int    `json:"max_rows,omitempty" jsonschema:"how many rows to return at most; 100 if absent"`
	MaxBytes int    `json:"max_bytes,omitempty" jsonschema:"how many bytes the rows may have, as JSON"`
}

// changes reads the history of a pipeline.
func (s *Server) changes(ctx context.Context, req *sdk.CallToolRequest, t *tool, in changesInput) (_ any, err error) {
	if s.options.Changes == nil {
		return nil, provider.Usagef("this server has no history").
			Hintf("it needs the folder or the store of a pipeline: lakeql mcp --history inventory")
	}
	most, err := s.limitsOf(in.MaxRows, in.MaxBytes)
	if err != nil {
		return nil, err
	}
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	began, a, notes := time.Now(), &answer{Rows: []raw{}}, &noteList{}
	defer func() {
		if s.options.Audit != nil {
			s.options.Audit(Record{
				Time: began, Client: clientOf(req), Tool: t.name, Text: provider.Printable(shorten(strings.TrimSpace(in.Table+" "+in.Since), longestNote)),
				Rows: len(a.Rows), Duration: time.Since(began), Outcome: outcome(err),
			})
		}
	}()
	complete, err := s.options.Changes(ctx, in.Table, in.Since, notes.add, func(rows provider.Rows) error { return a.read(ctx, rows, most) })
	a.finish(notes)
	a.Complete = complete && len(a.Cut) == 0
	return a, err
}

// clientOf names the client of a call.
func clientOf(req *sdk.CallToolRequest) string {
	if p := req.Session.InitializeParams(); p != nil && p.ClientInfo != nil {
		return provider.Printable(shorten(strings.TrimSpace(fmt.Sprintf("%s %s", p.ClientInfo.Name, p.ClientInfo.Version)), 100))
	}
	return ""
}
