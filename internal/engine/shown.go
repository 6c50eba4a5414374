package engine

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/redact"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Redact returns a text of statements that ended with an error, with the parts marked that may be shown:
// everything but possible credentials.
func (s *Session) Redact(text string, err error) *redact.Text {
	return redact.Judge{Client: s.Client, Foreign: s.Foreign, Scope: s.used(), Unresolved: isUnresolved(err)}.Read(text)
}

// isUnresolved reports whether an error says that names of a statement have no meaning, or that SQLite
// does not take it.
func isUnresolved(err error) bool {
	fault, ok := errors.AsType[*sqlite3.Error](err)
	if ok && strings.Contains(fault.Error(), "no query solution") {
		return false // a parameter is missing
	}
	return ok || provider.CodeOf(err) == provider.Unknown
}

// Kept returns a text of statements as a history keeps it: masked as by Shown, with its references to variables.
func (s *Session) Kept(text string, isVariable func(name string) bool) string {
	return redact.Judge{Client: s.Client, Foreign: s.Foreign, Scope: s.used()}.Kept(text, isVariable)
}

// Interpolate puts the values of variables into a text of statements; see [statement.Interpolate].
func (s *Session) Interpolate(text string, value func(name string) (string, bool)) string {
	return statement.Interpolate(text, value)
}

// Shown returns a text of statements with a mask in place of possible credentials; empty if nothing else is
// left of it.
func (s *Session) Shown(text string) string {
	shown := redact.Judge{Client: s.Client, Foreign: s.Foreign, Scope: s.used()}.Read(text)
	if shown.HidesAll() {
		return ""
	}
	return shown.String()
}

// Count counts the statements of a text.
func (s *Session) Count(text string) (int, error) {
	statements, err := s.used().Parse(text)
	s.counted = counted{text, s.Used(), statements}
	return len(statements), s.shownError(text, err)
}

// shownError returns an error of statements without possible credentials in them.
func (s *Session) shownError(text string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return s.Redact(text, err).Error(err)
}

// shownRows are the rows of a statement. Their errors do not repeat possible credentials.
type shownRows struct {
	provider.Rows
	session *Session
	text    string
}

func (r *shownRows) Next(ctx context.Context) ([]any, error) {
	row, err := r.Rows.Next(ctx)
	return row, r.session.shownError(r.text, err)
}

func (r *shownRows) Close() error { return r.session.shownError(r.text, r.Rows.Close()) }
