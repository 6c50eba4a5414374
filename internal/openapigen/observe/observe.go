package observe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// Observe fills in the parts of an operation that its requests show; see [sdk.Observer].
func (ob *Observer) Observe(api *sdk.API, o *sdk.Operation) error {
	method, err := ob.groups.Method(o)
	if err != nil {
		return err
	}
	w := &watch{Observer: ob, operation: o, method: method}
	if method.Type().NumIn() > 1 {
		w.request = method.Type().In(1)
		if w.request.Name() != o.Request {
			return fmt.Errorf("the clients take %v, the source says %s", w.request, o.Request)
		}
		w.message, _ = api.Message(&sdk.Type{Kind: sdk.Named, Service: o.Service, Name: o.Request})
	}
	return w.run(api)
}

// watch is the observation of one operation.
type watch struct {
	*Observer
	operation *sdk.Operation
	method    reflect.Value
	request   reflect.Type // nil if the function takes none
	message   *sdk.Message // nil if the request is no struct
	full      *probe
	sent      *request // with every field set
}

func (w *watch) run(api *sdk.API) error {
	o := w.operation
	var err error
	if w.full, w.sent, err = w.with(func([]string) bool { return true }); err != nil {
		return err
	}
	o.Verb = w.sent.verb
	o.Accept, o.ContentType = w.sent.header.Get("Accept"), w.sent.header.Get("Content-Type")
	o.Account = !w.carries(WorkspaceID)
	if err := w.path(); err != nil {
		return err
	}
	bare, err := w.bare()
	if err != nil {
		return err
	}
	if err := w.query(api, bare); err != nil {
		return err
	}
	return w.body(bare)
}

// with calls the operation with a part of the fields set.
func (w *watch) with(fill func(fields []string) bool) (*probe, *request, error) {
	if w.request == nil {
		sent, err := w.send(w.operation, w.method, reflect.Value{})
		return &probe{}, sent, err
	}
	p, err := newProbe(w.request, fill)
	if err != nil {
		return nil, nil, err
	}
	sent, err := w.send(w.operation, w.method, p.value)
	return p, sent, err
}

// bare calls the operation with only the fields of the path.
func (w *watch) bare() (*request, error) {
	_, sent, err := w.with(func(fields []string) bool {
		return slices.ContainsFunc(w.operation.PathParams, func(p *sdk.PathParam) bool { return p.Field == fields[0] })
	})
	return sent, err
}

// carries reports whether a header has a value: X-Databricks-Workspace-Id that of the workspace.
func (w *watch) carries(value string) bool {
	for _, values := range w.sent.header {
		if slices.Contains(values, value) {
			return true
		}
	}
	return false
}

// path finds the fields in the path.
func (w *watch) path() error {
	o := w.operation
	segments := strings.Split(w.sent.path, "/")
	for i, segment := range segments {
		if segment == AccountID {
			o.PathParams = append(o.PathParams, &sdk.PathParam{Name: "account_id", Type: &sdk.Type{Kind: sdk.String}})
			segments[i] = "{account_id}"
			continue
		}
		l, text := w.leafIn(segment)
		if l == nil {
			continue
		}
		param, err := w.pathParam(l)
		if err != nil {
			return err
		}
		if param.GoText {
			text = segment // with the braces and the other values of the struct
		}
		o.PathParams = append(o.PathParams, param)
		segments[i] = strings.Replace(segment, text, "{"+param.Name+"}", 1)
		if other, _ := w.leafIn(segments[i]); other != nil {
			return fmt.Errorf("a segment of the path %s holds several fields", w.sent.path)
		}
	}
	o.Path = strings.Join(segments, "/")
	return nil
}

// leafIn returns the leaf with a text in a segment of the path.
func (w *watch) leafIn(segment string) (*leaf, string) {
	for _, l := range w.full.leaves {
		for _, text := range l.texts {
			if strings.Contains(segment, text) {
				return l, text
			}
		}
	}
	return nil, ""
}

