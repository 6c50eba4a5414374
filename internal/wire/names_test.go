package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// TestNamesInAnotherCase sends answers whose attributes have names in capitals. The SDK compares names
// exactly and loses the values; lakeql reports an error. Answers without an attribute are the same.
func TestNamesInAnotherCase(t *testing.T) {
	s := newSuite(t)
	refused := 0
	for _, o := range s.api.Operations() {
		if o.Response.Kind != sdk.ObjectResponse {
			continue
		}
		found, err := s.decode(t, o, renamed)
		switch {
		case err != nil && strings.Contains(err.Error(), "in another case"):
			refused++
		case err != nil || len(ofPart(found, "rows")) > 0 || len(found) > 0:
			t.Errorf("%s: %v %v", o.ID(), found, err)
		}
	}
	if refused < 900 {
		t.Errorf("%d are refused", refused)
	}
}

// TestNamesThatComeTwice sends answers with repeated attributes, null the first time.
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

// twice repeats an object's attributes, and those of nested objects.
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
