package dispatch

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestItems compares the elements of arrays with those of encoding/json.
func TestItems(t *testing.T) {
	t.Parallel()
	small := "[" + strings.Repeat("{}, ", 1000) + `{"a": 1}]`
	for _, array := range []string{
		`[]`, `[ ]`, `[1]`, `[1,2 , 3]`, `[null,true, false]`, `["a","b\"],[","\\"]`, `[{"a":[1,{"b":"]}"}]}, [[],[{}]] ,"x"]`, ` [ {} , {} ]`[1:], "[\n1\n]", small,
	} {
		var want []json.RawMessage
		if err := json.Unmarshal([]byte(array), &want); err != nil {
			t.Fatal(err)
		}
		list := itemsOf(json.RawMessage(array))
		if list.n != len(want) {
			t.Errorf("%.50s: %d items, want %d", array, list.n, len(want))
			continue
		}
		for i := range want {
			if got := list.at(i); string(got) != string(want[i]) {
				t.Errorf("%.50s: item %d is %s, want %s", array, i, got, want[i])
			}
		}
		if got := slices.Collect(list.all()); !slices.EqualFunc(got, want, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Errorf("%.50s: the items are %s", array, got)
		}
		again := joined(want)
		if again.n != len(want) || len(want) > 0 && string(again.at(len(want)-1)) != string(want[len(want)-1]) {
			t.Errorf("%.50s: joined, there are %d items", array, again.n)
		}
	}
	if list := itemsOf(json.RawMessage(small)); list.size() > len(small)*5/4 {
		t.Errorf("%d bytes for %d of JSON", list.size(), len(small))
	}
}
