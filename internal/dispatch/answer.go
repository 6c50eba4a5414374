package dispatch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// answer is the response to a request that succeeded.
type answer struct {
	client  *Client
	arrived body   // before it is in memory as a whole
	held    *held  // what it holds of the store
	body    []byte // JSON without blanks around it, except of a stream
	header  http.Header
	// attributes are the attributes of a body that is an object. If an attribute occurs twice, the last
	// one counts, as in the SDK.
	attributes map[string]json.RawMessage
}

// form is the documented form of a JSON value in an answer.
type form struct {
	kind  string          // object, array or a scalar's type; empty: any
	names map[string]bool // an object's attributes; nil: the document names none
	open  bool            // an object may have other attributes
}

// formOf reads the form of a schema.
func formOf(schema *provider.Schema) form {
	f := form{kind: schema.Type, open: schema.Type == "object" && (schema.Additional != nil || len(schema.Properties) == 0)}
	for _, p := range schema.Properties {
		if f.names == nil {
			f.names = map[string]bool{}
		}
		f.names[p.Name] = true
	}
	return f
}

// refuse returns an error for a name that differs from a documented one in case alone. The official SDK
// compares names exactly, so that it loses the value.
func (f form) refuse(name string) error {
	for documented := range f.names {
		if strings.EqualFold(documented, name) {
			return fmt.Errorf("an attribute has the name %s in another case", documented)
		}
	}
	return nil
}

// judge checks that an answer with a status of success is one: JSON of the kind that the document has,
// and no error in place of it. It reads the attributes of an object.
func (a *answer) judge(req *Request) error {
	s := req.shape
	if s.stream {
		return a.judgeStream(req)
	}
	a.body = bytes.TrimSpace(a.body)
	switch {
	case bytes.HasPrefix(a.body, []byte("<")):
		return unreadable(req, a.body, nil) // a login page, say
	case s.empty || s.onlyHeaders:
		return a.judgeEmpty(req)
	case len(a.body) == 0:
		return callError(req, provider.API, "the answer is empty where rows should be")
	case !json.Valid(a.body):
		return unreadable(req, a.body, json.Unmarshal(a.body, new(any)))
	}
	if isObject(a.body) {
		if err := a.read(req); err != nil {
			return err
		}
		if a.isError(s) {
			return a.errorInside(req)
		}
	}
	if err := checkKind(req, a.body, s.whole.kind, "the answer"); err != nil || !isObject(a.body) {
		return err
	}
	return a.judgeObject(req)
}

// read reads the attributes of an object.
func (a *answer) read(req *Request) error {
	f := req.shape.whole
	a.attributes = map[string]json.RawMessage{}
	for name, value := range attributes(a.body) {
		if !f.names[name] {
			if err := f.refuse(name); err != nil {
				return unreadable(req, a.body, err)
			}
		}
		a.attributes[name] = value
	}
	return nil
}

// isError reports whether the body is an error in place of an answer.
func (a *answer) isError(s *shape) bool {
	if a.saysError(s) {
		return true
	}
	speaks := saysSomething(a.attributes["message"]) || saysSomething(a.attributes["error"])
	return speaks && !s.whole.knowsAny(maps.Keys(a.attributes)) && a.onlyErrorWords(s)
}

// judgeObject checks that an object has the documented attributes.
func (a *answer) judgeObject(req *Request) error {
	s := req.shape
	switch {
	case !s.whole.knowsAny(maps.Keys(a.attributes)):
		return strange(req, "the answer", s.whole, slices.Sorted(maps.Keys(a.attributes))...)
	case len(a.attributes) == 0 && s.echoes != "":
		return callError(req, provider.API, fmt.Sprintf("the answer is an empty object, without even the %s that was asked for", s.echoes))
	case s.key == "" || s.listed || req.call.Method.SQLVerb != provider.Select:
		return nil
	case absent(a.attributes[s.key]):
		return callError(req, provider.API, fmt.Sprintf("the answer has no %s", s.key))
	}
	return nil
}

// judgeEmpty checks an answer of which the document promises nothing: whatever it says is no row,
// unless it says that the call failed.
func (a *answer) judgeEmpty(req *Request) error {
	kind := req.shape.whole.kind
	switch {
	case len(a.body) == 0:
		return nil
	case codeAndMessage().Match(a.body):
		return a.errorInside(req)
	case kind == "" && a.body[0] != '{':
		return nil
	case !json.Valid(a.body):
		return unreadable(req, a.body, json.Unmarshal(a.body, new(any)))
	case !isObject(a.body):
		return checkKind(req, a.body, kind, "the answer")
	}
	if err := a.read(req); err != nil || !a.saysError(req.shape) {
		return err
	}
	return a.errorInside(req)
}

