package engine

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// columnStyle is how an INSERT, UPDATE or DELETE writes a parameter.
const columnStyle = "%s = '…'"

// planInsert checks an INSERT or REPLACE of rows into a resource.
func (s *Session) planInsert(in *statement.Insert) (*plan, error) {
	w, err := s.newInsert(in)
	if err != nil {
		return nil, err
	}
	return w.checked()
}

// newInsert reads what an INSERT or REPLACE INTO is about, and compiles the query for its rows.
func (s *Session) newInsert(in *statement.Insert) (*write, error) {
	r, err := s.resource(in.Into)
	if err != nil {
		return nil, err
	}
	verb := provider.Insert
	w := &write{session: s, position: in.Position, what: "INSERT INTO " + r.FullName(), done: "inserted", returning: in.Returning, alias: r.Name}
	if in.Replace || in.Or == "REPLACE" {
		verb = provider.Replace
		w.what, w.done = "REPLACE INTO "+r.FullName(), "replaced"
	}
	if in.Alias != "" {
		w.alias = in.Alias
	}
	switch {
	case in.Or != "" && in.Or != "REPLACE":
		return nil, w.refuse("OR "+in.Or+" is for tables of the store: the API alone decides what conflicts", "leave OR "+in.Or+" out")
	case in.Conflict != nil:
		return nil, w.refuse("ON CONFLICT is for tables of the store: the API alone decides what conflicts", "leave ON CONFLICT out")
	case in.Source == nil:
		return nil, w.refuse("DEFAULT VALUES says nothing of what to make", "name columns and give VALUES")
	case len(in.Columns) == 0:
		return nil, w.refuse("no columns are named", "see SHOW INSERT INTO "+r.FullName())
	}
	if w.await, err = s.awaits(in.Hints, in.Position); err != nil {
		return nil, err
	}
	if w.method, err = w.choose(r, verb, in.Columns); err != nil {
		return nil, err
	}
	w.gives = in.Columns
	if w.program, err = s.compile(in.Source.Position, func(p *program) (string, error) { return p.rewrite(in.Source) }); err != nil {
		return nil, err
	}
	if have := len(w.program.columns); have != len(in.Columns) {
		_ = w.program.close() // the error at hand counts
		return nil, &provider.Error{
			Code:     provider.Usage,
			Message:  fmt.Sprintf("%s: %d columns are named and %d values given", w.what, len(in.Columns), have),
			Position: in.Columns[0].Pos,
		}
	}
	w.bind = func(row []any) (*binding, error) {
		b, err := s.newBinding(w.method, in.Position)
		if err != nil {
			return nil, err
		}
		b.style = columnStyle
		for _, i := range wholeFirst(in.Columns) {
			if err := w.setCell(b, in.Columns[i], row[i], in.Columns); err != nil {
				return nil, err
			}
		}
		return b, s.complete(b)
	}
	return w, nil
}

// refuse is an error about the statement.
func (w *write) refuse(message, hint string) error {
	return &provider.Error{Code: provider.Usage, Message: w.what + ": " + message, Hint: hint, Position: w.position}
}

// awaits reports whether the hints ask to wait for what a call begins.
func (s *Session) awaits(hints []string, pos provider.Position) (bool, error) {
	for _, hint := range hints {
		if hint != "SHOWRESULTS" && hint != "AWAIT" {
			return false, &provider.Error{
				Code:     provider.Usage,
				Message:  "unknown hint " + provider.Quote(hint),
				Hint:     "known are SHOWRESULTS and AWAIT",
				Position: pos,
			}
		}
	}
	return slices.Contains(hints, "AWAIT"), nil
}

// choose finds the method that takes the columns: of those that know them all and lack none, the one
// that requires most of them.
func (w *write) choose(r *provider.Resource, verb provider.SQLVerb, columns []statement.Ident) (*provider.Method, error) {
	methods := r.MethodsFor(verb)
	if len(methods) == 0 {
		return nil, w.noMethod(r, verb)
	}
	var best *provider.Method
	most := -1
	var first error
	for _, m := range methods {
		required, err := w.fits(m, columns)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if required > most {
			best, most = m, required
		}
	}
	if best == nil {
		return nil, first
	}
	return best, nil
}

