package reference

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// method reads a method; nil if its operation cannot be told.
func (s *Service) method(verb provider.SQLVerb, name string, written any) *Method {
	d := s.doc
	ref := plainWords(written, "operation", "$ref")
	path, httpVerb, ok := operationPath(ref, verb == provider.Exec)
	if !ok {
		return nil
	}
	operation := d.object(d.root, "paths", path, httpVerb)
	m := &Method{Name: name, Verb: verb, Description: d.words(operation, "description")}
	s.params(m, operation)
	s.body(m, operation)
	how := plain(written, "response")
	key, mediaType := plainWords(how, "openAPIDocKey"), plainWords(how, "mediaType")
	objectKey := plainWords(how, "objectKey")
	if verb == provider.Exec {
		objectKey = "" // calls return the whole response
		if key == "" {
			key = "200"
		}
	}
	response := d.object(operation, "responses", key)
	m.ResponseDescription = d.words(response, "description")
	schema := d.get(response, "content", mediaType, "schema")
	if mediaType == "" || !truthy(schema) {
		return m
	}
	rows, about := d.rows(schema, objectKey)
	if m.ResponseDescription == "" {
		m.ResponseDescription = about
	}
	m.Fields = d.fields(rows, maxDepth)
	return m
}

// maxDepth is how many levels of fields a page shows.
const maxDepth = 4

// operationPath splits a reference to an operation. The two kinds of methods are read by different rules.
func operationPath(ref string, call bool) (path, verb string, ok bool) {
	at := strings.LastIndex(ref, "#/paths/")
	if call {
		at = strings.Index(ref, "#/paths/")
	}
	if at < 0 {
		return "", "", false
	}
	rest := ref[at+len("#/paths/"):]
	last := strings.LastIndexByte(rest, '/')
	verb = rest[last+1:]
	if call {
		if last < 1 || verb == "" {
			return "", "", false
		}
		return strings.ReplaceAll(strings.ReplaceAll(rest[:last], "~1", "/"), "~0", "~"), verb, true
	}
	path, _, _ = strings.Cut(rest, "/")
	return strings.ReplaceAll(path, "~1", "/"), verb, true
}

// params reads the parameters of an operation, and the variables of the document's first server.
func (s *Service) params(m *Method, operation *object) {
	d := s.doc
	required, optional := newObject(8), newObject(8)
	for _, item := range d.list(operation, "parameters") {
		name, schema := d.words(item, "name"), d.get(item, "schema")
		if name == "" || !truthy(schema) {
			continue
		}
		p := Param{Name: name, Type: d.typeOf(schema), Description: strings.ReplaceAll(d.words(item, "description"), "\n", " ")}
		if example, has := d.object(item).lookup("example"); has && !truthy(d.get(schema, "example")) {
			p.Description += " (example: " + d.detail(example) + ")"
		}
		if d.get(item, "required") == true {
			required.set(name, p)
		} else {
			optional.set(name, p)
		}
	}
	servers := d.list(d.root, "servers")
	if len(servers) > 0 {
		variables := d.object(servers[0], "variables")
		for _, name := range variables.keys {
			required.set(name, d.variable(name, variables.get(name)))
		}
	}
	m.Required, m.Optional = paramsOf(required), paramsOf(optional)
}

func paramsOf(o *object) []Param {
	var all []Param
	for _, key := range o.keys {
		if p, ok := o.get(key).(Param); ok {
			all = append(all, p)
		}
	}
	return all
}

func (d *document) variable(name string, v any) Param {
	p := Param{Name: name, Type: "string", Description: strings.ReplaceAll(d.words(v, "description"), "\n", " ")}
	if format := d.words(v, "format"); format != "" {
		p.Type += " (" + format + ")"
	}
	var notes []string
	fields := d.object(v)
	for _, key := range fields.keys {
		if key != "description" && key != "format" {
			notes = append(notes, key+": "+d.detail(fields.get(key)))
		}
	}
	if len(notes) > 0 {
		if p.Description != "" {
			p.Description += " "
		}
		p.Description += "(" + strings.Join(notes, ", ") + ")"
	}
	return p
}

