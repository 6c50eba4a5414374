package engine

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// planUpdate checks an UPDATE of a resource, or a REPLACE with SET.
func (p *planner) planUpdate(u *statement.Update) (*plan, error) {
	verb := provider.Update
	if u.Replace {
		verb = provider.Replace
	}
	r, err := p.names.reached(u.Table, verb)
	if err != nil {
		return nil, err
	}
	w := &write{session: p.session, env: p.env, position: u.Position, what: "UPDATE " + r.FullName(), done: "updated", returning: u.Returning, subject: r.FullName(), alias: r.Name}
	if u.Replace {
		w.what, w.done = "REPLACE "+r.FullName(), "replaced"
	}
	switch {
	case u.Or != "":
		return nil, w.refuse("OR "+u.Or+" is for tables of the store: the API alone decides what conflicts", "leave OR "+u.Or+" out")
	case u.From != nil:
		return nil, w.refuse("FROM is for tables of the store", "take values from a subquery: SET a = (SELECT …), WHERE id IN (SELECT …)")
	}
	w.await = awaits(u.Hints)
	return w.firstEver(p, r, verb, func(own *write) (*plan, error) {
		if len(u.Set) == 0 && own.method.Body != nil {
			return nil, own.refuse("SET names nothing to change", "name attributes behind SET; see DESCRIBE METHOD "+own.method.FullName())
		}
		for _, set := range u.Set {
			if err := own.settable(own.method, set.Column); err != nil {
				return nil, err
			}
		}
		return own.planTarget(targeted{u.With, u.Where, u.Alias, u.Set})
	})
}

// planDelete checks a DELETE from a resource.
func (p *planner) planDelete(d *statement.Delete) (*plan, error) {
	r, err := p.names.reached(d.From, provider.Delete)
	if err != nil {
		return nil, err
	}
	w := &write{session: p.session, env: p.env, position: d.Position, what: "DELETE FROM " + r.FullName(), done: "deleted", returning: d.Returning, subject: r.FullName(), alias: r.Name}
	w.await = awaits(d.Hints)
	return w.firstEver(p, r, provider.Delete, func(own *write) (*plan, error) {
		return own.planTarget(targeted{d.With, d.Where, d.Alias, nil})
	})
}

// firstEver is firstThatFits for the methods that a verb reaches. If no method takes the values, it
// tries the methods that the name of the resource had in earlier documents.
func (w *write) firstEver(p *planner, r *provider.Resource, verb provider.SQLVerb, try func(*write) (*plan, error)) (*plan, error) {
	err := w.noMethod(r, verb)
	methods := r.MethodsFor(verb)
	if len(methods) > 0 {
		var made *plan
		if made, err = w.firstThatFits(methods, try); err == nil {
			return made, nil
		}
	}
	former, fault := p.session.Catalogue.Formerly(r, verb)
	if former == nil || fault != nil {
		return nil, cmp.Or(fault, err)
	}
	made, fault := w.firstThatFits(former.MethodsFor(verb), try)
	if fault != nil && len(methods) > 0 {
		return nil, err
	} else if fault != nil {
		return nil, fault
	}
	p.names.renamed.add(former.Renamed(verb))
	return made, nil
}

// firstThatFits tries the methods, beginning with the most required parameters, and returns the plan
// of the first method that takes the statement's values. The error is that of the last method, unless
// another method has the columns of the statement and rejects a value.
func (w *write) firstThatFits(methods []*provider.Method, try func(*write) (*plan, error)) (*plan, error) {
	methods = slices.Clone(methods)
	slices.SortStableFunc(methods, func(a, b *provider.Method) int { return len(b.RequiredParams()) - len(a.RequiredParams()) })
	var refused, last error
	for _, m := range methods {
		own := *w
		own.method = m
		p, err := try(&own)
		if err == nil {
			return p, nil
		}
		last = err
		if own.program != nil && refused == nil {
			refused = err
		}
	}
	return nil, cmp.Or(refused, last)
}

// settable checks that SET may name a column: an attribute of the body, a part of one, or a parameter.
func (w *write) settable(m *provider.Method, column statement.Ident) error {
	b, err := w.env.Scope().New(m, w.position, bind.ColumnStyle)
	if err != nil {
		return err
	}
	column.Text = b.Canonical(column.Text)
	if b.IsAttribute(b.Top(column.Text)) || b.IsWhole(column.Text) {
		return nil
	}
	if b.IsParam(column.Text) {
		return nil
	}
	return b.Unknown(column.Text, column.Pos)
}

// targeted is the rest of an UPDATE or DELETE, besides the resource.
type targeted struct {
	with, where *statement.Query
	alias       string
	sets        []statement.Assignment
}

