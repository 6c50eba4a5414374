// Package apierror makes the errors with which the API answers, and hides the shapes in which it
// writes them: JSON in most services, SCIM's form, API 1.2's, HTML and text from gateways.
//
// An [Error] that a handler returns reaches the client as it is. Any other error reaches the client
// as status 500; see [From].
package apierror

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// Error is an error of the API. Its code and message are what clients see.
type Error struct {
	Status     int    // of HTTP
	Code       string // such as NOT_FOUND
	Message    string
	Violations []Violation
	// Reason and Metadata are of the detail of type ErrorInfo. An empty Reason is the code.
	Reason     string
	Metadata   map[string]string
	RetryAfter time.Duration // 0: the answer has no Retry-After
	Header     http.Header   // beyond the headers of every answer
}

// Violation describes what is wrong with one field of a request.
type Violation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

// New makes an error from an HTTP status, an error code and a message.
func New(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes the error of a request that is wrong: status 400, INVALID_PARAMETER_VALUE.
func Invalid(format string, args ...any) *Error {
	return New(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", format, args...)
}

// NotFound makes the error of something that does not exist: status 404, NOT_FOUND.
func NotFound(format string, args ...any) *Error {
	return New(http.StatusNotFound, "NOT_FOUND", format, args...)
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// From finds the Error in err. An err without one is a fault of the emulator: status 500.
func From(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return New(http.StatusInternalServerError, "INTERNAL_ERROR", "The emulator could not carry this out: %v", err)
}

// The shapes in which the API writes errors.
const (
	ShapeJSON  = "json"  // {error_code, message, details}
	ShapeHTML  = "html"  // a page with the message in <pre>, as gateways and old services answer
	ShapeText  = "text"  // CODE: message
	ShapeEmpty = "empty" // nothing
	ShapeSCIM  = "scim"  // {schemas, detail, status, scimType} (RFC 7644 §3.12)
	ShapeAPI12 = "api12" // {error}, as API 1.2 does
)

// Shapes lists the shapes.
func Shapes() []string {
	return []string{ShapeJSON, ShapeHTML, ShapeText, ShapeEmpty, ShapeSCIM, ShapeAPI12}
}

// Encode writes the error in one of the shapes, with the headers that belong to it.
func (e *Error) Encode(shape, requestID string) (header http.Header, body []byte) {
	header = e.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if e.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(e.RetryAfter.Round(time.Second).Seconds())))
	}
	switch shape {
	case ShapeHTML:
		header.Set("Content-Type", "text/html; charset=utf-8")
		body = fmt.Appendf(nil, "<html><head><title>Error %d</title></head><body><h2>HTTP ERROR %[1]d</h2><pre>%s</pre></body></html>",
			e.Status, html.EscapeString(e.Message))
	case ShapeText:
		header.Set("Content-Type", "text/plain; charset=utf-8")
		body = []byte(e.Code + ": " + e.Message)
	case ShapeEmpty:
		header.Set("Content-Type", "text/plain; charset=utf-8")
	case ShapeSCIM:
		header.Set("Content-Type", "application/scim+json")
		body = asJSON(map[string]any{
			"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"},
			"detail":  e.Message, "status": strconv.Itoa(e.Status), "scimType": e.Code,
		})
	case ShapeAPI12:
		body = asJSON(map[string]any{"error": e.Message})
	default:
		body = asJSON(map[string]any{"error_code": e.Code, "message": e.Message, "details": e.details(requestID)})
	}
	return header, body
}

// asJSON writes one of the maps above, all of whose values can be encoded.
func asJSON(v map[string]any) []byte {
	b, _ := json.Marshal(v)
	return b
}

// details are the machine-readable part of an error, typed as google.rpc's.
func (e *Error) details(requestID string) []any {
	const types = "type.googleapis.com/google.rpc."
	metadata := e.Metadata
	if metadata == nil {
		metadata = map[string]string{} // the API writes an empty object, not null
	}
	all := []any{
		map[string]any{"@type": types + "ErrorInfo", "reason": cmp.Or(e.Reason, e.Code), "domain": "databricks.com", "metadata": metadata},
		map[string]any{"@type": types + "RequestInfo", "request_id": requestID, "serving_data": ""},
	}
	if len(e.Violations) > 0 {
		all = append(all, map[string]any{"@type": types + "BadRequest", "field_violations": e.Violations})
	}
	if e.RetryAfter > 0 {
		all = append(all, map[string]any{"@type": types + "RetryInfo", "retry_delay": fmt.Sprintf("%gs", e.RetryAfter.Seconds())})
	}
	return all
}

// CodeOf returns the error code that the API uses most with an HTTP status.
func CodeOf(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "INVALID_PARAMETER_VALUE"
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusConflict:
		return "ABORTED"
	case http.StatusTooManyRequests:
		return "REQUEST_LIMIT_EXCEEDED"
	case http.StatusNotImplemented:
		return "NOT_IMPLEMENTED"
	case http.StatusServiceUnavailable:
		return "TEMPORARILY_UNAVAILABLE"
	case http.StatusGatewayTimeout:
		return "DEADLINE_EXCEEDED"
	}
	if status >= 500 {
		return "INTERNAL_ERROR"
	}
	return "UNKNOWN"
}

// Printable makes text from a request fit for an error message: at most 200 characters, none of
// them a control character.
func Printable(s string) string {
	const limit = 200
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit]) + "…"
	}
	return provider.Printable(s)
}
