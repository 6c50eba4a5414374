package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// apiError is an error as the API words it.
type apiError struct {
	status     int
	code       string // NOT_FOUND
	message    string
	violations []violation
	retryAfter time.Duration
	header     http.Header
}

// violation says what is wrong with one field of a request.
type violation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

func newError(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func invalidParameter(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", format, args...)
}

func notFound(format string, args ...any) *apiError {
	return newError(http.StatusNotFound, "NOT_FOUND", format, args...)
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// asAPIError gives err as the API would word it; what is no apiError is a fault of the emulator.
func asAPIError(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	return newError(http.StatusInternalServerError, "INTERNAL_ERROR", "The emulator could not carry this out: %v", err)
}

// The shapes in which the API words errors.
const (
	shapeJSON  = "json"  // {error_code, message, details}
	shapeHTML  = "html"  // a page with the message in <pre>, as gateways and old services answer
	shapeText  = "text"  // CODE: message
	shapeEmpty = "empty" // nothing
	shapeSCIM  = "scim"  // {schemas, detail, status, scimType} (RFC 7644 §3.12)
	shapeAPI12 = "api12" // {error}, as API 1.2 does
)

func errorShapes() []string {
	return []string{shapeJSON, shapeHTML, shapeText, shapeEmpty, shapeSCIM, shapeAPI12}
}

// answer words the error in one of the shapes.
func (e *apiError) answer(shape, requestID string) *answer {
	a := &answer{status: e.status, header: e.header.Clone()}
	if a.header == nil {
		a.header = http.Header{}
	}
	if e.retryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(int(e.retryAfter.Round(time.Second).Seconds())))
	}
	switch shape {
	case shapeHTML:
		a.header.Set("Content-Type", "text/html; charset=utf-8")
		a.body = fmt.Appendf(nil, "<html><head><title>Error %d</title></head><body><h2>HTTP ERROR %[1]d</h2><pre>%s</pre></body></html>",
			e.status, html.EscapeString(e.message))
	case shapeText:
		a.header.Set("Content-Type", "text/plain; charset=utf-8")
		a.body = []byte(e.code + ": " + e.message)
	case shapeEmpty:
		a.header.Set("Content-Type", "text/plain; charset=utf-8")
	case shapeSCIM:
		a.header.Set("Content-Type", "application/scim+json")
		a.body = encode(map[string]any{
			"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"},
			"detail":  e.message, "status": strconv.Itoa(e.status), "scimType": e.code,
		})
	case shapeAPI12:
		a.body = encode(map[string]any{"error": e.message})
	default:
		a.body = encode(map[string]any{"error_code": e.code, "message": e.message, "details": e.details(requestID)})
	}
	return a
}

// details are the machine-readable part of an error, typed as google.rpc's.
func (e *apiError) details(requestID string) []any {
	const types = "type.googleapis.com/google.rpc."
	all := []any{
		map[string]any{"@type": types + "ErrorInfo", "reason": e.code, "domain": "databricks.com", "metadata": map[string]string{}},
		map[string]any{"@type": types + "RequestInfo", "request_id": requestID, "serving_data": ""},
	}
	if len(e.violations) > 0 {
		all = append(all, map[string]any{"@type": types + "BadRequest", "field_violations": e.violations})
	}
	if e.retryAfter > 0 {
		all = append(all, map[string]any{"@type": types + "RetryInfo", "retry_delay": fmt.Sprintf("%gs", e.retryAfter.Seconds())})
	}
	return all
}

// codeOf gives the error code that usually comes with a status.
func codeOf(status int) string {
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

// encode writes JSON. Only values that the package itself makes come here, and all of them encode.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Appendf(nil, `{"error_code":"INTERNAL_ERROR","message":%q}`, err.Error())
	}
	return b
}

// printable is text from a request made fit for an error message.
func printable(s string) string {
	const limit = 200
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit]) + "…"
	}
	return provider.Printable(s)
}
