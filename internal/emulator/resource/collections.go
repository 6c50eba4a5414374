// Package resource keeps the resources of a workspace by their names. It hides that almost none of them
// exist in memory.
//
// A resource is a [Record], or JSON that does not change. Its name is that of its collection, a slash and an
// id: projects/p/branches/b, or the path of a documented kind and a key: /clusters/0731. [Collections] keeps
// the changes of clients. A [Generator] computes all other resources each time they are read, so a collection
// of a million items costs no memory.
package resource

import (
	"encoding/json"
	"slices"
	"sort"
	"sync"
)

// Collections holds resources by name. It stores only resources that clients changed, and reads all
// others from its generator. It may be used by several goroutines.
type Collections struct {
	generated Generator

	mu          sync.RWMutex
	collections map[string]*collection // by name: projects/p/branches
}

// Generator works out the resources that a workspace begins with.
type Generator interface {
	// IDs returns the ids of a collection. They are empty if there is no such collection.
	IDs(collection string) Sequence
	// Item makes the resource of an id that IDs has.
	Item(collection, id string) Item
}

// MaxItems is how many items a page holds at most. A list without pages has no more either.
const MaxItems = 10_000

// Item is a resource: JSON that is sent as it is, or a record from which answers are made.
type Item struct {
	ID      string
	Data    json.RawMessage
	Record  Record
	Deleted bool // listed only on request
	Gone    bool // removed: hides the generator's item of this id
}

// collection holds the items that differ from the generated ones.
type collection struct {
	ids   []string // sorted
	items map[string]Item
}

// New makes collections that begin with the items of a generator.
func New(g Generator) *Collections {
	return &Collections{generated: g, collections: map[string]*collection{}}
}

// GeneratedIDs returns the ids with which a collection began, removed or not.
func (s *Collections) GeneratedIDs(in string) Sequence { return s.generated.IDs(in) }

// Get finds a resource, deleted or not. If there is none, the item reports whether it was removed.
func (s *Collections) Get(name string) (Item, bool) {
	in, id := Parent(name), ID(name)
	s.mu.RLock()
	c := s.collections[in]
	if c != nil {
		if it, ok := c.items[id]; ok {
			s.mu.RUnlock()
			return it, !it.Gone
		}
	}
	s.mu.RUnlock()
	if ids := s.generated.IDs(in); ids.Has(id) {
		return s.generated.Item(in, id), true
	}
	return Item{}, false
}

// PutJSON adds a resource that is JSON, or replaces the resource of this name.
func (s *Collections) PutJSON(name string, data json.RawMessage) { s.Change(name, Item{Data: data}) }

// Put adds a resource that is a record, or replaces the resource of this name.
func (s *Collections) Put(name string, r Record) { s.Change(name, Item{Record: r}) }

// Remove removes a resource.
func (s *Collections) Remove(name string) { s.Change(name, Item{Gone: true}) }

// Change puts an item, possibly deleted or gone, in the place of the item of this name.
func (s *Collections) Change(name string, it Item) {
	in, id := Parent(name), ID(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.collections[in]
	if c == nil {
		c = &collection{items: map[string]Item{}}
		s.collections[in] = c
	}
	if at, found := slices.BinarySearch(c.ids, id); !found {
		c.ids = slices.Insert(c.ids, at, id)
	}
	it.ID = id
	c.items[id] = it
}

// List returns at most limit items of a collection in the order of their ids, beginning after an
// id.
func (s *Collections) List(in, after string, limit int, withDeleted bool) []Item {
	return s.Select(in, s.generated.IDs(in), after, limit, false, func(it Item) bool { return withDeleted || !it.Deleted })
}

// Select returns at most limit items that fit, in the order of their ids or backward, beginning
// after an id. It looks at generated items of the given ids only, and at all changed ones.
func (s *Collections) Select(in string, ids Sequence, after string, limit int, backward bool, fits func(Item) bool) []Item {
	s.mu.RLock()
	defer s.mu.RUnlock()
	generated := walk{at: ids.At, n: ids.Len(), backward: backward}
	changed := walk{backward: backward}
	c := s.collections[in]
	if c != nil {
		changed.at, changed.n = func(i int) string { return c.ids[i] }, len(c.ids)
	}
	if after != "" {
		generated.skip(after)
		changed.skip(after)
	}
	var items []Item
	for len(items) < limit {
		id, more := generated.next()
		other, moreChanged := changed.next()
		var it Item
		switch {
		case !more && !moreChanged:
			return items
		case !moreChanged, more && generated.before(id, other):
			it = s.generated.Item(in, id)
			generated.passed++
		default:
			if more && id == other {
				generated.passed++
			}
			it = c.items[other]
			changed.passed++
		}
		if !it.Gone && fits(it) {
			items = append(items, it)
		}
	}
	return items
}

// walk goes over sorted ids from one of their ends.
type walk struct {
	at       func(int) string
	n        int
	backward bool
	passed   int
}

// id returns one of the ids, counted from where the walk begins.
func (w *walk) id(i int) string {
	if w.backward {
		i = w.n - 1 - i
	}
	return w.at(i)
}

// before reports whether the walk comes to a before it comes to b.
func (w *walk) before(a, b string) bool { return a != b && (a < b) != w.backward }

// skip passes the ids up to the given one.
func (w *walk) skip(id string) {
	w.passed = sort.Search(w.n, func(i int) bool { return w.before(id, w.id(i)) })
}

// next returns the next id, if there is one.
func (w *walk) next() (id string, more bool) {
	if w.passed == w.n {
		return "", false
	}
	return w.id(w.passed), true
}

// Span counts the items of a collection and returns the id before the item of the given index. It
// generates no item.
func (s *Collections) Span(in string, index int) (after string, total int) {
	ids := s.generated.IDs(in)
	s.mu.RLock()
	defer s.mu.RUnlock()
	var changed []string
	c := s.collections[in]
	if c != nil {
		changed = c.ids
	}
	next := 0              // of the generated ids
	pass := func(to int) { // over generated ids that nobody changed
		if n := to - next; n > 0 {
			if total < index && total+n >= index {
				after = ids.At(next + index - total - 1)
			}
			total += n
		}
		next = to
	}
	for _, id := range changed {
		before := ids.Before(id)
		pass(before)
		if before < ids.Len() && ids.At(before) == id {
			next++
		}
		if !c.items[id].Gone {
			if total++; total == index {
				after = id
			}
		}
	}
	pass(ids.Len())
	return after, total
}
