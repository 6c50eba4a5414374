package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// OnError says what becomes of a statement when a call of it fails.
type OnError string

// What may become of a statement.
const (
	// Fail ends the statement with the error of the call.
	Fail OnError = "fail"
	// Partial goes on with what there is, and keeps what is missing for SHOW ERRORS.
	Partial OnError = "partial"
)

// ParseOnError reads what SET on_error and --on-error are given.
func ParseOnError(text string) (OnError, error) {
	switch o := OnError(text); o {
	case Fail, Partial:
		return o, nil
	}
	return "", &provider.Error{Code: provider.Usage, Message: "on_error: " + provider.Quote(text) + " is neither fail nor partial"}
}

// Missing is a part of an answer that a statement went on without.
type Missing struct {
	// Resource is the full name of what was asked, Workspace the deployment name or host that was.
	Resource, Workspace string
	// Err is why it is missing.
	Err error
}

// String words it for a person.
func (m Missing) String() string {
	return fmt.Sprintf("rows of %s in workspace %s are missing: %v", m.Resource, m.Workspace, m.Err)
}

// absences collects what the statements of a session went on without.
type absences struct {
	mu   sync.Mutex
	last []Missing // of the last statement that ran
	seen map[any]bool
	ever bool // some statement of the session went on without something
}

// reset begins a new statement.
func (a *absences) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last, a.seen = nil, nil
}

// add takes in that an answer is not whole. One that a statement reads twice counts once.
func (a *absences) add(of any, m Missing) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen[of] {
		return
	}
	if a.seen == nil {
		a.seen = map[any]bool{}
	}
	a.seen[of] = true
	a.last = append(a.last, m)
	a.ever = true
}

// Missing gives what the last statement went on without, in the order in which it was found out.
func (s *Session) Missing() []Missing {
	s.absences.mu.Lock()
	defer s.absences.mu.Unlock()
	return append([]Missing(nil), s.absences.last...)
}

// Incomplete reports whether any statement of the session gave less than there is.
func (s *Session) Incomplete() bool {
	s.absences.mu.Lock()
	defer s.absences.mu.Unlock()
	return s.absences.ever
}

// mostNotes is how many missing parts are told one by one.
const mostNotes = 20

// noteMissing tells what the last statement went on without.
func (s *Session) noteMissing() {
	missing := s.Missing()
	for i, m := range missing {
		if i == mostNotes {
			s.note("… and %d more, which SHOW ERRORS lists", len(missing)-mostNotes)
			return
		}
		s.note("incomplete: %s", m)
	}
}

func (s *Session) note(format string, args ...any) {
	if s.Note != nil {
		s.Note(fmt.Sprintf(format, args...))
	}
}

// forgiven reports whether the session goes on without what an error of a call took away. Faults of
// the statement are never forgiven, and neither is a person who wants it to stop.
func (s *Session) forgiven(err error) bool {
	if s.OnError != Partial || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	switch provider.CodeOf(err) {
	case provider.API, provider.Network, provider.Unauthorized:
		return true
	case provider.Internal, provider.Usage, provider.Unknown, provider.Canceled, provider.Partial:
	}
	return false
}

// ended takes in why an answer ends (io.EOF, or what went wrong) and gives how it ends for the
// statement. of tells answers apart that are read more than once.
func (s *Session) ended(of any, req *dispatch.Request, cut bool, err error) error {
	switch {
	case errors.Is(err, io.EOF) && cut:
		err = s.pageLimitError()
	case errors.Is(err, io.EOF) || !s.forgiven(err):
		return err
	}
	s.absences.add(of, Missing{Resource: req.Method().Resource, Workspace: req.Workspace(), Err: err})
	return io.EOF
}

func (s *Session) pageLimitError() error {
	return &provider.Error{
		Code:    provider.Partial,
		Message: fmt.Sprintf("the page limit of %d was reached, and the list goes on", s.Client.PageLimit),
		Hint:    "leave the page limit out to read all of it",
	}
}

// showErrors is what SHOW is about that lists what the last statement went on without.
const showErrors = "ERRORS"

// errors lists what the last statement went on without.
func (s *Session) errors() listing {
	t := listing{header: "resource workspace code status message url request_id", names: []int{0}}
	for _, m := range s.Missing() {
		e, ok := errors.AsType[*provider.Error](m.Err)
		if !ok {
			e = &provider.Error{Message: m.Err.Error()}
		}
		row := []any{m.Resource, m.Workspace}
		for _, value := range []string{e.ErrorCode, strings.TrimPrefix(strconv.Itoa(e.Status), "0"), e.Message, e.URL, e.RequestID} {
			if value == "" {
				row = append(row, nil)
			} else {
				row = append(row, value)
			}
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// watchedRows are the rows of one call, which may end before their time.
type watchedRows struct {
	provider.Rows
	session *Session
	req     *dispatch.Request
}

// watch gives the rows of a call, or of one that failed, so that the session may go on without them.
func (s *Session) watch(req *dispatch.Request, rows provider.Rows, err error) (provider.Rows, error) {
	if err == nil {
		return &watchedRows{rows, s, req}, nil
	}
	if m := req.Method(); m.Verb != http.MethodGet && m.SQLVerb != provider.Select {
		return nil, err // what was to be done and failed is no gap in an answer
	}
	if err := s.ended(req, req, false, err); !errors.Is(err, io.EOF) {
		return nil, err
	}
	return provider.NewRows(req.Columns(), nil), nil
}

func (r *watchedRows) Next(ctx context.Context) ([]any, error) {
	row, err := r.Rows.Next(ctx)
	if err != nil {
		limited, ok := r.Rows.(interface{ Cut() bool })
		err = r.session.ended(r.req, r.req, ok && limited.Cut(), err)
	}
	return row, err
}