// detail words a value beside a description: a list in brackets, an object as JSON.
func (d *document) detail(v any) string {
	switch v := d.force(v).(type) {
	case *array:
		return "[" + join(v.items, ", ") + "]"
	case *object:
		var b strings.Builder
		writeJSON(&b, v, 0)
		return b.String()
	default:
		return text(v)
	}
}

// typeOf words the type of a parameter.
func (d *document) typeOf(schema any) string {
	typ := d.words(schema, "type")
	if format := d.words(schema, "format"); format != "" {
		typ += " (" + format + ")"
	}
	return typ
}

// body reads the attributes of a request body: of the first content type, and of the first alternative.
func (s *Service) body(m *Method, operation *object) {
	d := s.doc
	content := d.object(operation, "requestBody", "content")
	if len(content.keys) == 0 {
		return
	}
	first := d.force(content.values[0])
	schema, ok := d.get(first, "schema").(*object)
	if !ok {
		return
	}
	properties, required := d.object(schema, "properties"), d.list(schema, "required")
	alternatives := d.list(schema, "anyOf")
	if d.get(schema, "anyOf") == nil {
		alternatives = d.list(schema, "oneOf")
	}
	if len(alternatives) > 0 {
		chosen := alternatives[0]
		if d.get(chosen, "properties") != nil {
			properties, required = d.object(chosen, "properties"), d.list(chosen, "required")
		} else if d.get(chosen, "required") != nil {
			required = d.list(chosen, "required")
		}
		properties = d.withExample(properties, d.get(first, "example"))
	}
	for i, name := range properties.keys {
		value := properties.values[i]
		if d.get(value, "x-lakeql-off-page") == true {
			continue // our own documents keep an attribute off the pages that StackQL has, too
		}
		m.Attributes = append(m.Attributes, d.attribute(name, value))
	}
	for _, name := range required {
		m.RequiredAttributes = append(m.RequiredAttributes, text(name))
	}
}

// withExample adds the attributes that only an example has.
func (d *document) withExample(properties *object, example any) *object {
	if !truthy(example) {
		return properties
	}
	all := newObject(len(properties.keys))
	all.assign(properties)
	values, ok := example.(*object)
	if !ok {
		return properties
	}
	for i, key := range values.keys {
		if all.has(key) {
			continue
		}
		simple := newObject(1)
		switch values.values[i].(type) {
		case float64:
			simple.set("type", "number")
		case bool:
			simple.set("type", "boolean")
		default:
			simple.set("type", "string")
		}
		all.set(key, simple)
	}
	return all
}

func (d *document) attribute(name string, v any) Attribute {
	o := d.object(v)
	a := Attribute{Name: name, Type: d.words(o, "type"), Description: d.words(o, "description"), ReadOnly: d.get(o, "readOnly") == true}
	if enum, ok := d.get(o, "enum").(*array); ok {
		a.HasValues = true
		for _, value := range enum.items {
			a.Values = append(a.Values, join([]any{value}, ""))
		}
	}
	if value, has := o.lookup("default"); has {
		a.Default, a.HasDefault = text(value), true
	}
	return a
}

