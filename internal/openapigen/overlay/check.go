package overlay

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// Stale is a key of an overlay that no longer applies.
type Stale struct {
	File    string // below openapi/overlays
	Message string
}

// Check lists the stale keys: each that names a service, operation, type, field or parameter which
// the API does not have. Such a key changes nothing in the documents. A view that cannot be written
// is an error.
func (o *Overlays) Check(api *sdk.API) ([]Stale, error) {
	c := &checker{}
	for _, service := range slices.Sorted(maps.Keys(o.Facts)) {
		if s := c.service(api, "facts/"+service+".yaml", service); s != nil {
			c.facts(s, o.Facts[service])
		}
	}
	for _, service := range slices.Sorted(maps.Keys(o.Descriptions)) {
		if s := c.service(api, "descriptions/"+service+".yaml", service); s != nil {
			c.descriptions(s, o.FactsOf(service), o.Descriptions[service])
		}
	}
	c.former(api, o)
	stale := c.found
	c.found = nil
	c.views(api, o)
	var errs []error
	for _, f := range c.found {
		errs = append(errs, errors.New(f.String()))
	}
	return stale, errors.Join(errs...)
}

// String is file: message.
func (s Stale) String() string { return s.File + ": " + s.Message }

type checker struct {
	file  string
	found []Stale
}

func (c *checker) failf(format string, args ...any) {
	c.found = append(c.found, Stale{c.file, fmt.Sprintf(format, args...)})
}

func (c *checker) service(api *sdk.API, file, name string) *sdk.Service {
	c.file = file
	s, ok := api.Service(name)
	if !ok {
		c.failf("the SDK has no service %s", name)
		return nil
	}
	return s
}

func (c *checker) facts(s *sdk.Service, f *Facts) {
	for _, key := range slices.Sorted(maps.Keys(f.Paths)) {
		c.operation(s, key)
	}
	for _, key := range slices.Sorted(maps.Keys(f.Lists)) {
		c.operation(s, key)
		for _, list := range f.Lists[key] {
			for path := range strings.SplitSeq(list, "|") {
				c.list(s, key, path)
			}
		}
	}
	for _, key := range slices.Concat(slices.Sorted(maps.Keys(f.Completions)), f.Selects) {
		c.operation(s, key)
	}
	fields := slices.Concat(f.Secrets, f.Base64, f.ReadOnly, f.OffPage, slices.Sorted(maps.Keys(f.Templates)), slices.Sorted(maps.Keys(f.Patterns)))
	for _, key := range fields {
		typ, field, _ := strings.Cut(key, ".")
		c.field(s, typ, field)
	}
	for _, typ := range slices.Sorted(maps.Keys(f.Choices)) {
		for _, choice := range slices.Sorted(maps.Keys(f.Choices[typ])) {
			for _, field := range f.Choices[typ][choice] {
				c.field(s, typ, field)
			}
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(f.Order)) {
		for _, field := range f.Order[typ] {
			c.field(s, typ, field)
		}
	}
}

func (c *checker) descriptions(s *sdk.Service, f *Facts, d *Descriptions) {
	for _, key := range slices.Sorted(maps.Keys(d.Methods)) {
		c.operation(s, key)
	}
	known := parametersOf(s, f)
	for _, key := range slices.Sorted(maps.Keys(d.Parameters)) {
		if !known[key] {
			c.failf("the SDK has no parameter %s", key)
		}
	}
	fields := fieldsOf(s)
	for _, field := range slices.Sorted(maps.Keys(d.Fields)) {
		if !fields[field] {
			c.failf("no type of the SDK has a field %s", field)
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(d.Schemas)) {
		if _, ok := s.Enums[typ]; ok {
			continue
		}
		for _, field := range slices.Sorted(maps.Keys(d.Schemas[typ])) {
			c.field(s, typ, field)
		}
	}
}

// fieldsOf names the fields of all types.
func fieldsOf(s *sdk.Service) map[string]bool {
	known := map[string]bool{}
	for _, m := range s.Messages {
		for _, f := range m.Fields {
			known[f.JSON], known[f.Header] = true, true
		}
	}
	return known
}

// parametersOf names the parameters of all operations, alone and after Group.Name. The parts of
// resource names are included.
func parametersOf(s *sdk.Service, f *Facts) map[string]bool {
	known := map[string]bool{}
	for _, o := range s.Operations {
		add := func(name string) {
			known[name] = true
			known[o.Group+"."+o.Name+"."+name] = true
		}
		for _, q := range o.Query {
			add(q.Name)
		}
		for _, p := range o.PathParams {
			add(p.Name)
			template := p.Template + "/" + f.Paths[o.Group+"."+o.Name].Template
			for segment := range strings.SplitSeq(template, "/") {
				add(strings.Trim(segment, "{}"))
			}
		}
	}
	return known
}

func (c *checker) operation(s *sdk.Service, key string) {
	for _, o := range s.Operations {
		if o.Group+"."+o.Name == key {
			return
		}
	}
	c.failf("the SDK has no operation %s", key)
}

// list checks that the response of an operation has a list at a path.
func (c *checker) list(s *sdk.Service, key, path string) {
	for _, o := range s.Operations {
		if o.Group+"."+o.Name != key {
			continue
		}
		t := o.Response.Type
		for name := range strings.SplitSeq(path, ".") {
			t = typeOf(s, t, name)
		}
		if t == nil || t.Kind != sdk.List {
			c.failf("the response of %s has no list %s", key, path)
		}
	}
}

// typeOf returns the type of an attribute; nil without one.
func typeOf(s *sdk.Service, t *sdk.Type, attribute string) *sdk.Type {
	if t == nil || t.Kind != sdk.Named {
		return nil
	}
	m, ok := s.Messages[t.Name]
	if !ok {
		return nil
	}
	for _, f := range m.Fields {
		if f.JSON == attribute {
			return f.Type
		}
	}
	return nil
}

// field checks that a type has a field; the empty one stands for the type itself.
func (c *checker) field(s *sdk.Service, typ, field string) {
	m, ok := s.Messages[typ]
	if !ok {
		c.failf("the SDK has no type %s", typ)
		return
	}
	if field == "" {
		return
	}
	for _, f := range m.Fields {
		if f.JSON == field || f.Header == field {
			return
		}
	}
	c.failf("type %s has no field %s", typ, field)
}
