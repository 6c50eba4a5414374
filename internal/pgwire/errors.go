package pgwire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lakeql/lakeql/provider"
)

// fault is an error that is known by its SQLSTATE.
type fault struct {
	state, message, detail, hint string
	at                           int // offset in the text of the message; -1 and 0: none
}

func (f *fault) Error() string { return f.message }

func faultf(state, format string, args ...any) *fault {
	return &fault{state: state, message: fmt.Sprintf(format, args...)}
}

// SQLSTATEs that are used in more than one place.
const (
	stateSyntax       = "42601"
	stateProtocol     = "08P01"
	stateNoStatement  = "26000"
	stateNoCursor     = "34000"
	stateFailed       = "25P02"
	stateUnsupported  = "0A000"
	stateCanceled     = "57014"
	stateShutdown     = "57P01"
	stateIdle         = "57P05"
	stateInvalidText  = "22P02"
	stateInternal     = "XX000"
	stateInvalidValue = "22023"
	stateReadOnly     = "25006"
	stateSuccess      = "00000"
	stateWarning      = "01000"
	stateUndefined    = "42P01"
	stateUnauthorized = "28000"
	stateAPI          = "HV000"
	stateNetwork      = "08006"
)

// stateOf is the SQLSTATE for a kind of error.
func stateOf(code provider.Code) string {
	switch code {
	case provider.Usage:
		return stateSyntax
	case provider.Unknown:
		return stateUndefined
	case provider.Unauthorized:
		return stateUnauthorized
	case provider.API, provider.Partial:
		return stateAPI
	case provider.Network:
		return stateNetwork
	case provider.Canceled:
		return stateCanceled
	case provider.Internal:
	}
	return stateInternal
}

// response is how a client sees an error. text is the message that the position counts in.
func response(err error, text string) *pgproto3.ErrorResponse {
	r := &pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: stateInternal, Message: err.Error()}
	if known, ok := errors.AsType[*fault](err); ok {
		r.Code, r.Message, r.Detail, r.Hint = known.state, known.message, known.detail, known.hint
		r.Position = position(text, known.at)
		return r
	}
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			r.Code = stateCanceled
		}
		return r
	}
	r.Code, r.Message, r.Hint = stateOf(e.Code), e.Message, e.Hint
	switch {
	case errors.Is(err, errTimeout), errors.Is(err, errCanceled):
		r.Code = stateCanceled
	case errors.Is(err, errShutdown):
		r.Code = stateShutdown
	}
	if e.Position.Line > 0 {
		r.Position = position(text, e.Position.Offset+1)
	}
	if e.Method != "" {
		detail := []string{e.Method + " " + e.URL}
		if e.Status != 0 {
			detail = append(detail, fmt.Sprintf("HTTP status %d", e.Status))
		}
		if e.ErrorCode != "" {
			detail = append(detail, e.ErrorCode)
		}
		if e.RequestID != "" {
			detail = append(detail, "request id "+e.RequestID)
		}
		r.Detail = strings.Join(detail, ", ")
	}
	return r
}

// position counts characters from 1, as the protocol does. at is an offset from 1 in bytes.
func position(text string, at int) int32 {
	if at <= 0 || at-1 > len(text) {
		return 0
	}
	return int32(utf8.RuneCountInString(text[:at-1])) + 1 //nolint:gosec // messages are shorter than 32 MiB
}

// fail tells the client of an error.
func (s *session) fail(err error) {
	told := response(err, s.text)
	s.state = told.Code
	s.backend.Send(told)
}

// recovered makes an error of a panic, which ends its statement and not the server. Defer it with the result of
// a function.
func recovered(err *error) {
	if fault := recover(); fault != nil {
		*err = provider.Fault(fault)
	}
}

// notice tells the client something besides rows.
func (s *session) notice(state, text string) {
	severity := "NOTICE"
	if state == stateWarning {
		severity = "WARNING"
	}
	s.backend.Send(&pgproto3.NoticeResponse{Severity: severity, SeverityUnlocalized: severity, Code: state, Message: text})
}
