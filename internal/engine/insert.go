package engine

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// planInsert checks an INSERT or REPLACE of rows into a resource.
func (p *planner) planInsert(in *statement.Insert) (*plan, error) {
	w, err := p.newInsert(in)
	if err != nil {
		return nil, err
	}
	return w.checked()
}

// newInsert finds the method of an INSERT or REPLACE INTO, and compiles the query for its rows.
func (p *planner) newInsert(in *statement.Insert) (*write, error) {
	verb := provider.Insert
	if in.Replace || in.Or == "REPLACE" {
		verb = provider.Replace
	}
	r, err := p.names.reached(in.Into, verb)
	if err != nil {
		return nil, err
	}
	w := &write{session: p.session, env: p.env, position: in.Position, what: "INSERT INTO " + r.FullName(), done: "inserted", returning: in.Returning, subject: r.FullName(), alias: r.Name}
	if verb == provider.Replace {
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
	w.await = awaits(in.Hints)
	if w.method, err = w.chooseEver(p, r, verb, in.Columns); err != nil {
		return nil, err
	}
	w.gives = in.Columns
	if w.program, err = vtab.Compile(p.env, in.Source.Position, func(p *vtab.Program) (string, error) { return p.Rewrite(in.Source) }); err != nil {
		return nil, err
	}
	if have := len(w.program.Columns); have != len(in.Columns) {
		_ = w.program.Close() // the error at hand counts
		return nil, provider.Usagef("%s: %d columns are named and %d values given", w.what, len(in.Columns), have).
			At(in.Columns[0].Pos)
	}
	w.bind = func(row []any) (*bind.Binding, error) {
		b, err := p.env.Scope().New(w.method, in.Position, bind.ColumnStyle)
		if err != nil {
			return nil, err
		}
		for _, i := range bind.Order(in.Columns) {
			if err := w.setCell(b, in.Columns[i], row[i], in.Columns); err != nil {
				return nil, err
			}
		}
		return b, b.Complete()
	}
	return w, nil
}

// refuse is an error about the statement.
func (w *write) refuse(message, hint string) error {
	return provider.Usagef("%s: %s", w.what, message).At(w.position).Hintf("%s", hint)
}

// chooseEver is choose. If no present method takes the columns, it tries the methods that the name of
// the resource had in earlier documents.
func (w *write) chooseEver(p *planner, r *provider.Resource, verb provider.SQLVerb, columns []statement.Ident) (*provider.Method, error) {
	m, err := w.choose(r, verb, columns)
	if err == nil {
		return m, nil
	}
	former, fault := p.session.Catalogue.Formerly(r, verb)
	if former == nil || fault != nil {
		return nil, cmp.Or(fault, err)
	}
	m, fault = w.choose(former, verb, columns)
	if fault != nil && len(r.MethodsFor(verb)) == 0 {
		return nil, fault
	} else if fault != nil {
		return nil, err
	}
	p.names.renamed.add(former.Renamed(verb))
	return m, nil
}

// choose finds the method that takes the columns. Of several, it is the method with the most required
// parameters.
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
	message := "no " + strings.ToUpper(string(verb)) + " reaches this resource"
	if dropped, err := w.session.Catalogue.Dropped(r, verb); err == nil && dropped != "" {
		message += ": " + dropped
	}
	return w.refuse(message, hint)
}

// fits returns the number of parameters that a method requires, if the method takes the columns.
func (w *write) fits(m *provider.Method, columns []statement.Ident) (int, error) {
	b, err := w.env.Scope().New(m, w.position, bind.ColumnStyle)
	if err != nil {
		return 0, err
	}
	for _, column := range columns {
		if err := b.SetColumn(column, nil, columns); err != nil {
			return 0, err
		}
	}
	required, tenant := 0, w.session.Catalogue.TenantVariable(m)
	var missing []string
	for _, name := range m.RequiredParams() {
		required++
		named := slices.ContainsFunc(columns, func(c statement.Ident) bool { return b.Sets(c.Text, name) })
		whole := false
		if m.NameParam != nil && slices.Contains(m.NameParam.Params(), name) {
			_, whole = b.Given(m.NameParam.Name)
		}
		if !named && !whole && name != tenant && !b.Supplied(name) && !slices.Contains(m.BodyFromPath, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return 0, w.refuse(m.FullName()+" needs "+strings.Join(missing, ", ")+" as well", "see SHOW INSERT /*+ REQUIRED */ INTO "+m.Resource)
	}
	return required, nil
}

// setCell is SetColumn for a value of a row. A placeholder from a page of the documentation is a
// fault if it stands in the statement; in answers and tables it is a text.
func (w *write) setCell(b *bind.Binding, column statement.Ident, value any, all []statement.Ident) error {
	if text, ok := value.(string); ok && w.constant() {
		if placeholder, ok := statement.Placeholder(column.Text, text); ok {
			return statement.PlaceholderError(placeholder, column.Pos)
		}
	}
	return b.SetColumn(column, value, all)
}
