package engine

import (
	"errors"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// supply makes the table part of the program's database that SQLite said it does not know, and reports
// whether the stores have it.
func (p *program) supply(unknown error) (bool, error) {
	name, ok := missingTable(unknown)
	if !ok {
		return false, nil
	}
	schema, _, _ := strings.Cut(name, ".")
	for _, st := range p.session.open() {
		if name != schema && strings.EqualFold(st.schema, schema) {
			if there, err := st.exists(); !there || err != nil {
				return false, err
			}
			return p.provideStore(st)
		}
	}
	return p.provide(name)
}

// missingTable reads from an error of SQLite's which table it does not know.
func missingTable(err error) (name string, ok bool) {
	_, name, ok = strings.Cut(err.Error(), "no such table: ")
	return name, ok
}

// provide makes a table or view of the stores part of the program's database, and reports whether
// there is one of that name which was not part of it yet.
func (p *program) provide(name string) (bool, error) {
	o, err := p.session.object(name)
	if err != nil {
		return false, err
	}
	if o == nil {
		return p.provideAt(name)
	}
	if o.isQuery() {
		return p.provideView(o)
	}
	return p.provideStore(o.store)
}

// isQuery reports whether the object is a view that the list of its store alone knows.
func (o *object) isQuery() bool { return o.kind == statement.View && o.definition != "" }

func (p *program) provideView(o *object) (bool, error) {
	if !p.isNew(o.store.schema + "." + strings.ToLower(o.name)) {
		return false, nil
	}
	return true, inView(o.name, p.createView(o.name, o.columns, o.definition))
}

// inView says which view an error is about. It has no place in the statement that names the view.
func inView(name string, err error) error {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		return err
	}
	told := *e
	told.Position = provider.Position{}
	told.Message = "the view " + provider.Printable(name) + ": " + e.Message
	return &told
}

// provideStore makes all tables of a store part of the database. What the session has of its own goes
// before them, as it does where they are not part of it.
func (p *program) provideStore(st *store) (bool, error) {
	if !p.isNew(st.schema) {
		return false, nil
	}
	session := p.session.open()[0]
	if st == session {
		return true, st.attach(p.db)
	}
	if _, err := p.provideStore(session); err != nil { // SQLite looks into what came first
		return false, err
	}
	if err := st.attach(p.db); err != nil {
		return false, err
	}
	own, err := session.objects()
	if err != nil {
		return false, err
	}
	all, err := st.list(p.db)
	if err != nil {
		return false, err
	}
	for i := range own {
		if own[i].isQuery() && find(all, own[i].name) != nil {
			if _, err := p.provideView(&own[i]); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// isNew reports whether something of the stores was not part of the database until now.
func (p *program) isNew(key string) bool {
	if p.provided[key] {
		return false
	}
	if p.provided == nil {
		p.provided = map[string]bool{}
	}
	p.provided[key] = true
	return true
}
