package statement

import "github.com/lakeql/lakeql/provider"

// ObjectKind is a kind of thing that the store keeps, as statements write it.
type ObjectKind string

// The kinds of object.
const (
	View             ObjectKind = "VIEW"
	MaterializedView ObjectKind = "MATERIALIZED VIEW"
	TableObject      ObjectKind = "TABLE"
)

// Create makes a table or view of the store:
//
//	CREATE [OR REPLACE] [TEMP] {VIEW | MATERIALIZED VIEW} [IF NOT EXISTS] name [(columns)] AS query
//	CREATE [OR REPLACE] [TEMP] TABLE [IF NOT EXISTS] name {(definitions) | AS query}
type Create struct {
	Position                     provider.Position
	Kind                         ObjectKind
	OrReplace, Temp, IfNotExists bool
	Name                         Ident
	Columns                      []Ident // of a view; none where the statement names none
	// Definition is the text between the brackets of a table, in SQLite's grammar; empty with AS.
	Definition string
	As         *Query // nil for a table with a definition
}

// Pos is where the statement begins.
func (c *Create) Pos() provider.Position { return c.Position }

func (s *sqlParser) create() (Statement, error) {
	s.at++
	c := &Create{Position: s.pos, OrReplace: s.accept("OR", "REPLACE")}
	c.Temp = s.accept("TEMP") || s.accept("TEMPORARY")
	var err error
	if c.Kind, err = s.kind("CREATE"); err != nil {
		return nil, err
	}
	if err := s.balanced(); err != nil {
		return nil, err
	}
	c.IfNotExists = s.accept("IF", "NOT", "EXISTS")
	if c.Name, err = s.own(c.Kind); err != nil {
		return nil, err
	}
	if c.Kind == TableObject && s.token().typ == '(' {
		c.Definition, err = s.definition()
		return c, err
	}
	if c.Kind != TableObject {
		if c.Columns, err = s.columns(); err != nil {
			return nil, err
		}
	}
	if !s.accept("AS") {
		wanted := "AS and a query"
		if c.Kind == TableObject {
			wanted = "the columns between brackets, or AS and a query"
		}
		return nil, s.unexpected(wanted)
	}
	c.As, err = s.subquery("SELECT, VALUES or WITH after AS", func(int) bool { return false })
	return c, err
}

// definition reads the text between brackets.
func (s *sqlParser) definition() (string, error) {
	s.at++
	if s.token().typ == ')' {
		return "", s.unexpected("the columns of the table")
	}
	from := s.at
	for depth := 1; depth > 0; s.at++ {
		switch s.token().typ {
		case '(':
			depth++
		case ')':
			depth--
		}
	}
	return s.part(from, s.at-1).Text, nil
}

// kind reads the kind of object after CREATE or DROP.
func (s *sqlParser) kind(verb string) (ObjectKind, error) {
	for _, other := range []string{"INDEX", "UNIQUE", "TRIGGER", "VIRTUAL"} {
		if s.keyword(other) {
			what := map[string]string{"UNIQUE": "INDEX", "VIRTUAL": "VIRTUAL TABLE"}[other]
			if what == "" {
				what = other
			}
			return "", notSupported(verb+" "+what, unsupportedObjects[what], s.pos)
		}
	}
	switch {
	case s.accept("MATERIALIZED"):
		return MaterializedView, s.expect("VIEW")
	case s.accept("VIEW"):
		return View, nil
	case s.accept("TABLE"):
		return TableObject, nil
	}
	return "", s.unexpected("VIEW, MATERIALIZED VIEW or TABLE")
}

// own reads the name of a table or view of the store.
func (s *sqlParser) own(kind ObjectKind) (Ident, error) {
	name, err := s.dotted("the name of the " + string(kind))
	if err != nil {
		return Ident{}, err
	}
	if len(name) > 1 {
		return Ident{}, provider.Usagef("%s: names of three parts are those of the API's resources, and one of your own has one part", provider.Printable(name.String())).
			At(name[0].Pos).
			Hintf("name it %s", provider.Printable(name[len(name)-1].Text))
	}
	return name[0], nil
}

// Refresh reads the rows of a materialized view anew: REFRESH MATERIALIZED VIEW name.
type Refresh struct {
	Position provider.Position
	Name     Ident
}

// Pos is where the statement begins.
func (r *Refresh) Pos() provider.Position { return r.Position }

func (s *sqlParser) refresh() (Statement, error) {
	s.at++
	if err := s.expect("MATERIALIZED", "VIEW"); err != nil {
		return nil, err
	}
	name, err := s.own(MaterializedView)
	return &Refresh{Position: s.pos, Name: name}, err
}

// Drop takes a table or view away: DROP {VIEW | MATERIALIZED VIEW | TABLE} [IF EXISTS] name.
type Drop struct {
	Position provider.Position
	Kind     ObjectKind
	IfExists bool
	Name     Ident
}

// Pos is where the statement begins.
func (d *Drop) Pos() provider.Position { return d.Position }

func (s *sqlParser) drop() (Statement, error) {
	s.at++
	d := &Drop{Position: s.pos}
	var err error
	if d.Kind, err = s.kind("DROP"); err != nil {
		return nil, err
	}
	d.IfExists = s.accept("IF", "EXISTS")
	d.Name, err = s.own(d.Kind)
	return d, err
}