func (w *watch) pathParam(l *leaf) (*sdk.PathParam, error) {
	field, ok := w.message.Field(l.fields[0])
	if !ok {
		return nil, fmt.Errorf("the source has no field %s", l.fields[0])
	}
	p := &sdk.PathParam{Field: field.Go, Name: sdk.SnakeCase(field.Go), Type: field.Type, Doc: field.Doc, Template: field.Template}
	if field.JSON != "" {
		p.Name, p.InBody = field.JSON, true
	}
	if len(l.fields) > 1 || len(l.texts) != 1 {
		p.Type, p.GoText = &sdk.Type{Kind: sdk.String}, true
		return p, nil
	}
	if v := w.full.value.FieldByName(field.Go); v.Kind() != reflect.String {
		return p, nil
	}
	return p, w.slashes(p, field, l.texts[0])
}

// slashes observes how slashes and other special characters in a parameter's value are sent.
func (w *watch) slashes(p *sdk.PathParam, field *sdk.Field, text string) error {
	const marks = "/a b%c"
	changed := w.full.value.FieldByName(field.Go)
	before := changed.String()
	changed.SetString(before + marks)
	defer changed.SetString(before)
	sent, err := w.send(w.operation, w.method, w.full.value)
	if err != nil {
		// A plain %v writes the marks as they are, and net/url takes no such path.
		return nil
	}
	switch {
	case strings.Contains(sent.path, text+"/a%20b%25c"):
		p.MultiSegment = true
	case strings.Contains(sent.path, text+url.PathEscape(marks)):
		p.Escaped = true
	default:
		return fmt.Errorf("the path %s escapes %q in no known way", sent.path, marks)
	}
	return nil
}

// query finds the fields in the query.
func (w *watch) query(api *sdk.API, bare *request) error {
	sent, err := url.ParseQuery(w.sent.query)
	if err != nil {
		return err
	}
	names := map[*leaf]string{}
	found := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		for _, l := range w.full.leaves {
			if holds(sent[name], l.texts) {
				names[l], found[name] = name, true
			}
		}
	}
	if err := w.booleans(sent, names, found); err != nil {
		return err
	}
	for _, l := range w.full.leaves {
		name, ok := names[l]
		if !ok {
			continue
		}
		delete(sent, name)
		param, err := w.param(api, l, name)
		if err != nil {
			return err
		}
		w.operation.Query = append(w.operation.Query, param)
	}
	iterated := sent
	if err := w.remaining(sent); err != nil {
		return err
	}
	unset, err := url.ParseQuery(bare.query)
	if err != nil {
		return err
	}
	for _, q := range w.operation.Query {
		if q.Required || len(q.Fields) == 1 && w.tagged(q.Name) != nil && slices.Equal(unset[q.Name], iterated[q.Name]) {
			// An empty value is sent, because the SDK knows no absent one; or the iterator sets it.
			continue
		}
		if value, ok := unset[q.Name]; ok && isUUID(value[0]) {
			q.RequestID = true
		} else if ok {
			q.Default = value[0]
		}
	}
	return nil
}

// remaining names the parameters whose values do not identify a field: a value that the SDK prints as Go
// prints a pointer, or one that its iterator sets.
func (w *watch) remaining(sent url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		field, err := w.changing(name, sent[name])
		if err != nil {
			return err
		}
		goText := field != nil
		if field == nil {
			field = w.tagged(name)
		}
		if field == nil {
			return fmt.Errorf("the query has %s=%s, which is no field's", name, strings.Join(sent[name], ","))
		}
		w.operation.Query = append(w.operation.Query, &sdk.Param{
			Name: name, Fields: []string{field.Go}, Type: field.Type, Required: field.RequiredURL, Doc: field.Doc, GoText: goText,
		})
	}
	order := func(q *sdk.Param) int {
		return slices.IndexFunc(w.message.Fields, func(f *sdk.Field) bool { return f.Go == q.Fields[0] })
	}
	slices.SortStableFunc(w.operation.Query, func(a, b *sdk.Param) int { return cmp.Compare(order(a), order(b)) })
	return nil
}

