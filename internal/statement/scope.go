package statement

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Scope completes short names of resources: those without the provider, or without provider and service.
// Its zero value takes full names only.
type Scope struct {
	// Provider and Service complete short names, as the last USE chose them. Service may be empty.
	Provider, Service string
	// Catalogue finds what USE names.
	Catalogue *provider.Catalogue
	// Stored reports whether the user has a table or view of a name. Such a name stands for that table,
	// never for a resource.
	Stored func(name string) (bool, error)

	made []string // by earlier statements of the text
}

// String is what USE chose: provider, provider.service, or nothing.
func (sc Scope) String() string {
	if sc.Service == "" {
		return sc.Provider
	}
	return sc.Provider + "." + sc.Service
}

// Parse is [Parse] in this scope. A USE in the text changes the scope of the statements behind it.
func (sc Scope) Parse(text string) ([]Statement, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	p.scope = sc
	return p.all()
}

// follow returns the scope after a statement.
func (sc Scope) follow(st Statement) Scope {
	switch st := st.(type) {
	case *Use:
		if in, err := sc.Use(st); err == nil { // else the statement fails when it is planned
			return in
		}
	case *Create:
		sc.made = append(slices.Clone(sc.made), st.Name.Text)
	}
	return sc
}

// Use returns the scope that a USE chooses.
func (sc Scope) Use(use *Use) (Scope, error) {
	if sc.Catalogue == nil {
		return sc, nil
	}
	parts := make([]string, len(use.Name))
	for i, part := range use.Name {
		parts[i] = part.Text
	}
	found, unknown, err := sc.Catalogue.Lookup(parts...)
	if err != nil {
		return sc, provider.At(err, use.Name[unknown].Pos)
	}
	sc.Provider, sc.Service = found.Provider.Name, ""
	if found.Service != nil {
		sc.Service = found.Service.Name
	}
	return sc, nil
}

// used completes the name behind USE, if that is a service of the provider in use.
func (sc Scope) used(name Name) Name {
	if len(name) > 1 || sc.Catalogue == nil {
		return name
	}
	if _, err := sc.Catalogue.Provider(name[0].Text); err == nil {
		return name
	}
	if _, _, err := sc.Catalogue.Lookup(sc.Provider, name[0].Text); err != nil {
		return name
	}
	return sc.full(name, 2) //nolint:mnd // provider.service
}

// full completes a name to a number of parts. A name that is complete, or cannot be completed, stays as it is.
func (sc Scope) full(name Name, parts int) Name {
	if len(name) == 0 {
		return name
	}
	var before Name
	for _, text := range sc.before(parts - len(name)) {
		before = append(before, Ident{Text: text, Pos: name[0].Pos})
	}
	return append(before, name...)
}

// before returns the parts that complete a name that lacks a number of them; none if the scope lacks them too.
func (sc Scope) before(lacking int) []string {
	switch {
	case sc.Provider == "":
	case lacking == 1:
		return []string{sc.Provider}
	case lacking == 2 && sc.Service != "": //nolint:mnd // provider and service
		return []string{sc.Provider, sc.Service}
	}
	return nil
}

// resource completes the name of a resource, unless it is that of a table of the user.
func (sc Scope) resource(name Name) (Name, error) {
	stored, err := sc.isStored(name)
	if err != nil {
		return nil, provider.At(err, name[0].Pos)
	}
	if stored {
		return name, nil
	}
	return sc.full(name, 3), nil //nolint:mnd // provider.service.resource
}

// isStored reports whether a name of one or two parts is that of a table of the user, or of SQLite's own.
func (sc Scope) isStored(name Name) (bool, error) {
	switch first := name[0].Text; {
	case len(name) == 2: //nolint:mnd // schema.table
		return IsSchema(first), nil
	case len(name) > 2:
		return false, nil
	case sqliteTable(first), slices.ContainsFunc(sc.made, func(made string) bool { return strings.EqualFold(made, first) }):
		return true, nil
	case sc.Stored == nil:
		return false, nil
	default:
		return sc.Stored(first)
	}
}

// IsSchema reports whether a name may be that of a schema in the database of a query.
func IsSchema(name string) bool {
	return slices.ContainsFunc([]string{"main", "temp", "session", "store"}, func(schema string) bool { return strings.EqualFold(schema, name) })
}

// sqliteTable reports whether SQLite reserves a name for tables of its own.
func sqliteTable(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "sqlite_") || strings.HasPrefix(name, "pragma_")
}

