package pgcatalog

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/dialect"
	"github.com/lakeql/lakeql/internal/pgwire/pgtext"
	"github.com/lakeql/lakeql/provider"
)

// Signature is what is known of a statement's types before it runs.
type Signature struct {
	items []dialect.Item
	inner map[string]string
	// Parameters are the oids of the types of $1, $2, …, as far as they are known.
	Parameters map[int]uint32
}

// Signature finds the types that the text of a statement shows: of casts, literals, comparisons and functions,
// and of parameters beside columns of the tables that it names.
func (s *Session) Signature(text string) Signature {
	plain, tokens, closed := pgtext.Dialect(text)
	if !closed {
		return Signature{}
	}
	options := ofCatalogue
	options.Column = s.scope(text)
	found := options.Signature(plain, tokens)
	sig := Signature{items: found.Items, inner: found.Inner, Parameters: map[int]uint32{}}
	for n, name := range found.Parameters {
		if oid := oidNamed(name); oid != 0 {
			sig.Parameters[n] = oid
		}
	}
	return sig
}

// Types are the oids of the types of a statement's columns; 0 where the type is known by the values only. What
// the column is declared as counts before what the text shows.
func (sig Signature) Types(columns []provider.Column) []uint32 {
	types := make([]uint32, len(columns))
	star := slices.IndexFunc(sig.items, func(i dialect.Item) bool { return i.Star })
	for n, c := range columns {
		if c.Type != "" || c.Format != "" {
			types[n] = OIDOf(c)
			continue
		}
		at := n
		if star >= 0 && n >= star { // what a star stands for is between the items before and behind it
			at = len(sig.items) - len(columns) + n
			if slices.ContainsFunc(sig.items[max(at, 0):], func(i dialect.Item) bool { return i.Star }) {
				types[n] = oidNamed(sig.inner[strings.ToLower(c.Name)])
				continue
			}
		}
		if at >= 0 && at < len(sig.items) {
			types[n] = oidNamed(sig.items[at].Type)
		}
	}
	return types
}

// oidNamed is the oid of a type, or of an array of it; 0 if there is none.
func oidNamed(name string) uint32 {
	element, isArray := strings.CutSuffix(name, "[]")
	t, ok := typeNamed(element)
	switch {
	case !ok:
		return 0
	case isArray:
		return uint32(t.array) //nolint:gosec // a small number
	}
	return uint32(t.oid) //nolint:gosec // a small number
}

// scope returns the types of the columns of the tables that a statement names. A name that means several
// types means none.
func (s *Session) scope(text string) func(name string) string {
	known := map[string]string{}
	add := func(name, of string) {
		name = strings.ToLower(name)
		if other, ok := known[name]; ok && other != of {
			of = ""
		}
		known[name] = of
	}
	words := pgtext.Significant(pgtext.Tokens(text))
	if len(words) == 0 {
		return nil
	}
	verb := provider.SQLVerb(strings.ToLower(words[0].Text))
	for i := 0; i < len(words); i++ {
		parts := dotted(words[i:])
		if parts = s.full(parts, verb); len(parts) < 3 {
			continue
		}
		for name, of := range s.catalogue.typesOf(parts, verb) {
			add(name, of)
		}
	}
	if len(known) == 0 {
		s.addOwn(words, add)
	}
	return func(name string) string { return known[strings.ToLower(name)] }
}

// full completes the name of a resource, or of a method for EXEC.
func (s *Session) full(parts []string, verb provider.SQLVerb) []string {
	if len(parts) == 0 || s.isProvider(parts[0]) {
		return parts
	}
	length := 3
	if verb == provider.Exec {
		length++
	}
	providerName, service := s.used()
	switch {
	case service != "" && len(parts) == length-2: //nolint:mnd // provider and service
		return append([]string{providerName, service}, parts...)
	case len(parts) == 1:
		return nil
	case providerName == "":
		providerName = s.provider
	}
	return append([]string{providerName}, parts...)
}

// addOwn adds the columns of the tables of the client's store that a statement names.
func (s *Session) addOwn(words []pgtext.Token, add func(name, of string)) {
	if !slices.ContainsFunc(words, func(w pgtext.Token) bool {
		return slices.Contains([]string{"FROM", "INTO", "UPDATE", "TABLE"}, strings.ToUpper(w.Text))
	}) || s.refresh() != nil {
		return
	}
	for i := range words {
		name := dotted(words[i:])
		for _, t := range s.own.tables {
			if !t.isNamed(name) {
				continue
			}
			for _, c := range t.Columns {
				if c.Type != "" {
					add(c.Name, typeOf(c).name)
				}
			}
		}
	}
}

// dotted reads a name with dots at the first of some tokens; none if it is a part of another one.
func dotted(words []pgtext.Token) []string {
	var parts []string
	for i := 0; i < len(words) && (words[i].Kind == pgtext.Word || words[i].Kind == pgtext.Quoted); i += 2 {
		parts = append(parts, pgtext.Unquote(words[i].Text))
		if i+1 == len(words) || words[i+1].Text != "." {
			break
		}
	}
	return parts
}

// typesOf are the types of the columns of a resource and of the inputs of the methods that the verb calls, by
// name. For EXEC, whose names have four parts, the names of inputs begin with @.
func (c *Catalogue) typesOf(name []string, verb provider.SQLVerb) map[string]string {
	types := map[string]string{}
	if verb == provider.Exec {
		if len(name) < 4 {
			return nil
		}
		m, err := c.documents.Method(name[0], name[1], name[2], name[3])
		if err != nil {
			return nil
		}
		types["@json"] = "jsonb" // of @@json
		c.addInputs(types, m, "@")
		return types
	}
	r, err := c.documents.Resource(name[0], name[1], name[2])
	if err != nil {
		return nil
	}
	columns, methods, err := c.described(r)
	if err == nil {
		for _, column := range columns {
			types[column.Name] = typeOf(column).name
		}
	}
	for _, m := range slices.Concat(methods, r.MethodsFor(verb)) {
		c.addInputs(types, m, "")
	}
	return types
}

// addInputs adds the types of a method's inputs that are not there.
func (c *Catalogue) addInputs(types map[string]string, m *provider.Method, prefix string) {
	inputs, err := c.inputsOf(m)
	if err != nil {
		return
	}
	for _, in := range inputs {
		for _, name := range []string{in.Name, in.other} {
			if _, known := types[prefix+name]; !known && name != "" {
				types[prefix+name] = typeOf(in.Column).name
			}
		}
	}
}
