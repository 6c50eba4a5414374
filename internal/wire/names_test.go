package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// TestNamesInAnotherCase sends answers whose attributes have names in capitals. Where the SDK reads them,
// our rows are the same; where it does not see them, so that what they say is lost, we have an error.
func TestNamesInAnotherCase(t *testing.T) {
	s := newSuite(t)
	same, refused := 0, 0
	for _, o := range s.api.Operations() {
		if o.Response.Kind != sdk.ObjectResponse {
			continue
		}
		function, err := s.official.method(o)
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.decode(t, o, renamed)
		exact, known := looksForNames(function.Type())
		isRefused := err != nil && strings.Contains(err.Error(), "in another case")
		switch rows := ofPart(found, "rows"); {
		case isRefused && (exact || !known):
			refused++
		case err == nil && len(rows) == 0 && (!exact || !known):
			same++
		default:
			t.Errorf("%s: %v %v; the SDK looks for exact names: %v", o.ID(), rows, err, exact)
		}
	}
	if same < 50 || refused < 300 {
		t.Errorf("%d are the same, %d are refused", same, refused)
	}
}

// looksForNames reports whether the SDK decodes the result of a function with its package marshal, which
// compares names exactly. It is not known of the pages of lists and of what is waited for, which the
// function does not return.
func looksForNames(function reflect.Type) (exact, known bool) {
	if function.NumOut() == 0 || function.Out(0).Kind() != reflect.Pointer || strings.HasPrefix(function.Out(0).Elem().Name(), "Wait") {
		return false, false
	}
	return function.Out(0).Implements(reflect.TypeFor[json.Unmarshaler]()), true
}

// TestNamesThatComeTwice sends answers whose attributes come twice, the first time with null.
func TestNamesThatComeTwice(t *testing.T) {
	s := newSuite(t)
	for _, o := range s.api.Operations() {
		found, err := s.decode(t, o, twice)
		if rows := ofPart(found, "rows"); err != nil || len(rows) > 0 {
			t.Errorf("%s: %v %v", o.ID(), rows, err)
		}
	}
}

func ofPart(all []difference, part string) (found []difference) {
	for _, d := range all {
		if d.part == part {
			found = append(found, d)
		}
	}
	return found
}

// renamed writes the names of an object's attributes in capitals.
func renamed(body []byte) []byte {
	return each(body, func(name string, value json.RawMessage) string {
		return fmt.Sprintf("%q: %s", strings.ToUpper(name), value)
	})
}

// twice repeats an object's attributes, and those of the objects in it.
func twice(body []byte) []byte {
	return each(body, func(name string, value json.RawMessage) string {
		var items []json.RawMessage
		if json.Unmarshal(value, &items) == nil {
			for i := range items {
				items[i] = twice(items[i])
			}
			value = append(append([]byte{'['}, bytes.Join(raw(items), []byte{','})...), ']')
		}
		return fmt.Sprintf("%q: null, %q: %s", name, name, twice(value))
	})
}

func raw(items []json.RawMessage) [][]byte {
	all := make([][]byte, len(items))
	for i := range items {
		all[i] = items[i]
	}
	return all
}

// each writes the attributes of an object anew. Anything else stays.
func each(body []byte, write func(name string, value json.RawMessage) string) []byte {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || object == nil {
		return body
	}
	var parts []string
	for name, value := range object {
		parts = append(parts, write(name, value))
	}
	return []byte("{" + strings.Join(parts, ", ") + "}")
}
