package dispatch

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// errorBody has the attributes of every shape in which the API words an error as JSON.
type errorBody struct {
	ErrorCode json.RawMessage `json:"error_code"` // a name, or a number in old APIs
	Message   string          `json:"message"`
	Details   []struct {
		Type      string `json:"@type"`
		Reason    string `json:"reason"`
		RequestID string `json:"request_id"`
	} `json:"details"`

	API12Error json.RawMessage `json:"error"` // API 1.2: text; OAuth: a code
	OAuthText  string          `json:"error_description"`

	SCIMDetail string          `json:"detail"`
	SCIMStatus json.RawMessage `json:"status"`
	SCIMType   string          `json:"scimType"`
}

// responseError reads the body of an answer that reports a failure. The API has many shapes for it:
// {error_code, message, details}, API 1.2's {error}, SCIM's {detail, status, scimType}, OAuth's
// {error, error_description}, "CODE: message" as text, HTML with the message in <pre>, or an empty body.
//
// It masks sent credentials before it shortens a text: otherwise a part of a credential could remain.
func responseError(req *Request, resp *http.Response, body []byte, sent *provider.Mask) *provider.Error {
	code, message, requestID := readError(body, resp.Header.Get("Content-Type"), sent)
	code, message = shown(sent, code, 100), shown(sent, message, 2000)
	if message == "" {
		message = strings.ToLower(http.StatusText(resp.StatusCode))
	}
	if message == "" {
		message = "no reason given"
	}
	e := callError(req, provider.API, provider.Printable(message))
	e.Status = resp.StatusCode
	e.ErrorCode = provider.Printable(code)
	if e.ErrorCode != "" {
		e.Message = fmt.Sprintf("%s: %s: %s", req.call.Method.FullName(), e.ErrorCode, provider.Printable(message))
	}
	e.RequestID = provider.Printable(shown(sent, cmp.Or(resp.Header.Get("X-Request-Id"), requestID), 100))
	switch status := resp.StatusCode; {
	case status == http.StatusUnauthorized:
		e.Code = provider.Unauthorized
		e.Hint = "the workspace does not accept the credential: check that it belongs to this workspace and has not expired"
	case status == http.StatusForbidden && deniesToken().MatchString(message):
		e.Code = provider.Unauthorized
		e.Hint = "the workspace does not accept the token: it has expired, was revoked, or belongs to another workspace"
	case status == http.StatusForbidden:
		e.Code = provider.Unauthorized
		e.Hint = "the credential was accepted, but may not do this: ask for the permission that the message names"
	case status == http.StatusNotFound && isAbsence(req, resp, code):
		e.Absent = true
	case status == http.StatusNotFound:
		e.Hint = "the answer does not say that the resource does not exist: check that the host is that of a workspace, and that the workspace has this API"
	case status == http.StatusPartialContent:
		e.Message = fmt.Sprintf("%s: answered with a part of the content, which was not asked for: %s", req.call.Method.FullName(), provider.Printable(message))
	case status >= 300 && status < 400:
		e.Message = fmt.Sprintf("%s: redirected to %s, which is not followed", req.call.Method.FullName(), provider.Quote(shown(sent, resp.Header.Get("Location"), 2000)))
		e.Hint = "check that the host is that of a workspace"
	}
	return e
}

// isAbsence reports whether an answer with status 404 comes from the API itself and means that the
// requested resource, or its parent, does not exist. ENDPOINT_NOT_FOUND means that the API does not have
// the operation. The API answers HEAD without a body, but with the header that announces one.
func isAbsence(req *Request, resp *http.Response, code string) bool {
	switch {
	case code == "NOT_FOUND", code == "SCIM_404", strings.HasSuffix(code, "_DOES_NOT_EXIST"):
		return true
	case req.call.Method.Verb == http.MethodHead:
		return strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json")
	}
	return false
}

