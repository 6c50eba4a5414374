package docgen

import (
	"cmp"
	"slices"
)

// nestedField is a field with attributes, at a place in a table.
type nestedField struct {
	*field
	path   string // the names that lead to it, joined by dots
	depth  int
	order  int
	parent *nestedField
	hidden bool // its attributes are not written: another field's stand for them
	// whole has the attributes as they were before any of them was replaced.
	whole []field
}

// shareNested returns the fields of a table with attributes that repeat replaced by the name of the field that has
// them: the one that stands highest, and of several the first. A table shows maxFieldDepth levels, so what stands
// lower may be cut off there: the field that stands higher has all that it has.
func shareNested(fields []field) []field {
	whole := fields
	fields = copyFields(fields)
	all := nestedFields(fields, whole)
	slices.SortFunc(all, func(a, b *nestedField) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.order, b.order))
	})
	for i, f := range all {
		if f.parent != nil && f.parent.hidden {
			f.hidden = true
			continue
		}
		if countFields(f.children) < minShared {
			continue
		}
		at := slices.IndexFunc(all[:i], func(other *nestedField) bool {
			return !other.hidden && !f.isInside(other) && covers(other.whole, f.whole, f.depth+1)
		})
		if at >= 0 {
			f.hidden = true
			f.same = all[at].path
			f.description = sentence(f.description, "Its attributes are those of <code>"+word(f.same)+"</code>.")
			f.children = nil
		}
	}
	return fields
}

func copyFields(fields []field) []field {
	fields = slices.Clone(fields)
	for i := range fields {
		fields[i].children = copyFields(fields[i].children)
	}
	return fields
}

// nestedFields lists the fields that have attributes, in document order. whole is a copy of the fields.
func nestedFields(fields, whole []field) []*nestedField {
	var all []*nestedField
	var walk func(fields, whole []field, parent *nestedField)
	walk = func(fields, whole []field, parent *nestedField) {
		for i := range fields {
			f := &nestedField{field: &fields[i], path: fields[i].name, depth: 1, order: len(all), parent: parent, whole: whole[i].children}
			if parent != nil {
				f.path, f.depth = parent.path+"."+f.name, parent.depth+1
			}
			if len(f.children) > 0 {
				all = append(all, f)
				walk(f.children, f.whole, f)
			}
		}
	}
	walk(fields, whole, nil)
	return all
}

func (f *nestedField) isInside(other *nestedField) bool {
	for at := f.parent; at != nil; at = at.parent {
		if at == other {
			return true
		}
	}
	return false
}

// covers reports whether fields have all that others have, which stand at a depth of the table.
func covers(fields, others []field, depth int) bool {
	return slices.EqualFunc(fields, others, func(a, b field) bool {
		if a.name != b.name || a.typ != b.typ || a.description != b.description {
			return false
		}
		return len(b.children) == 0 && depth == maxFieldDepth || covers(a.children, b.children, depth+1)
	})
}
