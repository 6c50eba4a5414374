package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// OnError decides how a statement continues after one of its calls fails.
type OnError string

// The values of OnError.
const (
	// Fail ends the statement with the error of the call.
	Fail OnError = "fail"
	// Partial goes on with the other answers. SHOW ERRORS lists the missing ones.
	Partial OnError = "partial"
)

// ParseOnError reads the value of SET on_error and --on-error.
func ParseOnError(text string) (OnError, error) {
	switch o := OnError(text); o {
	case Fail, Partial:
		return o, nil
	}
	return "", provider.Usagef("on_error: %s is neither fail nor partial", provider.Quote(text))
}

// Missing is a part of an answer that a statement went on without.
type Missing struct {
	// Resource is the full name of the resource, Workspace the deployment name or host.
	Resource, Workspace string
	// Err is why it is missing.
	Err error
}

// String describes it for a person.
func (m Missing) String() string {
	return fmt.Sprintf("rows of %s in workspace %s are missing: %v", m.Resource, m.Workspace, m.Err)
}

// gaps are the parts of answers that the statements of a session went on without.
type gaps struct {
	mu   sync.Mutex
	last []Missing // of the last statement that ran
	seen map[any]bool
	ever bool // some statement of the session went on without something
}

// reset starts a new statement.
func (g *gaps) reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last, g.seen = nil, nil
}

// add records a gap. One in an answer that is read twice counts once.
func (g *gaps) add(of any, m Missing) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seen[of] {
		return
	}
	if g.seen == nil {
		g.seen = map[any]bool{}
	}
	g.seen[of] = true
	g.last = append(g.last, m)
	g.ever = true
}

// Missing lists the gaps of the last statement, in the order in which they were found.
func (s *Session) Missing() []Missing {
	s.gaps.mu.Lock()
	defer s.gaps.mu.Unlock()
	return append([]Missing(nil), s.gaps.last...)
}

// Incomplete reports whether any statement of the session had a gap, or read rows that are old or in part.
func (s *Session) Incomplete() bool {
	s.gaps.mu.Lock()
	defer s.gaps.mu.Unlock()
	return s.gaps.ever
}

// mostNotes is the number of gaps that are noted one by one.
const mostNotes = 20

// noteMissing notes the gaps of the last statement.
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

// replaced counts the characters that had to be replaced in the answers to a statement, by the method.
type replaced struct {
	mu       sync.Mutex
	byMethod map[string]int
}

func (r *replaced) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byMethod = nil
}

func (r *replaced) add(req *dispatch.Request, characters int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byMethod == nil {
		r.byMethod = map[string]int{}
	}
	r.byMethod[req.Method().FullName()] += characters
}

// noteReplaced notes which answers to the last statement had characters that are no text.
func (s *Session) noteReplaced() {
	s.replaced.mu.Lock()
	defer s.replaced.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.replaced.byMethod)) {
		text := fmt.Sprintf("%s returned invalid text: characters replaced by U+FFFD: %d", name, s.replaced.byMethod[name])
		if s.Warn != nil {
			s.Warn(text)
		} else {
			s.note("%s", text)
		}
	}
}

func (s *Session) note(format string, args ...any) {
	if s.Note != nil {
		s.Note(fmt.Sprintf(format, args...))
	}
}

// partly notes that rows are not all, or not whole, though no call failed.
func (s *Session) partly(format string, args ...any) {
	s.gaps.mu.Lock()
	s.gaps.ever = true
	s.gaps.mu.Unlock()
	s.note(format, args...)
}

// forgivable reports whether a statement can go on without the answer that ended with the error. It
// cannot if the statement itself is at fault or was cancelled.
func forgivable(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	switch provider.CodeOf(err) {
	case provider.API, provider.Network, provider.Unauthorized:
		return true
	case provider.Internal, provider.Usage, provider.Unknown, provider.Canceled, provider.Partial:
	}
	return false
}

// ended receives the reason for the end of an answer, io.EOF or an error, and returns how the answer ends
// for the statement. of is the same for every reader of one answer, so that a gap counts once.
func (s *Session) ended(of any, req *dispatch.Request, cut bool, err error) error {
	switch {
	case errors.Is(err, io.EOF) && cut:
		err = pageLimitError(s.Client.PageLimit)
	case errors.Is(err, io.EOF) || s.OnError != Partial || !forgivable(err):
		return err
	}
	s.gaps.add(of, Missing{Resource: req.Method().Resource, Workspace: req.Workspace(), Err: err})
	return io.EOF
}

func pageLimitError(limit int) error {
	return provider.Errorf(provider.Partial, "the page limit of %d was reached, and the list goes on", limit).
		Hintf("leave the page limit out to read all of it")
}

// watchedRows are the rows of one call, which may end with a gap.
type watchedRows struct {
	provider.Rows
	session *Session
	req     *dispatch.Request
}

// watch returns the rows of a call, or no rows of a failed call if the session continues without them.
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