// isPassing reports whether the official SDK treats an error as temporary, whatever its status: a rate
// limit (by its codes), or a message of allTransientErrors in its package apierr. These messages are about
// workers and clusters that are not ready yet, and about time-outs.
func isPassing(body []byte) bool {
	text := string(bytes.TrimSpace(body))
	code, message, _, ok := fromJSON([]byte(text))
	switch found := preformatted().FindStringSubmatch(text); {
	case ok:
		text = message
	case found != nil:
		text = found[1]
	}
	if code == "RESOURCE_EXHAUSTED" || code == "REQUEST_LIMIT_EXCEEDED" {
		return true
	}
	for _, sign := range []string{
		"com.databricks.backend.manager.util.UnknownWorkerEnvironmentException", "does not have any associated worker environments",
		"There is no worker environment with id", "Unknown worker environment", "ClusterNotReadyException", "Timed out after ",
		"deadline exceeded", "REQUEST_LIMIT_EXCEEDED",
	} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	for line := range strings.Lines(text) {
		if _, behind, ok := strings.Cut(line, "worker env "); ok && strings.Contains(behind, " not found") {
			return true
		}
	}
	return false
}

func readError(body []byte, contentType string, sent *provider.Mask) (code, message, requestID string) {
	trimmed := bytes.TrimSpace(body)
	text := string(trimmed)
	if code, message, requestID, ok := fromJSON(trimmed); ok {
		if message == "" && code == "" && len(trimmed) > len("{}") {
			message = shown(sent, text, textLimit)
		}
		return code, message, requestID
	}
	if strings.Contains(contentType, "html") || strings.HasPrefix(text, "<") {
		return "", fromHTML(text, sent), ""
	}
	if found := codeAndMessage().FindStringSubmatch(text); found != nil {
		return found[1], found[2], ""
	}
	return "", shown(sent, text, textLimit), ""
}

// fromJSON reads an error worded as a JSON object. An attribute of another type than expected
// costs that attribute only.
func fromJSON(body []byte) (code, message, requestID string, ok bool) {
	var b errorBody
	if len(body) == 0 || body[0] != '{' {
		return "", "", "", false
	}
	if err := json.Unmarshal(body, &b); err != nil {
		if _, mistyped := errors.AsType[*json.UnmarshalTypeError](err); !mistyped {
			return "", "", "", false
		}
	}
	code, message = unquote(b.ErrorCode), b.Message
	for _, detail := range b.Details {
		if detail.RequestID != "" {
			requestID = detail.RequestID
		}
		if code == "" && detail.Reason != "" {
			code = detail.Reason
		}
	}
	if message == "" && b.SCIMDetail != "" && b.SCIMDetail != "null" {
		message = strings.TrimSpace(b.SCIMType + " " + b.SCIMDetail)
		if code == "" && len(b.SCIMStatus) > 0 {
			code = "SCIM_" + unquote(b.SCIMStatus)
		}
	}
	if text := unquote(b.API12Error); text != "" {
		switch {
		case message != "":
		case b.OAuthText != "":
			code, message = text, b.OAuthText
		default:
			message = text
		}
	}
	return code, message, requestID, true
}

var (
	// deniesToken matches the message of a 403 that is about the token, not about a permission.
	deniesToken = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b(invalid|expired|revoked|malformed|unsupported)\b.{0,20}\b(token|jwt|credentials?)\b|\b(token|jwt|credentials?)\b.{0,40}\b(invalid|expired|revoked|malformed|not valid|not sent|unsupported)\b`)
	})
	codeAndMessage = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?s)^([A-Z][A-Z0-9_]+): (.*)$`) })
	preformatted   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?is)<pre(?:\s[^>]*)?>(.*?)</pre>`) })
	htmlTitle      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?is)<title(?:\s[^>]*)?>(.*?)</title>`) })
	whiteSpace     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\s+`) })
)

// fromHTML returns the message of an error page: the text of <pre>, otherwise the title.
func fromHTML(page string, sent *provider.Mask) string {
	for _, place := range []*regexp.Regexp{preformatted(), htmlTitle()} {
		if found := place.FindStringSubmatch(page); found != nil {
			if text := strings.TrimSpace(whiteSpace().ReplaceAllString(html.UnescapeString(found[1]), " ")); text != "" {
				return shown(sent, text, textLimit)
			}
		}
	}
	return "an HTML page instead of an answer"
}

// textLimit is the number of characters that are shown of an answer's text that is not its message.
const textLimit = 500

// shown returns a part of an answer for a message: without sent credentials, then cut to the limit.
func shown(sent *provider.Mask, text string, limit int) string {
	const margin = 10_000 // an escaped credential at the limit is still whole
	return shorten(sent.Text(shorten(text, limit+margin)), limit)
}

func shorten(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}
