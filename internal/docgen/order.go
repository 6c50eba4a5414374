package docgen

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// order sorts names as readers expect them: punctuation, digits, letters. Where names do not differ
// otherwise, letters without an accent come first, then small letters. Of names in ASCII this is the
// order of the Unicode collation algorithm without a language's own rules, and of JavaScript's
// localeCompare. Other alphabets come behind, by their code points: the algorithm's tables for them
// are 1.2 MB.
type order struct {
	keys map[string][]byte
}

func newOrder() *order { return &order{keys: map[string][]byte{}} }

// collation lists the characters of ASCII in order. Characters that it does not list are ignored.
const collation = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"

// key returns the bytes that sort as the name does. Names recur on many pages.
func (o *order) key(name string) []byte {
	if key, ok := o.keys[name]; ok {
		return key
	}
	var key, accents, cases []byte
	for _, r := range norm.NFD.String(name) { // an accent follows its letter
		if unicode.Is(unicode.Mn, r) {
			accents = append(accents, string(r)...)
			continue
		}
		small, capital := r, byte(0)
		if 'A' <= r && r <= 'Z' {
			small, capital = r-'A'+'a', 1
		}
		switch place := strings.IndexRune(collation, small); {
		case r >= 0x80:
			key = append(append(key, 0xFF), string(r)...)
		case place < 0:
			continue
		default:
			key = append(key, byte(place+1)) //nolint:gosec // there are fewer than 128
		}
		accents = append(accents, ' ')
		cases = append(cases, capital)
	}
	key = slices.Concat(key, []byte{0}, accents, []byte{0}, cases)
	o.keys[name] = key
	return key
}

func (o *order) compare(a, b string) int { return bytes.Compare(o.key(a), o.key(b)) }

func (o *order) sort(names []string) { slices.SortStableFunc(names, o.compare) }

// sortFields puts the fields that identify a thing first: id, name, other ids, other names; each group by code
// units. Names of fields are ASCII, or else sorted by their bytes, which differs beyond the basic plane alone.
func sortFields(fields []field) {
	slices.SortStableFunc(fields, func(a, b field) int {
		return cmp.Or(cmp.Compare(rank(a.name), rank(b.name)), cmp.Compare(a.name, b.name))
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
