package wire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
	"github.com/lakeql/lakeql/provider"
)

// TestAnswers sends lakeql and the SDK the same full answer to every operation, and compares the values
// in our rows with those in the SDK's structs.
func TestAnswers(t *testing.T) {
	s := newSuite(t)
	all := s.api.Operations()
	report := newReport(t, "answer")
	for _, o := range all {
		found, err := s.decode(t, o, func(body []byte) []byte { return body })
		if err != nil {
			found = append(found, difference{o.ID(), "call", err.Error()})
		}
		report.add(o, "full", found)
	}
	report.finish(len(all))
}

// decode makes a call on both sides, with the required arguments, and lists the differences between the
// decoded answers.
func (s *suite) decode(t *testing.T, o *sdk.Operation, change func(body []byte) []byte) ([]difference, error) {
	t.Helper()
	m, err := s.method(o)
	if err != nil {
		return nil, err
	}
	answered, err := s.full(o, m)
	if err != nil {
		return nil, err
	}
	answered.body, answered.rest = change(answered.body), change(answered.rest)
	function, err := s.official.Method(o)
	if err != nil {
		return nil, err
	}
	var filled reflect.Value
	if in := requestType(function); in != nil {
		filled = (&filler{filling: filling{"required", false}, api: s.api, operation: o, method: m}).request(in)
	}
	ours, err := callOf(o, m, filled)
	if err != nil {
		return nil, err
	}
	s.server.expect(answered)
	made, err := call(t.Context(), function, filled)
	if err != nil {
		return nil, fmt.Errorf("the SDK: %w", err)
	}
	theirs, found, err := s.theirs(o, m, made, answered)
	if err != nil {
		return nil, err
	}
	sent := s.server.received()
	goesOn := made.list || len(sent) > 1
	if merges(m) && !goesOn {
		answered.rest = []byte("{}") // the SDK leaves it to its caller to go on
	}
	s.server.expect(answered)
	read, err := s.ours(t.Context(), ours)
	if err != nil {
		return found, err
	}
	found = append(found, compareRows(o, theirs, read)...)
	if goesOn {
		found = append(found, comparePages(o, sent, s.server.received())...)
	}
	return found, nil
}

// comparePages lists the differences between the requests for further pages.
func comparePages(o *sdk.Operation, theirs, ours []*request) []difference {
	if len(theirs) != len(ours) {
		return []difference{{o.ID(), "pages", fmt.Sprintf("the SDK made %d requests, we made %d", len(theirs), len(ours))}}
	}
	var found []difference
	for i := 1; i < len(theirs); i++ {
		found = append(found, compareRequests(o, theirs[i:], ours[i:])...)
	}
	return found
}

// theirs returns the rows that the SDK's structs hold, as JSON has them, and the fields that the
// answer left empty: attributes that the document does not know.
func (s *suite) theirs(o *sdk.Operation, m *provider.Method, made *result, answered answer) ([]any, []difference, error) {
	if made.operation != nil {
		v := reflect.New(made.operation)
		if err := json.Unmarshal(answered.body, v.Interface()); err != nil {
			return nil, nil, err
		}
		made.value = v
	}
	given := made.items
	if !made.list {
		if !made.value.IsValid() || made.value.Kind() == reflect.Pointer && made.value.IsNil() {
			return nil, nil, nil
		}
		given = []reflect.Value{made.value}
	}
	var rows []any
	found := map[string]bool{}
	for _, v := range given {
		s.unset(v, nil, found)
		row, err := s.asJSON(o, v)
		if err != nil {
			return nil, nil, err
		}
		if object, ok := row.(map[string]any); ok && merges(m) {
			delete(object, m.Paging.ResponseToken) // says where a page ends, and nothing of the object
		}
		if list, bare := row.([]any); bare && !made.list {
			rows = list
			break
		}
		rows = append(rows, row)
	}
	if key := strings.TrimPrefix(m.Response.ObjectKey, "$."); key != "" && !made.list && o.Response.Kind == sdk.ObjectResponse {
		whole, ok := rows[0].(map[string]any)
		if !ok {
			return nil, nil, errors.New("the SDK's answer is no object")
		}
		switch inner := whole[key].(type) {
		case []any:
			rows = inner
		default:
			rows = []any{inner}
		}
	}
	var differences []difference
	for _, field := range slices.Sorted(maps.Keys(found)) {
		if merges(m) && strings.HasSuffix(field, ".NextPageToken") {
			continue // the SDK read to the end
		}
		differences = append(differences, difference{o.ID(), "columns", "the SDK's field " + field + " stays empty: the document does not have it"})
	}
	return rows, differences, nil
}

