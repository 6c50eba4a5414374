package statement

import "github.com/lakeql/lakeql/provider"

// Insert makes rows:
//
//	INSERT [/*+ hints */] [OR word] INTO name [AS alias] [(columns)] query [ON CONFLICT …] [RETURNING …]
//	REPLACE INTO …
//
// The query is a SELECT, VALUES, WITH … SELECT, or DEFAULT VALUES. A WITH may stand before INSERT too.
type Insert struct {
	Position provider.Position
	Hints    []string // upper case, in order
	Replace  bool     // REPLACE INTO
	Or       string   // the word of INSERT OR …, upper case
	Into     Name     // three parts: a resource; one or two: a table of the store
	Alias    string
	Columns  []Ident // none where the statement names none; dots lead to attributes inside others
	// Source returns the rows; nil for DEFAULT VALUES. With a WITH before INSERT its Text begins there,
	// and has blanks where the INSERT stands.
	Source    *Query
	Conflict  *Query // what stands behind ON CONFLICT, which tables of SQLite's have alone; nil: none
	Returning *Query // what stands behind RETURNING; nil: none
	Whole     *Query // the whole statement, for tables that SQLite has itself
}

// Pos is where the statement begins.
func (i *Insert) Pos() provider.Position { return i.Position }

// replace reads REPLACE INTO, which is an INSERT, or REPLACE name SET, which is an UPDATE.
func (s *sqlParser) replace() (Statement, error) {
	if s.tokens[s.at+1].is("INTO") {
		return s.insert()
	}
	return s.update()
}

func (s *sqlParser) insert() (Statement, error) {
	if err := s.balanced(); err != nil {
		return nil, err
	}
	verb := s.at
	i := &Insert{Position: s.pos, Hints: s.hints, Replace: s.keyword("REPLACE")}
	s.at++
	var err error
	if !i.Replace {
		if i.Or, err = s.conflict(); err != nil {
			return nil, err
		}
	}
	if err := s.expect("INTO"); err != nil {
		return nil, err
	}
	if i.Into, err = s.target(); err != nil {
		return nil, err
	}
	if i.Alias, err = s.alias(); err != nil {
		return nil, err
	}
	if i.Columns, err = s.columns(); err != nil {
		return nil, err
	}
	if i.Source, err = s.rows(verb); err != nil {
		return nil, err
	}
	if s.isConflict(s.at) {
		s.at += 2
		from := s.at
		s.until(s.isReturning)
		i.Conflict = s.part(from, s.at)
	}
	if i.Returning, err = s.returning(); err != nil {
		return nil, err
	}
	i.Whole = s.whole()
	return i, nil
}

// rows reads the source of an INSERT's rows. verb is the word INSERT; a WITH may stand before it.
func (s *sqlParser) rows(verb int) (*Query, error) {
	if s.accept("DEFAULT") {
		return nil, s.expect("VALUES")
	}
	from := s.at
	q, err := s.subquery("SELECT, VALUES, WITH or DEFAULT VALUES", func(i int) bool { return s.isReturning(i) || s.isConflict(i) })
	if err != nil || verb == 0 {
		return q, err
	}
	return s.joined(verb, from), nil
}

// joined returns the query that consists of a WITH before INSERT and the query after it, up to the next
// token. The text between becomes blanks, so that every offset stays valid. Two WITHs become one:
// WITH a AS (…), b AS (…).
func (s *sqlParser) joined(verb, from int) *Query {
	plain := *s
	text := []byte(s.text)
	blank := func(from, to token) {
		for i := from.start; i < to.start; i++ {
			text[i-s.tokens[0].start] = ' '
		}
	}
	blank(s.tokens[verb], s.tokens[from])
	if s.tokens[from].is("WITH") {
		second := from + 1
		if s.tokens[second].is("RECURSIVE") && !s.tokens[second+1].is("AS") {
			second++
		}
		blank(s.tokens[from], s.tokens[second])
		text[s.tokens[from].start-s.tokens[0].start] = ','
	}
	plain.text = string(text)
	plain.names = nil
	for _, n := range s.names {
		if n.first < verb || n.first >= from {
			plain.names = append(plain.names, n)
		}
	}
	return plain.part(0, s.at)
}

// isReturning reports whether the token begins RETURNING.
func (s *sqlParser) isReturning(i int) bool { return s.tokens[i].is("RETURNING") && !s.isPart(i) }

// isConflict reports whether the token begins ON CONFLICT, and no condition of a join.
func (s *sqlParser) isConflict(i int) bool {
	if i+2 > s.last() || !s.tokens[i].is("ON") || !s.tokens[i+1].is("CONFLICT") {
		return false
	}
	return s.tokens[i+2].typ == '(' || s.tokens[i+2].is("DO")
}
