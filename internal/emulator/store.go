package emulator

import (
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"sync"
)

// store holds resources by their names (projects/p/branches/b). What clients never changed is not
// held: it is worked out by a generator whenever it is asked for.
type store struct {
	generated generator

	mu          sync.RWMutex
	collections map[string]*collection // by name: projects/p/branches
}

// generator works out the resources that a workspace begins with.
type generator interface {
	// ids gives the ids of a collection; none where there is no such collection.
	ids(collection string) sequence
	// item makes the resource of an id that ids has.
	item(collection, id string) item
}

// item is a resource: as it is answered, where that is the same every time, or as a record, from
// which answers are made.
type item struct {
	id      string
	data    json.RawMessage
	record  record
	deleted bool // listed only when asked for
	gone    bool // hides what the generator has
}

// collection holds the items that differ from the generated ones.
type collection struct {
	ids   []string // sorted
	items map[string]item
}

func newStore(g generator) *store {
	return &store{generated: g, collections: map[string]*collection{}}
}

// get finds a resource, deleted or not. Of one that is not there the item tells whether it went.
func (s *store) get(name string) (item, bool) {
	in, id := parentOf(name), idOf(name)
	s.mu.RLock()
	c := s.collections[in]
	if c != nil {
		if it, ok := c.items[id]; ok {
			s.mu.RUnlock()
			return it, !it.gone
		}
	}
	s.mu.RUnlock()
	if ids := s.generated.ids(in); ids.has(id) {
		return s.generated.item(in, id), true
	}
	return item{}, false
}

// put adds a resource or puts it in the place of the one that has its name.
func (s *store) put(name string, data json.RawMessage) { s.change(name, item{data: data}) }

// keep is put for a resource that is a record.
func (s *store) keep(name string, r record) { s.change(name, item{record: r}) }

// remove makes a resource go.
func (s *store) remove(name string) { s.change(name, item{gone: true}) }

// change puts an item, deleted or gone as it may be, in the place of what has its name.
func (s *store) change(name string, it item) {
	in, id := parentOf(name), idOf(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.collections[in]
	if c == nil {
		c = &collection{items: map[string]item{}}
		s.collections[in] = c
	}
	if at, found := slices.BinarySearch(c.ids, id); !found {
		c.ids = slices.Insert(c.ids, at, id)
	}
	it.id = id
	c.items[id] = it
}

// list gives the items of a collection that come after an id, in the order of ids, at most limit
// of them.
func (s *store) list(in, after string, limit int, withDeleted bool) []item {
	return s.query(in, s.generated.ids(in), after, limit, false, func(it item) bool { return withDeleted || !it.deleted })
}

// query is list for the items that fit, from either end. Only those of the given ids, and what was
// changed, are looked at.
func (s *store) query(in string, ids sequence, after string, limit int, backward bool, fits func(item) bool) []item {
	s.mu.RLock()
	defer s.mu.RUnlock()
	generated := walk{at: ids.at, n: ids.len(), backward: backward}
	changed := walk{backward: backward}
	c := s.collections[in]
	if c != nil {
		changed.at, changed.n = func(i int) string { return c.ids[i] }, len(c.ids)
	}
	if after != "" {
		generated.skip(after)
		changed.skip(after)
	}
	var items []item
	for len(items) < limit {
		id, more := generated.next()
		other, moreChanged := changed.next()
		var it item
		switch {
		case !more && !moreChanged:
			return items
		case !moreChanged, more && generated.before(id, other):
			it = s.generated.item(in, id)
			generated.passed++
		default:
			if more && id == other {
				generated.passed++
			}
			it = c.items[other]
			changed.passed++
		}
		if !it.gone && fits(it) {
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

// id gives one of the ids, counted from where the walk begins.
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

// next gives the id that the walk stands before, if there is one more.
func (w *walk) next() (id string, more bool) {
	if w.passed == w.n {
		return "", false
	}
	return w.id(w.passed), true
}

// span counts the items of a collection, and gives the id after which the item begins that has the
// given index. It looks at none of the items that were not changed.
func (s *store) span(in string, index int) (after string, total int) {
	ids := s.generated.ids(in)
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
				after = ids.at(next + index - total - 1)
			}
			total += n
		}
		next = to
	}
	for _, id := range changed {
		before := ids.before(id)
		pass(before)
		if before < ids.len() && ids.at(before) == id {
			next++
		}
		if !c.items[id].gone {
			if total++; total == index {
				after = id
			}
		}
	}
	pass(ids.len())
	return after, total
}

// sequence is a sorted list of ids: some names, and somewhere among them a run of numbered ones.
type sequence struct {
	names  []string // sorted, none beginning with prefix
	prefix string
	count  int // how many are numbered, from 1
	step   int // between numbers, where that is more than 1: the first is first then
	first  int
}

// numberWidth keeps numbered ids in order; maxScale has as many digits.
const numberWidth = 7

func (s sequence) len() int { return len(s.names) + s.count }

// start is where the numbered ids begin.
func (s sequence) start() int {
	if s.count == 0 {
		return len(s.names)
	}
	return sort.SearchStrings(s.names, s.prefix)
}

func (s sequence) at(i int) string {
	switch start := s.start(); {
	case i < start:
		return s.names[i]
	case i < start+s.count:
		return s.prefix + pad(s.numberAt(i-start))
	default:
		return s.names[i-s.count]
	}
}

func (s sequence) numberAt(i int) int {
	if s.step > 1 {
		return s.first + i*s.step
	}
	return i + 1
}

// before is how many ids come before the given one.
func (s sequence) before(id string) int {
	return sort.Search(s.len(), func(i int) bool { return s.at(i) >= id })
}

func (s sequence) has(id string) bool {
	i := s.before(id)
	return i < s.len() && s.at(i) == id
}

func pad(n int) string {
	digits := []byte(strings.Repeat("0", numberWidth))
	for i := numberWidth - 1; i >= 0 && n > 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return string(digits)
}

// parentOf cuts the last segment off a name, idOf gives it.
func parentOf(name string) string {
	i := strings.LastIndexByte(name, '/')
	return name[:max(i, 0)]
}

func idOf(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
