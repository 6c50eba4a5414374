// Package complete suggests how a statement at a prompt may go on: keywords where the grammar allows them,
// names of the documents, columns, parameters, functions, settings, and values of enums.
package complete

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/functions"
	"github.com/lakeql/lakeql/provider"
)

// Source has the names that suggestions are made from. All of its functions may be slow, and none may
// call the API.
type Source struct {
	Catalogue *provider.Catalogue
	// Provider and Service complete short names, as USE chose them; empty without USE.
	Provider, Service string
	// Tables lists the user's tables and views.
	Tables func() []string
	// Settings lists the settings of SET.
	Settings func() []string
	// Columns lists the columns of a resource's rows, and the methods that a SELECT of it may call.
	Columns func(r *provider.Resource) ([]provider.Column, []*provider.Method, error)
}

// Suggest returns the candidates for the word that ends at the cursor, a byte offset in text. The caller
// chooses those that begin with the word. Words consist of letters, digits, _, $ and @.
func (s Source) Suggest(text string, cursor int) []string {
	before := scan(text[:cursor])
	c := cursorAt(before)
	c.source, c.rest = s, scan(text[cursor:])
	return c.suggest()
}

// place is the place of the cursor in a statement.
type place struct {
	source Source
	words  []word // of the statement, before the word at the cursor
	rest   []word // after the cursor, perhaps with further statements
	path   []string
	quoted bool // the cursor is in a text that a quote opens
}

// cursorAt finds the statement, the dotted name and the word at the end of a text.
func cursorAt(all []word) place {
	for i, w := range slices.Backward(all) {
		if w.raw == ";" {
			all = all[i+1:]
			break
		}
	}
	var c place
	if n := len(all); n > 0 && !all[n-1].closed {
		c.quoted, all = true, all[:n-1]
	} else if n > 0 && all[n-1].touches && (all[n-1].isWord() || all[n-1].raw == "@") {
		all = all[:n-1]
	}
	for n := len(all); n > 1 && all[n-1].raw == "." && all[n-2].isWord(); n = len(all) {
		c.path = append([]string{all[n-2].name()}, c.path...)
		all = all[:n-2]
	}
	c.words = all
	return c
}

// at returns a word before the cursor, counted backwards from 1; an empty one before the statement.
func (c place) at(back int) word {
	if back > len(c.words) {
		return word{closed: true}
	}
	return c.words[len(c.words)-back]
}

func (c place) first() string {
	for _, w := range c.words {
		if !w.is("EXPLAIN") && !w.is("ANALYZE") {
			return strings.ToUpper(w.raw)
		}
	}
	return ""
}

func (c place) suggest() []string {
	if c.quoted {
		return c.values()
	}
	switch c.first() {
	case "":
		return keywords("CREATE DELETE DESCRIBE DROP EXEC EXPLAIN INSERT REFRESH REGISTRY REPLACE SELECT SET SHOW UPDATE USE VALUES WITH")
	case "SHOW":
		return c.show()
	case "DESCRIBE", "DESC":
		if len(c.path) > 0 {
			return c.children()
		}
		return slices.Concat(c.unless("EXTENDED METHOD"), c.tables())
	case "EXEC", "EXECUTE":
		return c.exec()
	case "SET":
		if c.at(1).is("SET") {
			return c.source.Settings()
		}
		return nil
	case "USE":
		return c.children()
	case "REGISTRY":
		return keywords("LIST PULL")
	}
	return c.sql()
}

func keywords(list string) []string { return strings.Fields(list) }

// unless returns the keywords that the statement does not have so far.
func (c place) unless(list string) []string {
	return slices.DeleteFunc(keywords(list), func(keyword string) bool {
		return slices.ContainsFunc(c.words, func(w word) bool { return w.is(keyword) })
	})
}

func (c place) show() []string {
	last := c.at(1)
	switch {
	case len(c.path) > 0:
		return c.children()
	case last.is("SHOW"):
		return keywords("AUTH ERRORS EXTENDED INSERT MATERIALIZED METHODS PROVIDERS RESOURCES SERVICES SETTINGS TABLES VERSION VIEWS")
	case last.is("EXTENDED"):
		return keywords("INSERT METHODS PROVIDERS RESOURCES SERVICES VERSION")
	case last.is("MATERIALIZED"):
		return keywords("VIEWS")
	case last.is("SERVICES"), last.is("RESOURCES"), last.is("METHODS"), last.is("AUTH"):
		return keywords("IN")
	case last.is("INSERT"):
		return keywords("INTO")
	case last.is("IN"), last.is("INTO"):
		return c.children()
	}
	return c.unless("LIKE WHERE")
}

