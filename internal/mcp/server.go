// Package mcp serves statements to agents by the Model Context Protocol.
//
// A Server has a few tools (tools.go), of which query and execute run statements. The gate (gate.go) decides
// which. Each statement has a session of its own. Its answer is limited in rows and bytes, and says what was
// left out (answer.go). A write shows its requests, and waits until the user of the client agrees (confirm.go).
package mcp

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Runner is a session that runs one statement.
type Runner interface {
	// Run runs the statements of a text, as the engine's sessions do.
	Run(ctx context.Context, text string) iter.Seq2[provider.Rows, error]
	// Columns checks a text of one query and describes its rows. It makes no call.
	Columns(text string) ([]provider.Column, error)
	// Incomplete reports whether a statement went on without some of its rows.
	Incomplete() bool
	// Shown returns a text of statements with masks in place of what may be a credential.
	Shown(text string) string
	Close()
}

// Options say what agents may do.
type Options struct {
	Version   string
	Catalogue *provider.Catalogue
	// Session makes a session. It says its notes by the function. With dryRun it shows requests in place of
	// sending them.
	Session func(dryRun bool, note func(line string)) Runner
	// Changes, if set, reads the changes of a pipeline's table since a time, or the tables if table is empty. It
	// reports whether the rows are all that there are, and says why not by the function.
	Changes func(ctx context.Context, table, since string, note func(line string), read func(provider.Rows) error) (complete bool, err error)
	// LooksSecret, if set, reports whether a text looks like a credential. Such texts in rows are masked.
	LooksSecret func(text string) bool
	// Page returns a page of the documentation as Markdown: without a service and a resource, the guide. Nil: there
	// are no pages.
	Page func(provider, service, resource string) (string, error)
	// AllowWrites lets statements change something, each after the client's user agreed.
	AllowWrites bool
	// StackQLNames lists the tools under the names of StackQL's server. Both names always answer.
	StackQLNames bool
	// Running is how many statements run at once; others wait. 0: 8.
	Running int
	// Timeout ends a statement that takes longer; 0: never.
	Timeout time.Duration
	// MaxRows and MaxBytes bound each answer; 0: 1,000 rows and 64 KiB.
	MaxRows, MaxBytes int
	// Audit, if set, is called once for each statement.
	Audit func(Record)
}

// Record is what the audit says of a statement.
type Record struct {
	Time     time.Time
	Client   string // the client's name and version, as it says them
	Tool     string
	Text     string // with masks in place of literals that may be credentials
	Rows     int
	Duration time.Duration
	Outcome  string // done, refused, declined, or the kind of the error
}

const (
	usualRunning  = 8
	usualMaxRows  = 1000
	usualRows     = 100
	usualMaxBytes = 64 << 10
)

// Server serves agents.
type Server struct {
	options Options
	gate    gate
	server  *sdk.Server
	running chan struct{} // one for each statement that runs
	posts   atomic.Int64  // requests over HTTP that are being answered
	hidden  map[string]bool

	questions questions
}

// New makes a server.
func New(o Options) *Server {
	o.MaxRows, o.MaxBytes = cmp.Or(o.MaxRows, usualMaxRows), cmp.Or(o.MaxBytes, usualMaxBytes)
	s := &Server{options: o, gate: gate{o.AllowWrites}, running: make(chan struct{}, cmp.Or(o.Running, usualRunning)), hidden: map[string]bool{}}
	s.server = sdk.NewServer(
		&sdk.Implementation{Name: "lakeql", Title: "lakeql: SQL over the Databricks API", Version: o.Version},
		&sdk.ServerOptions{Instructions: s.taught(), Capabilities: &sdk.ServerCapabilities{}},
	)
	s.addTools()
	s.addPrompts()
	s.addResources()
	s.server.AddReceivingMiddleware(s.withoutHidden)
	return s
}

// ServeStdio serves one client over a pair of streams, until the client closes its own or ctx ends.
func (s *Server) ServeStdio(ctx context.Context, in io.ReadCloser, out io.WriteCloser) error {
	err := s.server.Run(ctx, &sdk.IOTransport{Reader: in, Writer: out})
	if err != nil && ctx.Err() == nil && !errors.Is(err, io.EOF) {
		return provider.Errorf(provider.Network, "serve standard input and output: %v", err).Because(err)
	}
	return nil
}

