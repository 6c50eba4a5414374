package provider

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Code is the kind of an error. It decides the command's exit status.
type Code int

// The kinds of error.
const (
	Internal     Code = iota // a fault of lakeql itself
	Usage                    // a statement or flag that cannot be carried out as written
	Unknown                  // a name that the catalogue does not have
	Unauthorized             // no credential, or one that the API does not accept
	API                      // the API answered with an error, or with something unreadable
	Network                  // no answer
	Canceled                 // stopped by the user
	Partial                  // rows were given, but not all, as was asked for
)

// String is a word for the kind: internal, usage, unknown, unauthorized, api, network, canceled, or partial.
func (c Code) String() string {
	words := [...]string{"internal", "usage", "unknown", "unauthorized", "api", "network", "canceled", "partial"}
	if c < 0 || int(c) >= len(words) {
		return "code " + strconv.Itoa(int(c))
	}
	return words[c]
}

// Error is the type of every error for users: the failure, its place, its cause and a hint.
type Error struct {
	Code     Code
	Message  string
	Hint     string   // what to do about it
	Position Position // in the statement; zero where the error has none
	// Arg names the argument that is at fault and the path inside it: claims[0].permission_set.
	Arg  string
	Path Path

	// The rest describes a call of the API that failed.
	ErrorCode string // the API's own: NOT_FOUND
	Status    int    // HTTP status; 0 when no answer came
	Absent    bool   // the API says that the resource does not exist; a status of 404 alone does not
	Method    string // HTTP method
	URL       string
	RequestID string
	// RetryAfter is how long the server asked to wait before the call is made again; 0 where it did not.
	RetryAfter time.Duration

	Err error // the cause
}

// Error returns the message on one line, the position first.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Position.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", e.Position.Line, e.Position.Column)
	}
	b.WriteString(e.Message)
	if e.Method != "" {
		fmt.Fprintf(&b, " (%s %s", e.Method, e.URL)
		if e.Status != 0 {
			fmt.Fprintf(&b, ": HTTP %d", e.Status)
		}
		if e.RequestID != "" {
			fmt.Fprintf(&b, ", request id %s", e.RequestID)
		}
		b.WriteByte(')')
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error of a kind. Quote foreign text among the arguments with [Quote].
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Usagef makes an error about the user's input.
func Usagef(format string, args ...any) *Error { return Errorf(Usage, format, args...) }

// Internalf makes an error of a fault of lakeql itself, or of its documents.
func Internalf(format string, args ...any) *Error { return Errorf(Internal, format, args...) }

// Stopped makes the error of a statement whose context has ended, by cancellation or a deadline. state
// says what was stopped, and what may have been done.
func Stopped(ctx context.Context, state string) *Error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		return Errorf(Network, "the time for the statement is up: %s", state).Because(cause)
	}
	return Errorf(Canceled, "canceled: %s", state).Because(cause)
}

// Hintf sets the hint, which says what to do about the error. It changes e and returns it.
func (e *Error) Hintf(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// At sets the position in the statement. It changes e and returns it.
func (e *Error) At(pos Position) *Error {
	e.Position = pos
	return e
}

// In sets the argument at fault and the path inside it. It changes e and returns it.
func (e *Error) In(arg string, path ...any) *Error {
	e.Arg, e.Path = arg, path
	return e
}

// Because keeps the cause. It changes e and returns it.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

// At sets the position of an error in the statement, unless it has one. An error that is not an [Error]
// stays as it is.
func At(err error, pos Position) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Position.Line > 0 {
		return err
	}
	return Change(err, func(e *Error) { e.Position = pos })
}

// Copy returns a copy of the first [Error] in err's chain, which the caller may change. Without an [Error]
// in the chain it makes one of the given kind, with err's message and err as the cause.
func Copy(err error, code Code) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return Errorf(code, "%v", err).Because(err)
	}
	copied := *e
	return &copied
}

// Change returns a changed copy of the first [Error] in err's chain. An error that is not an [Error]
// stays as it is.
func Change(err error, change func(e *Error)) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	changed := Copy(e, e.Code)
	change(changed)
	return changed
}

// CodeOf returns the code of the first [Error] in err's chain; Internal if there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// HintOf returns the hint of the first [Error] in err's chain.
func HintOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Hint
	}
	return ""
}

// Position is a place in a statement's text. Lines and columns count from 1, columns in
// characters; Offset counts bytes from 0.
type Position struct {
	Line, Column, Offset int
}

// PositionAt finds the line and column of a byte offset in text.
func PositionAt(text string, offset int) Position {
	offset = min(max(offset, 0), len(text))
	before := text[:offset]
	start := strings.LastIndexByte(before, '\n') + 1
	return Position{
		Line:   strings.Count(before, "\n") + 1,
		Column: len([]rune(before[start:])) + 1,
		Offset: offset,
	}
}

// Path leads into a value: attribute names (string) and array indexes (int).
type Path []any

// String writes the path as people do: claims[0].permission_set.
func (p Path) String() string {
	var b strings.Builder
	for _, step := range p {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		case string:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(Printable(step))
		}
	}
	return b.String()
}

// Quote puts a name or value from outside between double quotes for a message, with control
// characters made visible and at most 120 characters of it, so that a message cannot be used to
// write to the terminal.
func Quote(s string) string {
	const limit = 120
	if runes := []rune(s); len(runes) > limit {
		return strconv.Quote(string(runes[:limit])) + "…"
	}
	return strconv.Quote(s)
}

// Printable makes control characters and other characters that do not print visible as escapes,
// and leaves the rest of the text as it is. Bytes that are no UTF-8 become U+FFFD: alone, some of
// them control terminals.
func Printable(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	clean := true
	for _, r := range s {
		if !strconv.IsPrint(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