// complete puts what the scope has before the short names of resources in a statement. Where a translation
// has replaced a name, it stays as it is.
func (s *sqlParser) complete() error {
	if s.scope.Provider == "" {
		return nil
	}
	var edits []Edit
	for _, n := range s.names {
		before, err := s.lacking(n)
		if err != nil {
			return err
		}
		if before == nil {
			continue
		}
		t := s.tokens[n.first]
		at := t.start - s.tokens[0].start
		if s.origin != nil {
			if at = unedited(s.origin.edits, t.start); !strings.HasPrefix(s.origin.written[at:], t.raw) {
				continue
			}
		}
		text := ""
		for _, part := range before {
			if !isWord(part) {
				part = quoteName(part)
			}
			text += part + "."
		}
		edits = append(edits, Edit{at, at, text})
	}
	if len(edits) == 0 {
		return nil
	}
	if s.origin == nil {
		s.origin = &origin{source: s.source, start: s.tokens[0].start, written: s.text}
	}
	s.origin = &origin{source: s.origin.source, start: s.origin.start, written: edited(s.origin.written, edits), completed: edits}
	if err := s.read(s.origin.written); err != nil {
		return err
	}
	if err := s.translate(); err != nil {
		return err
	}
	s.names = dottedNames(s.tokens, s.places)
	return nil
}

// lacking returns the parts that complete a name of a resource; none for any other name.
func (s *sqlParser) lacking(n dotted) ([]string, error) {
	var name Name
	for i := n.first; i <= n.last; i += 2 {
		name = append(name, Ident{Text: unquoteName(s.tokens[i].raw), Pos: s.places.position(s.tokens[i].start)})
	}
	if !n.isTable(s.tokens) {
		return s.lackingBeforeColumn(n, name), nil
	}
	if len(name) == 1 && isCommon(s.tokens, n.last, name[0].Text) {
		return nil, nil
	}
	full, err := s.scope.resource(name)
	if err != nil {
		return nil, err
	}
	var before []string
	for _, part := range full[:len(full)-len(name)] {
		before = append(before, part.Text)
	}
	return before, nil
}

// lackingBeforeColumn completes service.resource before a column or *.
func (s *sqlParser) lackingBeforeColumn(n dotted, name Name) []string {
	if n.table.Qualifier && len(name) == 3 && s.tokens[n.last+1].typ == '.' {
		return nil // provider.service.resource.*
	}
	isColumn := len(name) == 3 || len(name) == 2 && s.tokens[n.last+1].typ == '.' // service.resource, and a column or *
	if !isColumn || s.scope.Catalogue == nil {
		return nil
	}
	if _, err := s.scope.Catalogue.Provider(name[0].Text); err == nil || IsSchema(name[0].Text) {
		return nil
	}
	if _, _, err := s.scope.Catalogue.Lookup(s.scope.Provider, name[0].Text, name[1].Text); err != nil {
		return nil
	}
	return s.scope.before(1)
}

// isTable reports whether the name stands where a statement names a table that it reads or writes.
func (n dotted) isTable(tokens []token) bool {
	at := func(back int) token { return tokens[max(n.first-back, 0)] }
	before, into := at(1), at(1).is("INTO")
	if n.first == 0 || tokens[n.last+1].typ == '(' && !into {
		return false // a function
	}
	switch {
	case into, n.inFrom(tokens):
		return true
	case before.is("UPDATE"):
		return !at(2).is("DO") && !tokens[n.first].is("OR") //nolint:mnd // the word before UPDATE
	}
	return at(2).is("OR") && at(3).is("UPDATE") //nolint:mnd // UPDATE OR IGNORE name
}

// isCommon reports whether a name is that of a query of a WITH. The token at is not looked at.
func isCommon(tokens []token, at int, name string) bool {
	for i := range tokens[:len(tokens)-1] {
		if tokens[i].typ != wordToken || !strings.EqualFold(unquoteName(tokens[i].raw), name) {
			continue
		}
		next, after := tokens[i+1], tokens[min(i+2, len(tokens)-1)]
		if next.is("AS") && (after.typ == '(' || after.is("MATERIALIZED") || after.is("NOT")) {
			return true
		}
		if last := tokens[max(i-1, 0)]; next.typ == '(' && (last.is("WITH") || last.is("RECURSIVE") || last.typ == ',') && at != i {
			return true
		}
	}
	return false
}
