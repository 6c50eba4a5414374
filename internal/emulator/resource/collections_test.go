package resource

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// numbers generates one collection, "c", whose items say that they were generated.
type numbers Sequence

func (n numbers) IDs(collection string) Sequence {
	if collection != "c" {
		return Sequence{}
	}
	return Sequence(n)
}

func (numbers) Item(_, id string) Item { return Item{ID: id, Data: json.RawMessage(`"generated"`)} }

// TestTheStoreIsAMapInOrder compares a store with a plain map, on data made at random.
func TestTheStoreIsAMapInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		made := Sequence{Prefix: "m-", Count: random.IntN(5)}
		for _, name := range []string{"a", "b", "l", "n", "z"} {
			if random.IntN(2) == 0 {
				made.Names = append(made.Names, name)
			}
		}
		want := map[string]string{}
		var listed []string
		for i := range made.Len() {
			want[made.At(i)] = `"generated"`
			listed = append(listed, made.At(i))
		}
		if !slices.IsSorted(listed) {
			t.Fatalf("%+v is %v", made, listed)
		}
		s := New(numbers(made))
		for i := range random.IntN(8) {
			id := []string{"a", "aa", "m-0000001", "m-0000003", "m-1", "z", "zz"}[random.IntN(7)]
			want[id] = strconv.Itoa(i)
			s.PutJSON("c/"+id, json.RawMessage(want[id]))
		}
		got, after := map[string]string{}, ""
		size := 1 + random.IntN(3)
		for {
			page := s.List("c", after, size, false)
			for _, it := range page {
				if it.ID <= after {
					t.Fatalf("%q comes after %q", it.ID, after)
				}
				got[it.ID], after = string(it.Data), it.ID
			}
			if len(page) < size {
				break
			}
		}
		for id, data := range want {
			if it, ok := s.Get("c/" + id); !ok || string(it.Data) != data || got[id] != data {
				t.Errorf("%s is got as %s and listed as %s, want %s", id, it.Data, got[id], data)
			}
		}
		if len(got) != len(want) {
			t.Errorf("listed %v, want %v", got, want)
		}
		everything := func(Item) bool { return true }
		var back []string
		for last, more := "", true; more; {
			page := s.Select("c", Sequence(made), last, size, true, everything)
			for _, it := range page {
				back, last = append(back, it.ID), it.ID
			}
			more = len(page) == size
		}
		slices.Reverse(back)
		if ids := slices.Sorted(maps.Keys(want)); !slices.Equal(back, ids) {
			t.Errorf("backward, in pages of %d, the list is the reverse of %v, want of %v", size, back, ids)
		}
		for _, name := range []string{"c/none", "d/a", "c", ""} {
			if _, ok := s.Get(name); ok {
				t.Errorf("%q exists", name)
			}
		}
	}
}

// TestGeneratedResourcesAreNotKept reads a list from its middle and to its end.
func TestGeneratedResourcesAreNotKept(t *testing.T) {
	s := New(numbers(Sequence{Names: []string{"a", "z"}, Prefix: "m-", Count: 1_000_000}))
	if after, total := s.Span("c", 500_000); after != "m-0499999" || total != 1_000_002 {
		t.Errorf("500,000 come before what is after %q of %d", after, total)
	}
	if page := s.List("c", "m-0999999", 10, false); len(page) != 2 || page[1].ID != "z" {
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
		s := New(numbers(Sequence{Names: []string{"a", "z"}, Prefix: "m-", Count: random.IntN(6)}))
		for range random.IntN(8) {
			id := []string{"a", "b", "m-0000002", "m-0000003", "m-9", "z", "zz"}[random.IntN(7)]
			if random.IntN(2) == 0 {
				s.Remove("c/" + id)
			} else {
				s.PutJSON("c/"+id, json.RawMessage(`1`))
			}
		}
		all := s.List("c", "", 100, true)
		for index := range len(all) + 1 {
			after, total := s.Span("c", index)
			want := ""
			if index > 0 {
				want = all[index-1].ID
			}
			if total != len(all) || after != want {
				t.Fatalf("position %d of %d is after %q of %d, want %q", index, len(all), after, total, want)
			}
		}
	}
}