// judgeStream checks an answer whose bytes are the value. A login page is not a file. Neither is an error
// with the type JSON, if the document has another type.
func (a *answer) judgeStream(req *Request) error {
	contentType := a.header.Get("Content-Type")
	if strings.HasPrefix(contentType, "text/html") {
		return unreadable(req, a.body, nil)
	}
	text := bytes.TrimSpace(a.body)
	if !strings.HasPrefix(contentType, "application/json") || !isObject(text) || !json.Valid(text) {
		return nil
	}
	inside := answer{client: a.client, body: text, header: a.header}
	if err := inside.read(req); err != nil || !inside.saysError(req.shape) || absent(inside.attributes["message"]) {
		return err
	}
	return inside.errorInside(req)
}

// errorWords are the attributes of the shapes in which the API words an error.
var errorWords = map[string]bool{
	"error_code": true, "message": true, "details": true, "request_id": true, "stack_trace": true, "error": true, "error_description": true,
	"detail": true, "status": true, "scimType": true, "schemas": true,
}

// scimError is the schema of an error in SCIM (RFC 7644 §3.12).
const scimError = "urn:ietf:params:scim:api:messages:2.0:Error"

// saysError reports whether an object is an error, though its status says success.
func (a *answer) saysError(s *shape) bool {
	if !s.whole.names["error_code"] && saysSomething(a.attributes["error_code"]) {
		if s.listed && s.key != "" {
			return true // beside a list as well: who knows what of it is missing
		}
		return a.onlyErrorWords(s)
	}
	var schemas []string
	if json.Unmarshal(a.attributes["schemas"], &schemas) == nil && slices.Contains(schemas, scimError) {
		return true
	}
	return s.whole.names == nil && (s.empty || s.onlyHeaders) && saysSomething(a.attributes["error"]) && a.onlyErrorWords(s)
}

// onlyErrorWords reports whether every known attribute of the object may also be an attribute of an
// error.
func (a *answer) onlyErrorWords(s *shape) bool {
	for name := range a.attributes {
		if !errorWords[name] && (s.whole.names == nil || s.whole.names[name]) {
			return false
		}
	}
	return true
}

// saysSomething reports whether an attribute is there and not empty.
func saysSomething(raw json.RawMessage) bool {
	return !absent(raw) && string(raw) != `""` && string(raw) != "0"
}

// errorInside returns the error that an answer holds in place of the documented value.
func (a *answer) errorInside(req *Request) error {
	a.client.sent.add(a.client.secrets(req)...)
	e := responseError(req, &http.Response{StatusCode: http.StatusOK, Header: a.header}, a.body, a.client.sent.hide())
	switch e.ErrorCode {
	case "PERMISSION_DENIED", "UNAUTHENTICATED":
		e.Code = provider.Unauthorized
	}
	e.Hint = "the status says success, but the answer is an error: what the call did is not known"
	if req.call.Method.Verb == http.MethodGet {
		e.Hint = "the status says success, but the answer is an error"
	}
	return e
}

// knowsAny reports whether the document knows one of the attributes, or names is empty. An attribute that
// begins with @ describes the others.
func (f form) knowsAny(names iter.Seq[string]) bool {
	if f.open {
		return true
	}
	strangers := false
	for name := range names {
		if f.names[name] {
			return true
		}
		strangers = strangers || !strings.HasPrefix(name, "@")
	}
	return !strangers
}

// mostNames is how many attributes a message lists.
const mostNames = 5

// strange is the error of an object that has attributes, and none that the document knows.
func strange(req *Request, what string, f form, names ...string) error {
	others := ""
	if len(names) > 0 {
		others = ", but " + listed(names)
	}
	return unreadable(req, nil, fmt.Errorf("%s has none of the documented attributes (%s)%s", what, listed(slices.Sorted(maps.Keys(f.names))), others))
}

func listed(names []string) string {
	more := ""
	if len(names) > mostNames {
		more = fmt.Sprintf(" and %d more", len(names)-mostNames)
		names = names[:mostNames]
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = provider.Printable(shorten(name, 100))
	}
	return strings.Join(quoted, ", ") + more
}

// checkKind checks that valid JSON is of the kind that the document has: an object or a list is not
// taken for the other, nor null or a bare value for either.
func checkKind(req *Request, raw json.RawMessage, kind, what string) error {
	found := kindOf(raw)
	container := kind == "object" || kind == "array"
	switch {
	case kind == "", kind == found, !container && found != "object" && found != "array" && found != "null":
		return nil
	}
	return unreadable(req, raw, fmt.Errorf("%s is %s, not %s", what, kindNames[found], kindNames[kind]))
}

// kindNames words kinds of JSON.
var kindNames = map[string]string{
	"object": "an object", "array": "a list", "null": "null", "string": "a text", "number": "a number", "integer": "a number", "boolean": "true or false",
}

// kindOf names the kind of valid JSON as schemas do.
func kindOf(raw json.RawMessage) string {
	switch {
	case len(raw) == 0:
		return "null"
	case raw[0] == '{':
		return "object"
	case raw[0] == '[':
		return "array"
	case raw[0] == '"':
		return "string"
	case raw[0] == 't', raw[0] == 'f':
		return "boolean"
	case raw[0] == 'n':
		return "null"
	}
	return "number"
}
