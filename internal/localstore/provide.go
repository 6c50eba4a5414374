package localstore

import (
	"strings"

	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// Provide makes a table or view of the stores part of a program's database, and reports whether the
// stores have it. The name may begin with a schema. While the program runs, it calls missing with the
// gaps of <table>_at(time), or note if it reads how old the rows are.
func (s *Stores) Provide(p *vtab.Program, name string, note, missing Note) (bool, error) {
	schema, rest, _ := strings.Cut(name, ".")
	for _, st := range s.all {
		if name != schema && strings.EqualFold(st.Schema(), schema) {
			return s.provideStore(p, st, rest)
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
func (s *Stores) provide(p *vtab.Program, name string, note Note) (bool, error) {
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
	return s.provideStore(p, o.Backend, o.Name)
}

func provideView(p *vtab.Program, o *Object) (bool, error) {
	if !p.FirstTime(o.key()) {
		return false, nil
	}
	return true, inView(o.Name, p.CreateView(o.Name, o.Columns, o.Definition))
}

// inView adds the name of the view to an error. The position is dropped: it is one in the view's
// text.
func inView(name string, err error) error {
	return provider.Change(err, func(e *provider.Error) {
		e.Position = provider.Position{}
		e.Message = "the view " + provider.Printable(name) + ": " + e.Message
	})
}

// provideStore makes a table of a store part of the database, or all that it can provide at once. The
// session's own tables and views are added before: SQLite finds them first then, as object does.
func (s *Stores) provideStore(p *vtab.Program, st Backend, name string) (bool, error) {
	session := s.all[0]
	if st == session {
		return st.Provide(p, name)
	}
	if _, err := session.Provide(p, ""); err != nil { // SQLite looks into what came first
		return false, err
	}
	added, err := st.Provide(p, name)
	if err != nil || !added {
		return false, err
	}
	own, err := session.Objects()
	if err != nil || len(own) == 0 {
		return true, err
	}
	all, err := s.objects(st)
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

// Provide implements [Backend]: all tables come at once.
func (st *store) Provide(p *vtab.Program, _ string) (bool, error) {
	if there, err := st.exists(); !there || err != nil {
		return false, err
	}
	if !p.FirstTime(st.schema) {
		return false, nil
	}
	return true, st.attach(p.DB)
}