// children lists the names below the dotted name: of providers, services, resources or methods.
func (c place) children() []string {
	var names []string
	catalogue := c.source.Catalogue
	c.path = c.full(c.path)
	switch len(c.path) {
	case 0:
		names = c.used()
		all, err := catalogue.Providers()
		if err != nil {
			return nil
		}
		for _, p := range all {
			names = append(names, p.Name)
		}
	case 1:
		if p, err := catalogue.Provider(c.path[0]); err == nil {
			for _, service := range p.Services {
				names = append(names, service.Name)
			}
		}
	case 2: //nolint:mnd // provider.service
		if service, err := catalogue.Service(c.path[0], c.path[1]); err == nil {
			for _, r := range service.Resources {
				names = append(names, r.Name)
			}
		}
	case 3: //nolint:mnd // provider.service.resource
		if r, err := catalogue.Resource(c.path[0], c.path[1], c.path[2]); err == nil {
			for _, m := range r.Methods {
				names = append(names, m.Name)
			}
		}
	}
	return names
}

// used lists the services and resources that stand in short names.
func (c place) used() []string {
	var names []string
	if c.source.Provider != "" {
		names = c.below(c.source.Provider)
	}
	if c.source.Service != "" {
		names = append(names, c.below(c.source.Provider, c.source.Service)...)
	}
	return names
}

// below lists the names below a full name.
func (c place) below(path ...string) []string {
	c.path = path
	return c.children()
}

// full completes a short name.
func (c place) full(name []string) []string {
	if len(name) == 0 || c.source.Provider == "" {
		return name
	}
	if _, err := c.source.Catalogue.Provider(name[0]); err == nil {
		return name
	}
	for _, before := range [][]string{{c.source.Provider}, {c.source.Provider, c.source.Service}} {
		if full := slices.Concat(before, name); len(full) <= 4 { //nolint:mnd // provider.service.resource.method
			if _, _, err := c.source.Catalogue.Lookup(full...); err == nil {
				return full
			}
		}
	}
	return name
}

func (c place) tables() []string { return slices.Concat(c.source.Tables(), c.children()) }

// exec lists names of methods, then parameters of the method, then their values.
func (c place) exec() []string {
	if len(c.path) > 0 {
		return c.children()
	}
	signature := c.method()
	switch {
	case c.at(1).is("EXEC"), c.at(1).is("EXECUTE"):
		return c.children()
	case signature == nil:
		return nil
	case c.at(1).raw == "=":
		return valuesOf(signature, c.at(2).name()) //nolint:mnd // the name before =
	}
	var names []string
	if signature.Body != nil && !c.has("@@json") {
		names = append(names, "@@json")
	}
	for _, name := range signature.Names() {
		if !c.has("@" + name) {
			names = append(names, "@"+name)
		}
	}
	return names
}

func (c place) has(name string) bool {
	return slices.ContainsFunc(c.words, func(w word) bool { return w.is(name) })
}

// method reads the name of an EXEC's method; nil if it is not complete or not known.
func (c place) method() *bind.Signature {
	for i := range c.words {
		name, _ := dotted(c.words[i:])
		if name = c.full(name); len(name) != 4 { //nolint:mnd // provider.service.resource.method
			continue
		}
		m, err := c.source.Catalogue.Method(name[0], name[1], name[2], name[3])
		if err != nil {
			return nil
		}
		signature, err := bind.NewSignature(c.source.Catalogue, m)
		if err != nil {
			return nil
		}
		return signature
	}
	return nil
}

// dotted reads the dotted name at the beginning of words, and the number of its words.
func dotted(words []word) (name []string, length int) {
	for length < len(words) && words[length].isWord() {
		name = append(name, words[length].name())
		length++
		if length+1 >= len(words) || words[length].raw != "." {
			break
		}
		length++
	}
	return name, length
}

// valuesOf lists the values that the documents allow for a parameter.
func valuesOf(signature *bind.Signature, name string) []string {
	schema, err := signature.Schema(strings.TrimLeft(name, "@"))
	if err != nil || schema == nil {
		return nil
	}
	if schema.Type == "boolean" {
		return []string{"true", "false"}
	}
	var values []string
	for _, v := range schema.Enum {
		if text, ok := v.(string); ok {
			values = append(values, text)
		}
	}
	return values
}

// values lists the values for the text that the cursor is in: name = 'val.
func (c place) values() []string {
	if op := c.at(1).raw; op != "=" && !c.at(1).is("IN") && op != "(" && op != "," {
		return nil
	}
	name := c.at(2).name() //nolint:mnd // the name before =
	if strings.HasPrefix(name, "@") {
		if signature := c.method(); signature != nil {
			return valuesOf(signature, name)
		}
		return nil
	}
	var values []string
	for _, t := range c.from() {
		for _, m := range c.methodsOf(t) {
			if signature, err := bind.NewSignature(c.source.Catalogue, m); err == nil {
				values = append(values, valuesOf(signature, name)...)
			}
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// sqlFunctions are functions of SQLite's own, beside those of package functions.
const sqlFunctions = "abs avg coalesce count group_concat ifnull iif instr json_array_length json_each json_extract json_group_array " +
	"length lower max min nullif round row_number sum total trim upper"

func functionNames() []string {
	return slices.Concat(strings.Fields(sqlFunctions), functions.Names())
}