// asJSON returns a value of the SDK as JSON has it. Headers go by their names, and a stream's bytes
// by that of their field.
func (s *suite) asJSON(o *sdk.Operation, v reflect.Value) (any, error) {
	data, err := json.Marshal(v.Interface())
	if err != nil {
		return nil, err
	}
	value := decoded(data)
	attributes, isObject := value.(map[string]any)
	if !isObject {
		return value, nil
	}
	fields := reflect.Indirect(v)
	for _, f := range o.Response.Headers {
		attributes[f.Header] = plain(fields.FieldByName(f.Go))
	}
	if o.Response.Kind == sdk.StreamResponse {
		read, err := io.ReadAll(fields.FieldByName("Contents").Interface().(io.Reader))
		if err != nil {
			return nil, err
		}
		// Bytes that are no text come as base64 in a row, and the row says so.
		attributes["contents"] = base64.StdEncoding.EncodeToString(read)
		attributes["contents_encoding"] = "base64"
	}
	return attributes, nil
}

// unset notes fields of a value of the SDK that are empty, by Type.Field, down to where a type is
// inside itself.
func (s *suite) unset(v reflect.Value, above []reflect.Type, found map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			s.unset(v.Elem(), above, found)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			s.unset(v.Index(i), above, found)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			s.unset(v.MapIndex(key), above, found)
		}
	case reflect.Struct:
		message, ok := s.api.Message(named(v.Type()))
		if !ok {
			return
		}
		above = append(slices.Clone(above), v.Type())
		for _, f := range message.JSONFields() {
			field := v.FieldByName(f.Go)
			if !field.IsZero() {
				s.unset(field, above, found)
			} else if !leadsTo(field.Type(), above) {
				found[message.Name+"."+f.Go] = true
			}
		}
	default:
	}
}

// leadsTo reports whether a type is one of those above, or a struct around one: answers stop there.
func leadsTo(t reflect.Type, above []reflect.Type) bool {
	t = innermost(t)
	if slices.Contains(above, t) {
		return true
	}
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			if slices.Contains(above, innermost(t.Field(i).Type)) {
				return true
			}
		}
	}
	return false
}

// innermost is the element type of nested pointers, lists and maps.
func innermost(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t
}

// compareRows lists the differences between the SDK's values and our rows.
func compareRows(o *sdk.Operation, theirs []any, ours *rows) []difference {
	var found []difference
	differ := func(_, format string, args ...any) {
		found = append(found, difference{o.ID(), "rows", fmt.Sprintf(format, args...)})
	}
	if len(theirs) == 1 && reflect.DeepEqual(theirs[0], map[string]any{}) && len(ours.values) == 0 {
		return nil
	}
	if len(theirs) != len(ours.values) {
		differ("", "%d rows, ours %d", len(theirs), len(ours.values))
		return found
	}
	for i, row := range ours.values {
		values("", theirs[i], rowAsJSON(theirs[i], ours.columns, row), differ)
	}
	return found
}

// rowAsJSON returns one of our rows as JSON: an object, or the single value of a row that holds no object or
// an object without attributes.
func rowAsJSON(theirs any, columns []provider.Column, row []any) any {
	attributes := map[string]any{}
	for i, c := range columns {
		if row[i] != nil {
			attributes[c.Name] = cell(row[i])
		}
	}
	if object, ok := theirs.(map[string]any); len(columns) == 1 && (!ok || object[columns[0].Name] == nil) {
		return attributes[columns[0].Name]
	}
	return attributes
}

// cell returns a value of a row as JSON has it.
func cell(value any) any {
	switch value := value.(type) {
	case provider.Secret:
		return value.Reveal()
	case json.RawMessage:
		return decoded(value)
	case int64, float64:
		return plain(reflect.ValueOf(value))
	}
	return value
}