// planTarget plans one call for each row of the target that matches WHERE. The row holds the values
// of SET.
func (w *write) planTarget(t targeted) (*plan, error) {
	if t.alias != "" {
		w.alias = t.alias
	}
	for _, set := range t.sets {
		w.gives = append(w.gives, set.Column)
	}
	var err error
	if w.program, err = vtab.Compile(w.env, w.position, func(p *vtab.Program) (string, error) { return w.targetQuery(p, t) }); err != nil {
		return nil, err
	}
	pos := w.position
	if t.where != nil {
		pos = t.where.Position
	}
	w.bind = func(row []any) (*bind.Binding, error) {
		b, err := w.env.Scope().New(w.method, w.position, bind.ColumnStyle)
		if err != nil {
			return nil, err
		}
		for name, value := range w.program.Target.Given() {
			if err := w.setCell(b, statement.Ident{Text: name, Pos: pos}, value, nil); err != nil {
				return nil, err
			}
		}
		if err := w.pointless(b); err != nil {
			return nil, err
		}
		if err := w.setAll(b, t.sets, row[1:]); err != nil {
			return nil, err
		}
		return b, b.Complete()
	}
	return w.checked()
}

// targetQuery is the query that returns a row for each call, with the values of SET.
func (w *write) targetQuery(p *vtab.Program, t targeted) (string, error) {
	p.SetSubject(w.subject, w.alias)
	if err := p.AddTarget(w.method, t.sets); err != nil {
		return "", err
	}
	var text strings.Builder
	if t.with != nil {
		with, err := p.Rewrite(t.with)
		if err != nil {
			return "", err
		}
		text.WriteString(with + "\n")
	}
	text.WriteString("SELECT 1")
	for _, s := range t.sets {
		value, err := p.Rewrite(s.Value)
		if err != nil {
			return "", err
		}
		text.WriteString(", " + value)
	}
	text.WriteString(" FROM " + sqlite3.QuoteIdentifier(vtab.TargetTable) + " AS " + sqlite3.QuoteIdentifier(w.alias))
	if t.where == nil {
		return text.String(), nil
	}
	condition, err := p.Rewrite(t.where)
	return text.String() + " WHERE " + condition, err
}

// pointless refuses a DELETE without any value, if its method takes one.
func (w *write) pointless(b *bind.Binding) error {
	if w.method.SQLVerb != provider.Delete || !b.IsEmpty() {
		return nil
	}
	var names []string
	for _, p := range w.method.Params {
		if p.Name != "etag" {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	if whole := w.method.NameParam; whole != nil {
		if _, ok := b.Given(whole.Name); ok {
			return nil
		}
	}
	return w.refuse("no WHERE tells what to delete", w.method.FullName()+" takes "+strings.Join(names, ", "))
}

// setAll binds the values of SET. It works out the update mask if the method has one and the
// statement does not supply it.
func (w *write) setAll(b *bind.Binding, sets []statement.Assignment, row []any) error {
	columns := make([]statement.Ident, len(sets))
	for i, set := range sets {
		columns[i] = set.Column
	}
	columns, row, err := b.Unfold(columns, row)
	if err != nil {
		return err
	}
	mask := bind.NewUpdateMask(b, columns)
	for _, i := range bind.Order(columns) {
		if err := w.unclearable(b, columns[i], row[i]); err != nil {
			return err
		}
		column := b.AttributeFirst(columns[i])
		if other, ok := b.Identifies(column.Text, row[i]); ok && other {
			return provider.Usagef("%s: %s identifies the resource to change, and cannot be changed itself", w.what, column.Text).
				At(column.Pos).
				Hintf("compare it in the WHERE")
		} else if ok {
			continue
		}
		if err := w.setCell(b, column, row[i], nil); err != nil {
			return err
		}
	}
	if mask != nil {
		for i, column := range columns {
			if err := mask.Add(b.AttributeFirst(column), bind.JSONValue(row[i])); err != nil {
				return err
			}
		}
		mask.Set()
	}
	return b.AllowParts()
}

// unclearable refuses NULL, and null inside of JSON, for a method without an update mask: the
// attribute would be left out of the body, and nothing would change.
func (w *write) unclearable(b *bind.Binding, column statement.Ident, value any) error {
	if b.Method.SQLVerb != provider.Update || b.MaskName() != "" {
		return nil
	}
	path, null := "", value == nil
	if schema, err := b.Schema(b.AttributeFirst(column).Text); err != nil {
		return err
	} else if schema != nil && schema.Type == "object" && !null {
		path, null = findNull(bind.Unpack(bind.JSONValue(value)))
	}
	if !null {
		return nil
	}
	return provider.Usagef("%s: %s cannot be set to NULL: %s leaves what is not given as it is", w.what, column.Text+path, b.Method.FullName()).
		At(column.Pos).
		Hintf("leave it out, or give it another value, such as an empty one")
}

// findNull finds an attribute of an object that is null, and returns its path with a dot before it.
// It does not look into lists.
func findNull(value any) (string, bool) {
	object, ok := value.(map[string]any)
	if !ok {
		return "", value == nil
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if path, ok := findNull(object[name]); ok {
			return "." + name + path, true
		}
	}
	return "", false
}