// noMethod is the error that a verb does not reach the resource.
func (w *write) noMethod(r *provider.Resource, verb provider.SQLVerb) error {
	var others []string
	for _, other := range []provider.SQLVerb{provider.Insert, provider.Update, provider.Replace, provider.Delete} {
		if other != verb && len(r.MethodsFor(other)) > 0 {
			others = append(others, strings.ToUpper(string(other)))
		}
	}
	hint := "see SHOW METHODS IN " + r.FullName()
	if len(others) > 0 {
		hint = "it takes " + strings.Join(others, ", ") + "; " + hint
	}
	return w.refuse("no "+strings.ToUpper(string(verb))+" reaches this resource", hint)
}

// fits counts the parameters that a method requires, if columns are what it takes.
func (w *write) fits(m *provider.Method, columns []statement.Ident) (int, error) {
	b, err := w.session.newBinding(m, w.position)
	if err != nil {
		return 0, err
	}
	b.style = columnStyle
	for _, column := range columns {
		if err := b.setColumn(column, nil, columns); err != nil {
			return 0, err
		}
	}
	required := 0
	var missing []string
	for _, name := range m.RequiredParams() {
		required++
		named := slices.ContainsFunc(columns, func(c statement.Ident) bool {
			top, _, _ := strings.Cut(strings.TrimPrefix(b.canonical(c.Text), attributePrefix), ".")
			return top == name || b.canonical(c.Text) == name
		})
		whole := m.NameParam != nil && slices.Contains(m.NameParam.Params(), name) && b.given[m.NameParam.Name].name != ""
		if !named && !whole && name != deploymentName && (name != accountID || w.session.account() == "") && !slices.Contains(m.BodyFromPath, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return 0, w.refuse(m.FullName()+" needs "+strings.Join(missing, ", ")+" as well", "see SHOW INSERT /*+ REQUIRED */ INTO "+m.Resource)
	}
	return required, nil
}

// wholeFirst gives the order in which columns are set: those with dots, which are parts of others, last.
func wholeFirst(columns []statement.Ident) []int {
	order := make([]int, len(columns))
	for i := range order {
		order[i] = i
	}
	dotted := func(i int) int { return min(strings.Count(columns[i].Text, "."), 1) }
	slices.SortStableFunc(order, func(i, j int) int { return dotted(i) - dotted(j) })
	return order
}

// setCell is setColumn for a value of a row. A placeholder of a page is a fault in what the statement
// itself says; in answers and tables it is a text like others.
func (w *write) setCell(b *binding, column statement.Ident, value any, all []statement.Ident) error {
	if text, ok := value.(string); ok && w.constant() {
		if placeholder, ok := statement.Placeholder(column.Text, text); ok {
			return statement.PlaceholderError(placeholder, column.Pos)
		}
	}
	return b.setColumn(column, value, all)
}

// setColumn takes in the value of a column: a parameter, an attribute of the body, or with dots a part
// of one. A name that the body requires as well as the path is sent in both, unless the statement
// tells them apart (data__name).
func (b *binding) setColumn(column statement.Ident, value any, all []statement.Ident) error {
	column.Text = b.canonical(column.Text)
	here := func(provider.Path) provider.Position { return column.Pos }
	name := strings.TrimPrefix(column.Text, attributePrefix)
	typed, err := b.typed(column, value)
	if err != nil {
		return err
	}
	g := given{name: column.Text, value: typed, named: column.Pos, pos: column.Pos, locate: here}
	if top, rest, dotted := strings.Cut(name, "."); dotted && !b.isParam(column.Text) && b.isAttribute(top) {
		return b.setPart(top, strings.Split(rest, "."), g)
	}
	if earlier, twice := b.given[b.otherSpelling(column.Text)]; twice && !sameValue(earlier.value, g.value) {
		return conflict(name, g.pos, earlier.pos)
	}
	if err := b.set(g); err != nil {
		return err
	}
	return b.setBoth(g, all)
}

// setBoth puts a parameter into the body as well, where the body requires one of its name and no
// column is for that alone.
func (b *binding) setBoth(g given, all []statement.Ident) error {
	both := b.isParam(g.name) && b.isAttribute(g.name) && slices.Contains(b.method.Body.RequiredAttributes, g.name) &&
		!slices.ContainsFunc(all, func(c statement.Ident) bool { return b.canonical(c.Text) == attributePrefix+g.name })
	if both {
		b.attributes[g.name] = g.value
	}
	return nil
}

// canonical gives a column's name as the method has it: like any name of SQL's, it may be written in
// another case. Names inside of attributes may not.
func (b *binding) canonical(column string) string {
	prefix, name := "", column
	if len(column) > len(attributePrefix) && strings.EqualFold(column[:len(attributePrefix)], attributePrefix) {
		prefix, name = attributePrefix, column[len(attributePrefix):]
	}
	all := b.allNames()
	top, rest, dotted := strings.Cut(name, ".")
	for _, written := range []string{name, top} {
		if slices.Contains(all, written) {
			return prefix + name
		}
		if i := slices.IndexFunc(all, func(known string) bool { return strings.EqualFold(known, written) }); i >= 0 {
			if written == name {
				return prefix + all[i]
			}
			return prefix + all[i] + "." + rest
		}
		if !dotted {
			break
		}
	}
	return column
}

// otherSpelling gives the other column that means the same attribute, with the prefix or without;
// empty where that is a parameter.
func (b *binding) otherSpelling(column string) string {
	name, prefixed := strings.CutPrefix(column, attributePrefix)
	if b.isParam(name) || b.method.NameParam != nil && b.method.NameParam.Name == name {
		return ""
	}
	if prefixed {
		return name
	}
	return attributePrefix + name
}

// typed gives a value of a row as decoding JSON would, for what the column means: SQL's true is
// SQLite's 1, and an integer beyond 64 bits was rounded.
func (b *binding) typed(column statement.Ident, value any) (any, error) {
	schema, err := b.schemaOf(column.Text)
	if err != nil {
		return nil, err
	}
	typ := "any"
	if schema != nil {
		typ = schema.Type
	}
	switch number := value.(type) {
	case int64:
		if typ == "boolean" && (number == 0 || number == 1) {
			return number == 1, nil
		}
	case float64:
		if err := exact(column, typ, number); err != nil {
			return nil, err
		}
	case json.RawMessage:
		if typ == "" {
			return unpack(string(number)), nil
		}
	}
	return jsonValue(value), nil
}

// exact refuses a number that is not what was written, or that JSON does not have.
func exact(column statement.Ident, typ string, number float64) error {
	const integers = 1 << 63 // SQLite's end there
	switch {
	case math.IsInf(number, 0):
		return &provider.Error{Code: provider.Usage, Message: column.Text + ": the number is too large", Position: column.Pos}
	case typ != "number" && math.Abs(number) >= integers:
		return &provider.Error{
			Code:     provider.Usage,
			Message:  column.Text + ": SQLite rounds integers of more than 64 bits",
			Hint:     "write it between quotes",
			Position: column.Pos,
		}
	}
	return nil
}

// schemaOf finds the schema of what a column means; nil where it has none.
func (b *binding) schemaOf(column string) (*provider.Schema, error) {
	if p, ok := b.method.Param(column); ok {
		return b.session.Catalogue.Resolve(b.method, p.Schema)
	}
	return b.schemaAt(strings.TrimPrefix(column, attributePrefix))
}

// schemaAt finds the schema of a part of the body; nil where it has none.
func (b *binding) schemaAt(path string) (*provider.Schema, error) {
	schema := b.body
	for step := range strings.SplitSeq(path, ".") {
		if schema == nil {
			return nil, nil //nolint:nilnil // there is none
		}
		property, ok := schema.Property(step)
		if !ok {
			return nil, nil //nolint:nilnil // inside a map, or unknown, which the check of the body tells
		}
		var err error
		if schema, err = b.session.Catalogue.Resolve(b.method, property); err != nil {
			return nil, err
		}
	}
	return schema, nil
}

// setPart sets an attribute inside one of the body's.
func (b *binding) setPart(top string, path []string, g given) error {
	if earlier, twice := b.given[g.name]; twice {
		return conflict(g.name, g.pos, earlier.pos)
	}
	b.given[g.name] = g
	if g.value == nil {
		return nil
	}
	object, ok := unpack(b.attributes[top]).(map[string]any)
	if !ok && b.attributes[top] != nil {
		return conflict(top, g.pos, b.attributeSource(top).pos)
	}
	if object == nil {
		object = map[string]any{}
	}
	b.attributes[top] = object
	for _, step := range path[:len(path)-1] {
		inner, ok := object[step].(map[string]any)
		if !ok {
			if object[step] != nil {
				return conflict(g.name, g.pos, b.attributeSource(top).pos)
			}
			inner = map[string]any{}
			object[step] = inner
		}
		object = inner
	}
	last := path[len(path)-1]
	if _, twice := object[last]; twice {
		return conflict(g.name, g.pos, b.attributeSource(top).pos)
	}
	object[last] = g.value
	return nil
}
