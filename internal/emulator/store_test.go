package emulator

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// numbers generates one collection, "c", whose items say that they were generated.
type numbers sequence

func (n numbers) ids(collection string) sequence {
	if collection != "c" {
		return sequence{}
	}
	return sequence(n)
}

func (numbers) item(_, id string) item { return item{id: id, data: json.RawMessage(`"generated"`)} }

// TestTheStoreIsAMapInOrder compares a store with a plain map, on data made at random.
func TestTheStoreIsAMapInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		made := sequence{prefix: "m-", count: random.IntN(5)}
		for _, name := range []string{"a", "b", "l", "n", "z"} {
			if random.IntN(2) == 0 {
				made.names = append(made.names, name)
			}
		}
		want := map[string]string{}
		var listed []string
		for i := range made.len() {
			want[made.at(i)] = `"generated"`
			listed = append(listed, made.at(i))
		}
		if !slices.IsSorted(listed) {
			t.Fatalf("%+v is %v", made, listed)
		}
		s := newStore(numbers(made))
		for i := range random.IntN(8) {
			id := []string{"a", "aa", "m-0000001", "m-0000003", "m-1", "z", "zz"}[random.IntN(7)]
			want[id] = strconv.Itoa(i)
			s.put("c/"+id, json.RawMessage(want[id]))
		}
		got, after := map[string]string{}, ""
		size := 1 + random.IntN(3)
		for {
			page := s.list("c", after, size, false)
			for _, it := range page {
				if it.id <= after {
					t.Fatalf("%q comes after %q", it.id, after)
				}
				got[it.id], after = string(it.data), it.id
			}
			if len(page) < size {
				break
			}
		}
		for id, data := range want {
			if it, ok := s.get("c/" + id); !ok || string(it.data) != data || got[id] != data {
				t.Errorf("%s is got as %s and listed as %s, want %s", id, it.data, got[id], data)
			}
		}
		if len(got) != len(want) {
			t.Errorf("listed %v, want %v", got, want)
		}
		for _, name := range []string{"c/none", "d/a", "c", ""} {
			if _, ok := s.get(name); ok {
				t.Errorf("%q exists", name)
			}
		}
	}
}

func TestWildcards(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true},
		{"/a", "/a", true},
		{"/a", "/ab", false},
		{"/a*", "/a", true},
		{"*a", "ba", true},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"a*b*c", "a-b-c", true},
		{"a*b*c", "a-c", false},
		{"a*b*b", "ab", false},
		{"a*b*b", "abb", true},
		{"/p/*/b/*", "/p/1/b/", true},
		{"**", "x", true},
	} {
		if got := wildcard(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%q fits %q: %t", tt.text, tt.pattern, got)
		}
	}
}
