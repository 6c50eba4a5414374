package driver

import (
	"errors"
	"io"

	"github.com/lakeql/lakeql/provider"
)

// Error is every error of this package. [errors.As] finds the [*provider.Error] in it, which has position, hint,
// and the API's answer.
type Error struct{ err error }

// Error returns the message.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the error in it.
func (e *Error) Unwrap() error { return e.err }

// Code is the kind of the error, such as [provider.Unauthorized]. Its String is a stable word for it.
func (e *Error) Code() provider.Code { return provider.CodeOf(e.err) }

// failed makes an error one of this package. The end of rows stays what it is.
func failed(err error) error {
	if _, ok := errors.AsType[*Error](err); ok || err == nil {
		return err
	}
	if _, ok := errors.AsType[*provider.Error](err); !ok && errors.Is(err, io.EOF) {
		return err
	}
	return &Error{err}
}
