package emulator

import (
	"encoding/json"
	"maps"
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
		everything := func(item) bool { return true }
		var back []string
		for last, more := "", true; more; {
			page := s.query("c", sequence(made), last, size, true, everything)
			for _, it := range page {
				back, last = append(back, it.id), it.id
			}
			more = len(page) == size
		}
		slices.Reverse(back)
		if ids := slices.Sorted(maps.Keys(want)); !slices.Equal(back, ids) {
			t.Errorf("backward, in pages of %d, the list is the reverse of %v, want of %v", size, back, ids)
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

// TestGeneratedResourcesAreNotKept reads a list from its middle and to its end.
func TestGeneratedResourcesAreNotKept(t *testing.T) {
	s := newStore(numbers(sequence{names: []string{"a", "z"}, prefix: "m-", count: 1_000_000}))
	if after, total := s.span("c", 500_000); after != "m-0499999" || total != 1_000_002 {
		t.Errorf("500,000 come before what is after %q of %d", after, total)
	}
	if page := s.list("c", "m-0999999", 10, false); len(page) != 2 || page[1].id != "z" {
		t.Errorf("%v", page)
	}
	if len(s.collections) > 0 {
		t.Errorf("%d collections are kept", len(s.collections))
	}
}

// TestPositionsAreThoseOfTheList compares span with a walk through a list that was changed.
func TestPositionsAreThoseOfTheList(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		s := newStore(numbers(sequence{names: []string{"a", "z"}, prefix: "m-", count: random.IntN(6)}))
		for range random.IntN(8) {
			id := []string{"a", "b", "m-0000002", "m-0000003", "m-9", "z", "zz"}[random.IntN(7)]
			if random.IntN(2) == 0 {
				s.remove("c/" + id)
			} else {
				s.put("c/"+id, json.RawMessage(`1`))
			}
		}
		all := s.list("c", "", 100, true)
		for index := range len(all) + 1 {
			after, total := s.span("c", index)
			want := ""
			if index > 0 {
				want = all[index-1].id
			}
			if total != len(all) || after != want {
				t.Fatalf("position %d of %d is after %q of %d, want %q", index, len(all), after, total, want)
			}
		}
	}
}
