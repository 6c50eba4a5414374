package statement

import "github.com/lakeql/lakeql/provider"

// Update changes rows:
//
//	UPDATE [/*+ hints */] [OR word] name [AS alias] SET column = expression, … [FROM …] [WHERE …] [RETURNING …]
//	REPLACE [/*+ hints */] name [AS alias] SET …
//
// A WITH may stand before it.
type Update struct {
	Position  provider.Position
	Hints     []string // upper case, in order
	Replace   bool     // REPLACE name SET …
	Or        string   // the word of UPDATE OR …, upper case
	With      *Query   // the WITH before UPDATE; nil: none
	Table     Name     // three parts: a resource; one or two: a table of the store
	Alias     string
	Set       []Assignment // empty only for a resource, whose method may have no body
	From      *Query       // what stands behind FROM, which tables of SQLite's have alone; nil: none
	Where     *Query       // the condition behind WHERE; nil: none
	Returning *Query       // what stands behind RETURNING; nil: none
	Whole     *Query       // the whole statement, for tables that SQLite has itself
}

// Pos is where the statement begins.
func (u *Update) Pos() provider.Position { return u.Position }

// Assignment is one column = expression of SET.
type Assignment struct {
	// Column may have dots, quoted or not, which lead to attributes inside others: spec.ttl. Where
	// several columns are set at once, which tables of SQLite's have alone, it is their list as it is
	// written: (a, b).
	Column Ident
	Value  *Query
}

func (s *sqlParser) update() (Statement, error) {
	if err := s.balanced(); err != nil {
		return nil, err
	}
	u := &Update{Position: s.pos, Hints: s.hints, Replace: s.keyword("REPLACE"), With: s.before()}
	s.at++
	var err error
	if !u.Replace {
		if u.Or, err = s.conflict(); err != nil {
			return nil, err
		}
	}
	if u.Table, err = s.target(); err != nil {
		return nil, err
	}
	if u.Alias, err = s.alias(); err != nil {
		return nil, err
	}
	if err := s.expect("SET"); err != nil {
		return nil, err
	}
	t := s.token()
	isEmpty := t.is("WHERE") || t.is("RETURNING") || t.typ == endOfText
	if !isEmpty || len(u.Table) < 3 { // a resource's method may have no body
		if u.Set, err = s.assignments(); err != nil {
			return nil, err
		}
	}
	if s.accept("FROM") {
		if u.From, err = s.list("a table after FROM"); err != nil {
			return nil, err
		}
	}
	if u.Where, err = s.where(); err != nil {
		return nil, err
	}
	if u.Returning, err = s.returning(); err != nil {
		return nil, err
	}
	u.Whole = s.whole()
	return u, nil
}

// assignments reads the assignments after SET.
func (s *sqlParser) assignments() ([]Assignment, error) {
	var all []Assignment
	for {
		column, err := s.assigned()
		if err != nil {
			return nil, err
		}
		if !s.accept("=") {
			return nil, s.unexpected("= after " + provider.Quote(column.Text))
		}
		value, err := s.expression("an expression for " + provider.Quote(column.Text))
		if err != nil {
			return nil, err
		}
		all = append(all, Assignment{Column: column, Value: value})
		if !s.accept(",") {
			return all, nil
		}
	}
}

// assigned reads the column before the = of an assignment.
func (s *sqlParser) assigned() (Ident, error) {
	if s.token().typ != '(' {
		return s.column()
	}
	from := s.at
	if _, err := s.columns(); err != nil {
		return Ident{}, err
	}
	list := s.part(from, s.at)
	return Ident{Text: list.Text, Pos: list.Position}, nil
}

// Delete takes rows away:
//
//	DELETE [/*+ hints */] FROM name [AS alias] [WHERE …] [RETURNING …]
//
// A WITH may stand before it.
type Delete struct {
	Position  provider.Position
	Hints     []string // upper case, in order
	With      *Query   // the WITH before DELETE; nil: none
	From      Name     // three parts: a resource; one or two: a table of the store
	Alias     string
	Where     *Query // the condition behind WHERE; nil: none
	Returning *Query // what stands behind RETURNING; nil: none
	Whole     *Query // the whole statement, for tables that SQLite has itself
}

// Pos is where the statement begins.
func (d *Delete) Pos() provider.Position { return d.Position }

func (s *sqlParser) delete() (Statement, error) {
	if err := s.balanced(); err != nil {
		return nil, err
	}
	d := &Delete{Position: s.pos, Hints: s.hints, With: s.before()}
	s.at++
	err := s.expect("FROM")
	if err != nil {
		return nil, err
	}
	if d.From, err = s.target(); err != nil {
		return nil, err
	}
	if d.Alias, err = s.alias(); err != nil {
		return nil, err
	}
	if d.Where, err = s.where(); err != nil {
		return nil, err
	}
	if d.Returning, err = s.returning(); err != nil {
		return nil, err
	}
	d.Whole = s.whole()
	return d, nil
}
