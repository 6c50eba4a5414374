package dispatch

import (
	"encoding/json"
	"iter"
	"slices"
	"sort"
)

// items are the items of a page, as they stand in the answer. They are not taken apart: a slice for
// each would cost several times the JSON of small ones.
type items struct {
	raw    json.RawMessage
	single bool // raw is the one item, and no array of them
	n      int
	marks  []itemMark
}

// itemMark says where an item begins.
type itemMark struct{ item, offset uint32 } // an answer has less than 4 GiB

// markEvery is the number of bytes of JSON between two marks, so that they cost a part of it only.
const markEvery = 64

// one returns one item.
func one(raw json.RawMessage) items { return items{raw: raw, single: true, n: 1} }

// itemsOf returns the elements of a valid JSON array.
func itemsOf(array json.RawMessage) items {
	list, _ := readItems(array)
	return list
}

// readItems returns the elements of a JSON array. It reports whether it came to the array's end.
func readItems(array json.RawMessage) (list items, whole bool) {
	list = items{raw: array}
	last := -markEvery
	at := list.begin(1)
	for at < len(array) && array[at] != ']' {
		if at-last >= markEvery {
			list.marks = append(list.marks, itemMark{uint32(list.n), uint32(at)}) //nolint:gosec // see itemMark
			last = at
		}
		list.n++
		end := list.endOf(at)
		if end == at {
			break // no value begins here
		}
		at = list.begin(end)
	}
	list.marks = slices.Clip(list.marks)
	return list, at == len(array)-1 && array[at] == ']'
}

// joined returns the items in one new array.
func joined(parts []json.RawMessage) items {
	array := []byte{'['}
	for i, part := range parts {
		if i > 0 {
			array = append(array, ',')
		}
		array = append(array, part...)
	}
	return itemsOf(append(array, ']'))
}

// at returns an item by its number, from 0.
func (l *items) at(i int) json.RawMessage {
	if l.single {
		return l.raw
	}
	m := l.marks[sort.Search(len(l.marks), func(n int) bool { return int(l.marks[n].item) > i })-1]
	at := int(m.offset)
	for range i - int(m.item) {
		at = l.begin(l.endOf(at))
	}
	end := l.endOf(at)
	return l.raw[at:end:end]
}

// all returns the items in order.
func (l *items) all() iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		if l.single {
			yield(l.raw)
			return
		}
		for at, i := l.begin(1), 0; i < l.n; i++ {
			end := l.endOf(at)
			if !yield(l.raw[at:end:end]) {
				return
			}
			at = l.begin(end)
		}
	}
}

// size is how many bytes of memory the items take.
func (l *items) size() int { return len(l.raw) + 8*len(l.marks) }

// begin returns where the next element begins, or the array ends, from behind an element on.
func (l *items) begin(at int) int {
	for at < len(l.raw) {
		switch l.raw[at] {
		case ' ', '\t', '\r', '\n', ',':
			at++
		default:
			return at
		}
	}
	return at
}

// endOf returns where the value ends that begins at a place. The JSON is valid, which is looked at
// once, when an answer arrives.
func (l *items) endOf(at int) int {
	depth := 0
	for at < len(l.raw) {
		switch l.raw[at] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return at // the array's own, behind a bare value
			}
			if depth == 0 {
				return at + 1
			}
		case '"':
			for at++; at < len(l.raw) && l.raw[at] != '"'; at++ {
				if l.raw[at] == '\\' {
					at++
				}
			}
			if depth == 0 {
				return min(at+1, len(l.raw))
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return at
			}
		}
		at++
	}
	return len(l.raw)
}
