package docgen

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// order sorts names as readers expect them, by the Unicode collation algorithm without a
// language's own rules. JavaScript's localeCompare gives the same order for such names.
type order struct {
	collator *collate.Collator
	buffer   collate.Buffer
	keys     map[string][]byte
}

func newOrder() *order {
	return &order{collator: collate.New(language.Und), keys: map[string][]byte{}}
}

// key gives the bytes that sort as the name does. Names recur on many pages.
func (o *order) key(name string) []byte {
	key, ok := o.keys[name]
	if !ok {
		key = slices.Clone(o.collator.KeyFromString(&o.buffer, name))
		o.buffer.Reset()
		o.keys[name] = key
	}
	return key
}

func (o *order) compare(a, b string) int { return bytes.Compare(o.key(a), o.key(b)) }

func (o *order) sort(names []string) { slices.SortStableFunc(names, o.compare) }

// sortFields puts first what tells a thing from others: id, name, other ids, other names.
func (o *order) sortFields(fields []field) {
	slices.SortStableFunc(fields, func(a, b field) int {
		return cmp.Or(cmp.Compare(rank(a.name), rank(b.name)), o.compare(a.name, b.name))
	})
}

func rank(name string) int {
	switch {
	case name == "id":
		return 0
	case name == "name":
		return 1
	case strings.HasSuffix(name, "_id"):
		return 2
	case strings.HasSuffix(name, "_name"):
		return 3
	default:
		return 4
	}
}