// changing returns the field without which a parameter has another value.
func (w *watch) changing(name string, values []string) (*sdk.Field, error) {
	for _, f := range w.message.Fields {
		_, without, err := w.with(func(fields []string) bool { return fields[0] != f.Go })
		if err != nil {
			return nil, err
		}
		other, err := url.ParseQuery(without.query)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(values, other[name]) {
			return f, nil
		}
	}
	return nil, nil
}

// tagged returns the field whose tag names the parameter.
func (w *watch) tagged(name string) *sdk.Field {
	for _, f := range w.message.Fields {
		if f.URL == name {
			return f
		}
	}
	return nil
}

func holds(values, texts []string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		return slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, text) })
	})
}

// booleans names the parameters that are booleans: each that changes when one field is not set.
func (w *watch) booleans(sent url.Values, names map[*leaf]string, found map[string]bool) error {
	for _, l := range w.full.leaves {
		if len(l.texts) > 0 || len(found) == len(sent) {
			continue
		}
		_, without, err := w.with(func(fields []string) bool { return !slices.Equal(fields, l.fields) })
		if err != nil {
			return err
		}
		other, err := url.ParseQuery(without.query)
		if err != nil {
			return err
		}
		for name := range sent {
			if !found[name] && !slices.Equal(sent[name], other[name]) {
				names[l], found[name] = name, true
				break
			}
		}
	}
	return nil
}

// param describes a parameter of the query. Its field may be in a nested struct of the request.
func (w *watch) param(api *sdk.API, l *leaf, name string) (*sdk.Param, error) {
	p := &sdk.Param{Name: name, Fields: l.fields, Required: true}
	message := w.message
	for i, go_ := range l.fields {
		field, ok := message.Field(go_)
		if !ok {
			return nil, fmt.Errorf("the source has no field %s", strings.Join(l.fields[:i+1], "."))
		}
		p.Required = p.Required && field.RequiredURL
		p.Type, p.Doc = field.Type, field.Doc
		message, _ = api.Message(field.Type)
	}
	if len(l.texts) > 0 {
		values, err := url.ParseQuery(w.sent.query)
		if err != nil {
			return nil, err
		}
		p.GoText = !slices.ContainsFunc(l.texts, func(text string) bool { return slices.Contains(values[name], text) })
	}
	return p, nil
}

// body observes the content of the body.
func (w *watch) body(bare *request) error {
	o, body := w.operation, w.sent.body
	switch {
	case len(body) == 0:
		o.Body.Kind = sdk.NoBody
		return nil
	case string(body) == content:
		for _, f := range w.message.Fields {
			if f.Type.Kind == sdk.Bytes {
				o.Body = sdk.Body{Kind: sdk.StreamBody, Field: f}
			}
		}
		return nil
	case same(body, w.full.value):
		o.Body.Kind = sdk.WholeBody
		if w.message != nil && len(w.message.JSONFields()) == 0 {
			o.Body.Kind = sdk.EmptyObject
		}
		return w.requestID(bare)
	}
	if w.message != nil {
		for _, f := range w.message.Fields {
			if same(body, w.full.value.FieldByName(f.Go)) {
				o.Body = sdk.Body{Kind: sdk.BareBody, Field: f}
				return nil
			}
		}
	}
	return fmt.Errorf("the body is neither the request nor one of its fields: %s", body)
}

// same reports whether a body is the JSON of a value.
func same(body []byte, v reflect.Value) bool {
	if v.Kind() == reflect.Pointer && v.IsNil() || !v.IsValid() {
		return false
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return false
	}
	var a, b any
	return json.Unmarshal(body, &a) == nil && json.Unmarshal(text, &b) == nil && reflect.DeepEqual(a, b)
}

// requestID finds the attribute that the SDK fills with a UUID.
func (w *watch) requestID(bare *request) error {
	var attributes map[string]any
	if err := json.Unmarshal(bare.body, &attributes); err != nil {
		return nil //nolint:nilerr // a list
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if text, ok := attributes[name].(string); ok && isUUID(text) {
			w.operation.Body.RequestID = name
		}
	}
	return nil
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func isUUID(text string) bool { return uuidForm.MatchString(text) && text != AccountID }
