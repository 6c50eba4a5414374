package mcp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// execute runs a statement that may change something, after the user of the client has seen its requests and
// agreed. The user answers a second request of the client with the same arguments (or the SDK makes it, for
// clients of older versions), so all checks run twice.
func (s *Server) execute(ctx context.Context, req *sdk.CallToolRequest, t *tool, in queryInput) (any, error) {
	if !s.gate.writes {
		s.refused(job{client: clientOf(req), tool: t.name, text: in.SQL}, "refused")
		return nil, provider.Usagef("%s is off: this server only reads", t.name).Hintf("a server that was started with --allow-writes has it")
	}
	most, err := s.limitsOf(in.MaxRows, in.MaxBytes)
	if err != nil {
		return nil, err
	}
	j := job{client: clientOf(req), tool: t.name, text: in.SQL, limits: most}
	effect, err := s.admit(t, j)
	if err != nil {
		return nil, err
	}
	if effect == statement.Changes {
		if question, err := s.agreed(ctx, req, j); question != nil || err != nil {
			return question, err
		}
	}
	return s.run(ctx, j)
}

// agreed checks that the user agreed. It returns the question if the user was not asked yet.
func (s *Server) agreed(ctx context.Context, req *sdk.CallToolRequest, j job) (*sdk.CallToolResult, error) {
	if req.Params.InputResponses == nil && req.Params.RequestState == "" {
		if !canAsk(req.Session) {
			s.refused(j, "refused")
			return nil, provider.Usagef("the statement may change something, and this client cannot ask its user (it has no elicitation)").
				Hintf("give the statement to the user, who can run it with lakeql exec")
		}
		message, err := s.question(ctx, j)
		if err != nil {
			return nil, err
		}
		return &sdk.CallToolResult{
			InputRequests: sdk.InputRequestMap{questionID: &sdk.ElicitParams{
				Mode: "form", Message: message, RequestedSchema: map[string]any{"type": "object", "properties": map[string]any{}},
			}},
			RequestState: s.questions.ask(j.text),
		}, nil
	}
	if !s.questions.take(req.Params.RequestState, j.text) {
		s.refused(j, "refused")
		return nil, provider.Usagef("the answer is not to a question about this statement, or too late").Hintf("call %s again without it", j.tool)
	}
	said, ok := req.Params.InputResponses[questionID].(*sdk.ElicitResult)
	switch {
	case ok && said != nil && said.Action == "accept":
		return nil, nil
	case ok && said != nil && said.Action == "decline":
		s.refused(j, "declined")
		return nil, provider.Errorf(provider.Canceled, "the user declined: nothing was sent").Hintf("do not try again unless the user asks for it")
	}
	s.refused(j, "declined")
	return nil, provider.Errorf(provider.Canceled, "the user did not agree: nothing was sent")
}

// questionID names the question in a result.
const questionID = "agree"

// canAsk reports whether a client shows forms to its user.
func canAsk(session *sdk.ServerSession) bool {
	p := session.InitializeParams()
	if p == nil || p.Capabilities == nil || p.Capabilities.Elicitation == nil {
		return false
	}
	asks := p.Capabilities.Elicitation
	return asks.Form != nil || asks.URL == nil // a client that says neither shows forms
}

const (
	mostRequestsShown = 20
	longestShownBody  = 1000
	longestShownText  = 4000
)

// question words what a user has to agree to: the statement, and the requests of a dry run of it.
func (s *Server) question(ctx context.Context, j job) (string, error) {
	j.dryRun = true
	var requests strings.Builder
	n, shown := 0, ""
	err := s.each(ctx, j, func(session Runner, rows provider.Rows) error {
		shown = session.Shown(j.text)
		for {
			row, err := rows.Next(ctx)
			if err == io.EOF { //nolint:errorlint // a connection that breaks is an error that wraps io.EOF
				return nil
			}
			if err != nil {
				return err
			}
			if n++; n <= mostRequestsShown {
				requests.WriteString(requestText(rows.Columns(), row))
			}
		}
	})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "An agent asks to run this statement:\n\n%s\n\n", printableLines(shorten(shown, longestShownText)))
	switch {
	case n == 0:
		b.WriteString("It changes tables or views of the store, and nothing in a workspace.")
	case n > mostRequestsShown:
		fmt.Fprintf(&b, "It sends %d requests, of which these are the first %d:\n%s", n, mostRequestsShown, requests.String())
	default:
		fmt.Fprintf(&b, "It sends %s:\n%s", countOf(n, "request"), requests.String())
	}
	return b.String(), nil
}

// requestText words a row of a dry run.
func requestText(columns []provider.Column, row []any) string {
	values := map[string]string{}
	for i, c := range columns {
		switch value := row[i].(type) {
		case nil:
		case json.RawMessage:
			values[c.Name] = string(value)
		default:
			values[c.Name] = fmt.Sprint(value)
		}
	}
	text := "\n" + provider.Printable(shorten(values["verb"]+" "+values["url"], longestShownBody))
	if body := values["body"]; body != "" {
		text += "\n  " + provider.Printable(shorten(body, longestShownBody))
	}
	return text
}

// printableLines makes a text of several lines safe to show.
func printableLines(text string) string {
	if text == "" {
		return "(it is not shown, because it may hold a credential)"
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = provider.Printable(strings.TrimSuffix(strings.ReplaceAll(line, "\t", "    "), "\r"))
	}
	return strings.Join(lines, "\n")
}

// questions are those that were asked and not answered. An answer counts once, for the statement that the
// question was about.
type questions struct {
	mu   sync.Mutex
	open map[string]question
}

type question struct {
	text  [sha256.Size]byte
	until time.Time
}

const (
	// mostQuestions bounds the questions that are open at once.
	mostQuestions = 1000
	// patience is how long a user may take.
	patience = 30 * time.Minute
)

// ask keeps a question about a statement, and returns its name.
func (q *questions) ask(text string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	var oldest string
	for name, one := range q.open {
		if now.After(one.until) {
			delete(q.open, name)
		} else if oldest == "" || one.until.Before(q.open[oldest].until) {
			oldest = name
		}
	}
	if len(q.open) >= mostQuestions {
		delete(q.open, oldest)
	}
	if q.open == nil {
		q.open = map[string]question{}
	}
	name := rand.Text()
	q.open[name] = question{sha256.Sum256([]byte(text)), now.Add(patience)}
	return name
}

// take ends a question, and reports whether it was about the statement.
func (q *questions) take(name, text string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	one, ok := q.open[name]
	delete(q.open, name)
	return ok && time.Now().Before(one.until) && one.text == sha256.Sum256([]byte(text))
}
