package emulator

import (
	"regexp"
	"slices"
	"strings"
)

const scimUnderstood = `SCIM's filters (RFC 7644, section 3.4.2.2), such as: userName eq "ada" and not (active eq false or emails[type eq "work"].value co "@example")`

// scimFilter reads filters by SCIM.
type scimFilter struct {
	*filterReader

	knows func(path []string) bool // whether there is such an attribute
}

// parseSCIM reads a filter of SCIM's. Text is compared without regard to case.
func parseSCIM(text string, knows func(path []string) bool) (condition, error) {
	reader, err := newFilterReader(text, scimUnderstood, true)
	if err != nil {
		return nil, err
	}
	f := &scimFilter{reader, knows}
	fits, err := f.either(nil)
	if err != nil {
		return nil, err
	}
	return fits, f.done()
}

// either reads what or joins, both what and joins, which binds closer. The path is where the
// attributes are, within the brackets of a list's name.
func (f *scimFilter) either(in []string) (condition, error) {
	return f.joined("or", in, f.both, func(a, b condition) condition {
		return func(r map[string]any) bool { return a(r) || b(r) }
	})
}

func (f *scimFilter) both(in []string) (condition, error) {
	return f.joined("and", in, f.one, func(a, b condition) condition {
		return func(r map[string]any) bool { return a(r) && b(r) }
	})
}

func (f *scimFilter) joined(word string, in []string, read func([]string) (condition, error), join func(a, b condition) condition) (condition, error) {
	fits, err := read(in)
	for err == nil && f.accept(word) {
		var more condition
		if more, err = read(in); err == nil {
			fits = join(fits, more)
		}
	}
	return fits, err
}

// one reads a comparison, or what is in parentheses.
func (f *scimFilter) one(in []string) (condition, error) {
	start := f.peek()
	not := f.accept("not")
	if not || start.is("(") {
		if err := f.expect("("); err != nil {
			return nil, err
		}
		fits, err := f.within(start.at, in, ")")
		if err != nil || !not {
			return fits, err
		}
		return func(r map[string]any) bool { return !fits(r) }, nil
	}
	path, err := f.attribute(in)
	if err != nil {
		return nil, err
	}
	if bracket := f.peek(); f.accept("[") {
		return f.item(bracket.at, in, path)
	}
	return f.comparison(path)
}

// within reads what is in brackets.
func (f *scimFilter) within(at int, in []string, closing string) (condition, error) {
	if err := f.enter(at); err != nil {
		return nil, err
	}
	fits, err := f.either(in)
	if err != nil {
		return nil, err
	}
	f.nested--
	return fits, f.expect(closing)
}

// item reads a condition that one item of a list has to fit: emails[type eq "work"]; and where an
// attribute follows, what is compared is that of the items that fit.
func (f *scimFilter) item(at int, in, path []string) (condition, error) {
	fits, err := f.within(at, slices.Concat(in, path), "]")
	if err != nil {
		return nil, err
	}
	if next := f.peek(); next.kind == wordToken && strings.HasPrefix(next.text, ".") {
		f.take()
		below := strings.Split(next.text[1:], ".")
		if !f.knows(slices.Concat(in, path, below)) {
			return nil, f.failure(next.at, "%s is no attribute here", next)
		}
		compared, err := f.comparison(below)
		if err != nil {
			return nil, err
		}
		inner := fits
		fits = func(item map[string]any) bool { return inner(item) && compared(item) }
	}
	return func(r map[string]any) bool { return slices.ContainsFunc(objectsAt(r, path), fits) }, nil
}

// objectsAt gives the objects at a path, through lists.
func objectsAt(value any, path []string) []map[string]any {
	switch v := value.(type) {
	case []any:
		var all []map[string]any
		for _, item := range v {
			all = append(all, objectsAt(item, path)...)
		}
		return all
	case map[string]any:
		if len(path) == 0 {
			return []map[string]any{v}
		}
		return objectsAt(attributeOf(v, path[0]), path[1:])
	}
	return nil
}

// scimPath is an attribute's name with those of what it is in.
var scimPath = regexp.MustCompile(`^[A-Za-z$][\w$-]*(\.[A-Za-z$][\w$-]*)*$`)

func (f *scimFilter) attribute(in []string) ([]string, error) {
	t := f.take()
	name := t.text
	if strings.HasPrefix(strings.ToLower(name), "urn:") { // of the schema that has it
		name = name[strings.LastIndexByte(name, ':')+1:]
	}
	if t.kind != wordToken || !scimPath.MatchString(name) {
		return nil, f.failure(t.at, "there is %s where an attribute's name should be", t)
	}
	path := strings.Split(name, ".")
	if !f.knows(slices.Concat(in, path)) {
		return nil, f.failure(t.at, "%s is no attribute here", t)
	}
	return path, nil
}

// comparison reads an operator and a value behind an attribute.
func (f *scimFilter) comparison(path []string) (condition, error) {
	t := f.take()
	op := strings.ToLower(t.text)
	if t.kind != wordToken || !slices.Contains([]string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"}, op) {
		return nil, f.failure(t.at, "there is %s where eq, ne, co, sw, ew, gt, ge, lt, le or pr should be", t)
	}
	present := func(value string) bool { return value != "" }
	if op == "pr" {
		return func(r map[string]any) bool { return slices.ContainsFunc(valuesAt(r, path), present) }, nil
	}
	value := f.take()
	if value.kind != wordToken && value.kind != quotedToken {
		return nil, f.failure(value.at, "there is %s where a value should be", value)
	}
	if value.is("null") { // the same as not there
		return func(r map[string]any) bool {
			return slices.ContainsFunc(valuesAt(r, path), present) == (op == "ne")
		}, nil
	}
	wanted := literal{strings.ToUpper(value.text), value.kind == quotedToken} // in which times can be read
	test := func(have string) bool {
		have = strings.ToUpper(have)
		switch op {
		case "co":
			return strings.Contains(have, wanted.text)
		case "sw":
			return strings.HasPrefix(have, wanted.text)
		case "ew":
			return strings.HasSuffix(have, wanted.text)
		case "eq", "ne":
			return wanted.compare(have) == 0
		}
		return orders[op](wanted.compare(have))
	}
	return func(r map[string]any) bool {
		return slices.ContainsFunc(valuesAt(r, path), test) == (op != "ne")
	}, nil
}
