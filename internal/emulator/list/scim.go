package list

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

const scimUnderstood = `SCIM's filters (RFC 7644, section 3.4.2.2), such as: userName eq "ada" and not (active eq false or emails[type eq "work"].value co "@example")`

// scimFilter reads SCIM's filters.
type scimFilter struct {
	*filterReader

	knows func(path []string) bool // reports whether there is such an attribute
}

// ParseSCIM reads a filter of SCIM (RFC 7644 §3.4.2.2). Text is compared without regard to case. It
// refuses attributes that knows does not know.
func ParseSCIM(text string, knows func(path []string) bool) (Condition, error) {
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

// either reads operands of or, and both reads operands of and, which binds closer. In is the path
// of the array in whose brackets the attributes are.
func (f *scimFilter) either(in []string) (Condition, error) {
	return f.joined("or", in, f.both, func(a, b Condition) Condition {
		return func(r resource.Record) bool { return a(r) || b(r) }
	})
}

func (f *scimFilter) both(in []string) (Condition, error) {
	return f.joined("and", in, f.one, func(a, b Condition) Condition {
		return func(r resource.Record) bool { return a(r) && b(r) }
	})
}

func (f *scimFilter) joined(word string, in []string, read func([]string) (Condition, error), join func(a, b Condition) Condition) (Condition, error) {
	fits, err := read(in)
	for err == nil && f.accept(word) {
		var more Condition
		if more, err = read(in); err == nil {
			fits = join(fits, more)
		}
	}
	return fits, err
}

// one reads a comparison, or a filter in parentheses.
func (f *scimFilter) one(in []string) (Condition, error) {
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
		return func(r resource.Record) bool { return !fits(r) }, nil
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

// within reads a filter up to a closing bracket.
func (f *scimFilter) within(at int, in []string, closing string) (Condition, error) {
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

// item reads a condition that one item of an array must fit, such as emails[type eq "work"]. If an
// attribute follows, it compares the attribute of the items that fit.
func (f *scimFilter) item(at int, in, path []string) (Condition, error) {
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
	return func(r resource.Record) bool { return slices.ContainsFunc(resource.ObjectsAt(r, path), fits) }, nil
}

// scimPath is the path of an attribute.
var scimPath = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z$][\w$-]*(\.[A-Za-z$][\w$-]*)*$`) })

func (f *scimFilter) attribute(in []string) ([]string, error) {
	t := f.take()
	name := t.text
	if strings.HasPrefix(strings.ToLower(name), "urn:") { // the schema of the attribute
		name = name[strings.LastIndexByte(name, ':')+1:]
	}
	if t.kind != wordToken || !scimPath().MatchString(name) {
		return nil, f.failure(t.at, "there is %s where an attribute's name should be", t)
	}
	path := strings.Split(name, ".")
	if !f.knows(slices.Concat(in, path)) {
		return nil, f.failure(t.at, "%s is no attribute here", t)
	}
	return path, nil
}

// comparison reads the operator and the value after an attribute.
func (f *scimFilter) comparison(path []string) (Condition, error) {
	t := f.take()
	op := strings.ToLower(t.text)
	if t.kind != wordToken || !slices.Contains([]string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"}, op) {
		return nil, f.failure(t.at, "there is %s where eq, ne, co, sw, ew, gt, ge, lt, le or pr should be", t)
	}
	present := func(value string) bool { return value != "" }
	if op == "pr" {
		return func(r resource.Record) bool { return slices.ContainsFunc(resource.ValuesAt(r, path), present) }, nil
	}
	value := f.take()
	if value.kind != wordToken && value.kind != quotedToken {
		return nil, f.failure(value.at, "there is %s where a value should be", value)
	}
	if value.is("null") { // null fits attributes without a value
		return func(r resource.Record) bool {
			return slices.ContainsFunc(resource.ValuesAt(r, path), present) == (op == "ne")
		}, nil
	}
	wanted := literal{strings.ToUpper(value.text), value.kind == quotedToken} // times parse in upper case only
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
		return operators[op](wanted.compare(have))
	}
	return func(r resource.Record) bool {
		return slices.ContainsFunc(resource.ValuesAt(r, path), test) == (op != "ne")
	}, nil
}