// job is a statement that runs.
type job struct {
	client string
	tool   string
	text   string
	dryRun bool
	limits limits

	notes *noteList
	rows  func() int // how many were read
}

// run runs the statement of a job, and reads its rows up to the limits.
func (s *Server) run(ctx context.Context, j job) (*answer, error) {
	a := &answer{Rows: []raw{}}
	j.notes, j.rows = &noteList{}, func() int { return len(a.Rows) }
	err := s.each(ctx, j, func(session Runner, rows provider.Rows) error {
		err := a.read(ctx, rows, j.limits)
		a.Complete = len(a.Cut) == 0
		return err
	})
	a.finish(j.notes)
	a.Complete = a.Complete && !j.notes.incomplete
	return a, err
}

// each runs the statement of a job in a session, and hands its rows on.
func (s *Server) each(ctx context.Context, j job, read func(Runner, provider.Rows) error) (err error) {
	began := time.Now()
	if j.notes == nil {
		j.notes = &noteList{}
	}
	session := s.options.Session(j.dryRun, j.notes.add)
	defer session.Close()
	defer func() {
		if fault := recover(); fault != nil {
			err = provider.Fault(fault)
		}
		if !j.dryRun {
			s.audit(j, session, began, outcome(err))
		}
	}()
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for rows, err := range session.Run(ctx, j.text) {
		if err != nil {
			return err
		}
		if err := errors.Join(read(session, rows), rows.Close()); err != nil {
			return err
		}
	}
	j.notes.incomplete = session.Incomplete()
	return nil
}

// begin waits for a place among the statements that run. The context that it returns ends with the time for
// the statement.
func (s *Server) begin(ctx context.Context) (context.Context, func(), error) {
	stop := func() {}
	if s.options.Timeout > 0 {
		ctx, stop = context.WithTimeout(ctx, s.options.Timeout)
	}
	select {
	case s.running <- struct{}{}:
		return ctx, func() { <-s.running; stop() }, nil
	case <-ctx.Done():
		defer stop()
		return nil, nil, provider.Stopped(ctx, "nothing was sent")
	}
}

// audit records a statement that ended.
func (s *Server) audit(j job, session Runner, began time.Time, outcome string) {
	if s.options.Audit == nil {
		return
	}
	r := Record{Time: began, Client: j.client, Tool: j.tool, Text: session.Shown(j.text), Duration: time.Since(began), Outcome: outcome}
	if j.rows != nil {
		r.Rows = j.rows()
	}
	s.options.Audit(r)
}

// admit is the gate for the statement of a job. What it refuses is recorded, too.
func (s *Server) admit(t *tool, j job) (statement.Effect, error) {
	effect, err := s.gate.admit(t, j.text)
	if err != nil {
		j.text = shorten(j.text, longestText)
		s.refused(j, "refused")
	}
	return effect, err
}

// refused records a statement that did not run.
func (s *Server) refused(j job, why string) {
	if s.options.Audit == nil {
		return
	}
	session := s.options.Session(true, func(string) {})
	defer session.Close()
	s.audit(j, session, time.Now(), why)
}

// outcome names what came of a statement.
func outcome(err error) string {
	if err == nil {
		return "done"
	}
	switch provider.CodeOf(err) {
	case provider.Usage, provider.Unknown:
		return "usage"
	case provider.Unauthorized:
		return "unauthorized"
	case provider.API:
		return "api"
	case provider.Network:
		return "network"
	case provider.Canceled:
		return "canceled"
	case provider.Partial:
		return "partial"
	case provider.Internal:
	}
	return "internal"
}

// noteList collects the notes of a session.
type noteList struct {
	mu         sync.Mutex
	notes      []string
	more       int
	incomplete bool // the session went on without some rows
}

// mostNotes bounds the notes of an answer, and longestNote each of them, in bytes.
const (
	mostNotes   = 20
	longestNote = 1000
)

func (n *noteList) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.notes) == mostNotes {
		n.more++
		return
	}
	n.notes = append(n.notes, shorten(line, longestNote))
}

func (n *noteList) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.more > 0 {
		return append(n.notes, countOf(n.more, "more note"))
	}
	return n.notes
}