// rows returns the attributes of a response's rows, and the description of what holds them.
func (d *document) rows(schema any, objectKey string) (properties *object, about string) {
	switch d.get(schema, "type") {
	case "array":
		return d.object(schema, "items", "properties"), d.words(schema, "items", "description")
	case "object":
	default:
		return newObject(0), ""
	}
	switch _, after, deep := strings.Cut(objectKey, "[*]"); {
	case objectKey == "":
		return d.object(schema, "properties"), d.words(schema, "description")
	case deep: // whatever stands before, it is taken for the one key that Google's documents have
		after, _, _ = strings.Cut(after, "[*]")
		item := d.get(schema, "properties", "items", "additionalProperties", "properties", strings.Replace(after, ".", "", 1), "items")
		about := d.get(item, "description")
		if about == nil {
			about = d.get(schema, "properties", "items", "description")
		}
		return d.object(item, "properties"), d.words(about)
	}
	held := d.get(schema, "properties", strings.Replace(objectKey, "$.", "", 1))
	inner := d.get(held, "items", "properties")
	if inner == nil {
		inner = d.get(held, "properties")
	}
	description := d.get(held, "items", "description")
	if description == nil {
		description = d.get(schema, "description")
	}
	return d.object(inner), d.words(description)
}

// fields reads attributes, depth levels of them.
func (d *document) fields(properties *object, depth int) []Field {
	if depth == 0 {
		return nil
	}
	var all []Field
	for i, name := range properties.keys {
		v := d.force(properties.values[i])
		if !truthy(v) {
			continue
		}
		if d.fieldsLeft--; d.fieldsLeft < 0 {
			return nil
		}
		f := Field{Name: name, Type: d.words(v, "type"), Format: d.words(v, "format"), Description: d.words(v, "description")}
		switch d.get(v, "type") {
		case "array":
			f.Children = d.fields(d.object(v, "items", "properties"), depth-1)
		case "object":
			f.Children = d.fields(d.object(v, "properties"), depth-1)
		}
		all = append(all, f)
	}
	return all
}

// Columns returns the names of the fields in the order of a statement: what identifies a row stands first, each
// group is sorted by code units, and array indexes stand before all.
func (m *Method) Columns() []string {
	ordered := newObject(len(m.Fields))
	for group := range 4 {
		var names []string
		for _, f := range m.Fields {
			if groupOf(f.Name) == group {
				names = append(names, f.Name)
			}
		}
		slices.SortStableFunc(names, compareCodeUnits)
		for _, name := range names {
			ordered.set(name, nil)
		}
	}
	return ordered.keys
}

func groupOf(name string) int {
	switch {
	case name == "id" || name == "name":
		return 0
	case strings.HasSuffix(name, "_id"):
		return 1
	case strings.HasSuffix(name, "_name"):
		return 2
	}
	return 3
}

// Manifest returns what all INSERT methods of a resource take: parameters with whether one of the methods requires
// them, and attributes. Of two with one name, the later method's stands, at the place of the first.
func Manifest(methods []Method) (required, optional []Param, attributes []Attribute) {
	params, must, body := newObject(8), map[string]bool{}, newObject(8)
	for _, m := range methods {
		for _, p := range m.Required {
			params.set(p.Name, p)
			must[p.Name] = true
		}
		for _, p := range m.Optional {
			if !params.has(p.Name) {
				params.set(p.Name, p)
			}
		}
		for _, a := range m.Attributes {
			if !a.ReadOnly {
				body.set(a.Name, a)
			}
		}
	}
	for _, p := range paramsOf(params) {
		if must[p.Name] {
			required = append(required, p)
		} else {
			optional = append(optional, p)
		}
	}
	for _, name := range body.keys {
		if a, ok := body.get(name).(Attribute); ok {
			attributes = append(attributes, a)
		}
	}
	return required, optional, attributes
}

// SortedParams returns the parameters of all methods by name: required ones and optional ones. The last method's
// words stand.
func SortedParams(methods []Method) (required, optional []Param) {
	must, may := map[string]Param{}, map[string]Param{}
	for _, m := range methods {
		for _, p := range m.Required {
			must[p.Name] = p
		}
		for _, p := range m.Optional {
			may[p.Name] = p
		}
	}
	sorted := func(group map[string]Param) []Param {
		return slices.SortedFunc(maps.Values(group), func(a, b Param) int { return compareCodeUnits(a.Name, b.Name) })
	}
	return sorted(must), sorted(may)
}
