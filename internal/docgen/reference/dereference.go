package reference

import (
	"net/url"
	"strings"
)

// dereferencer replaces references in place, in the order in which json-schema-ref-parser does. The order matters:
// the keys beside a reference win over those of what it leads to, unless a reference without such keys has led
// there before.
type dereferencer struct {
	root      *object
	parents   map[any]bool
	processed map[any]bool
	known     map[string]found
	copies    int // how many more references with keys beside them may be followed
}

type found struct {
	value  any
	circle bool
}

func newDereferencer(root *object) *dereferencer {
	return &dereferencer{root: root, parents: map[any]bool{}, processed: map[any]bool{}, known: map[string]found{}, copies: maxCopies}
}

// crawl replaces the references below a value, and reports whether it goes in a circle.
func (d *dereferencer) crawl(v any) found {
	result := found{value: v}
	if !isCollection(v) || d.processed[v] {
		return result
	}
	d.parents[v], d.processed[v] = true, true
	defer delete(d.parents, v)
	if ref, o, ok := isReference(v); ok {
		return d.replace(ref, o)
	}
	values := collection(v)
	for i := range values {
		if ref, o, ok := isReference(values[i]); ok {
			inner := d.replace(ref, o)
			values[i] = inner.value
			result.circle = result.circle || inner.circle
			continue
		}
		if isCollection(values[i]) && d.parents[values[i]] {
			result.circle = true
			continue
		}
		inner := d.crawl(values[i])
		values[i] = inner.value
		result.circle = result.circle || inner.circle
	}
	return result
}

func isCollection(v any) bool {
	switch v.(type) {
	case *object, *array:
		return true
	}
	return false
}

// collection returns the members of an object or array, which may be replaced in place.
func collection(v any) []any {
	switch v := v.(type) {
	case *object:
		return v.values
	case *array:
		return v.items
	}
	return nil
}

// maxCopies is how many references with keys beside them a document may have, once what they lead to is counted
// each time. With such references a short document can describe an endless one.
const maxCopies = 100_000

// replace returns what a reference leads to.
func (d *dereferencer) replace(ref string, o *object) found {
	extended := len(o.keys) > 1
	if extended {
		if d.copies--; d.copies < 0 || len(d.parents) > maxNested {
			return found{circle: true}
		}
	}
	if known, ok := d.known[ref]; ok && !known.circle {
		if !extended {
			return known
		}
		from, _ := known.value.(*object)
		all := newObject(len(o.keys))
		all.assign(from)
		for i, key := range o.keys {
			if key != "$ref" && !all.has(key) {
				all.set(key, o.values[i])
			}
		}
		return found{value: all}
	}
	value := d.find(ref, 0)
	result := found{value: value, circle: isCollection(value) && d.parents[value]}
	if from, ok := value.(*object); ok && extended {
		result.value = merged(o, from)
	}
	if !result.circle {
		result = d.crawl(result.value)
	}
	if !extended {
		d.known[ref] = result
	}
	return result
}

// maxNested is how many values may stand inside of one another.
const maxNested = 5000

// merged returns the keys beside a reference, and then those of what it leads to.
func merged(beside, from *object) *object {
	all := newObject(len(beside.keys) + len(from.keys))
	for i, key := range beside.keys {
		if key != "$ref" {
			all.set(key, beside.values[i])
		}
	}
	for i, key := range from.keys {
		if !all.has(key) {
			all.set(key, from.values[i])
		}
	}
	return all
}

// maxHops is how many references may lead to one another.
const maxHops = 100

// find returns the value at a reference. The path to it may lead through references.
func (d *dereferencer) find(ref string, hops int) any {
	if ref == "#" {
		return d.root
	}
	var at any = d.root
	for token := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		if plain, err := url.PathUnescape(token); err == nil {
			token = plain
		}
		switch v := d.through(at, hops).(type) {
		case *object:
			at = v.get(token)
		case *array:
			index, ok := arrayIndex(token)
			if !ok || index >= uint64(len(v.items)) {
				return nil
			}
			at = v.items[index]
		default:
			return nil
		}
	}
	return d.through(at, hops)
}

// through follows a value that is a reference itself.
func (d *dereferencer) through(v any, hops int) any {
	ref, o, ok := isReference(v)
	if !ok {
		return v
	}
	if hops > maxHops {
		return nil // references that lead to one another
	}
	value := d.find(ref, hops+1)
	if from, isObject := value.(*object); isObject && len(o.keys) > 1 {
		return merged(o, from)
	}
	return value
}
