package localstore

import (
	"strings"

	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// Provide makes a table or view of the stores part of a program's database, and reports whether the
// stores have it. The name may begin with a schema. While the program runs, it calls missing with the
// gaps of <table>_at(time), or note if it reads how old the rows are.
func (s *Stores) Provide(p *vtab.Program, name string, note, missing func(format string, args ...any)) (bool, error) {
	schema, _, _ := strings.Cut(name, ".")
	for _, st := range s.all {
		if name != schema && strings.EqualFold(st.schema, schema) {
			if there, err := st.exists(); !there || err != nil {
				return false, err
			}
			return s.provideStore(p, st)
		}
	}
	return s.provide(p, name, func(format string, args ...any) {
		if readsAge(p) {
			note(format, args...)
		} else {
			missing(format, args...)
		}
	})
}

// provide makes a table or view of the stores part of the program's database, and reports whether
// one of that name was added.
func (s *Stores) provide(p *vtab.Program, name string, note func(format string, args ...any)) (bool, error) {
	o, err := s.object(name)
	if err != nil {
		return false, err
	}
	if o == nil {
		return s.provideAt(p, name, note)
	}
	if o.isQuery() {
		return provideView(p, o)
	}
	return s.provideStore(p, o.store)
}

func provideView(p *vtab.Program, o *Object) (bool, error) {
	if !p.FirstTime(o.store.schema + "." + strings.ToLower(o.Name)) {
		return false, nil
	}
	return true, inView(o.Name, p.CreateView(o.Name, o.columns, o.Definition))
}

// inView adds the name of the view to an error. The position is dropped: it is one in the view's
// text.
func inView(name string, err error) error {
	return provider.Change(err, func(e *provider.Error) {
		e.Position = provider.Position{}
		e.Message = "the view " + provider.Printable(name) + ": " + e.Message
	})
}

// provideStore makes all tables of a store part of the database. The session's own tables and views
// are added before: SQLite finds them first then, as object does.
func (s *Stores) provideStore(p *vtab.Program, st *store) (bool, error) {
	if !p.FirstTime(st.schema) {
		return false, nil
	}
	session := s.all[0]
	if st == session {
		return true, st.attach(p.DB)
	}
	if _, err := s.provideStore(p, session); err != nil { // SQLite looks into what came first
		return false, err
	}
	if err := st.attach(p.DB); err != nil {
		return false, err
	}
	own, err := session.objects()
	if err != nil {
		return false, err
	}
	all, err := st.list(p.DB)
	if err != nil {
		return false, err
	}
	for i := range own {
		if own[i].isQuery() && find(all, own[i].Name) != nil {
			if _, err := provideView(p, &own[i]); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}
