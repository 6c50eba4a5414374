package localstore

import (
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// Refresh checks that a materialized view can be filled anew.
func (r *Runner) Refresh(st *statement.Refresh) (*Work, error) {
	o, err := r.Stores.object(st.Name.Text)
	switch {
	case err != nil:
		return nil, err
	case o == nil:
		return nil, noObject(statement.MaterializedView, st.Name)
	case o.Kind != statement.MaterializedView:
		return nil, provider.Usagef("%s is a %s, and only materialized views are refreshed", provider.Printable(o.Name), strings.ToLower(string(o.Kind))).
			At(st.Name.Pos)
	}
	as, err := vtab.ParseView(o.Name, o.Definition)
	if err != nil {
		return nil, provider.At(err, st.Position)
	}
	p, err := vtab.Compile(r.Env, provider.Position{}, func(p *vtab.Program) (string, error) { return p.Rewrite(as) })
	if err != nil {
		return nil, provider.At(inView(o.Name, err), st.Position)
	}
	names, err := o.Backend.Columns(o)
	if err == nil && len(names) == len(p.Columns) {
		for i, name := range names {
			p.Columns[i].Name = name
		}
	}
	if err == nil {
		err = inView(o.Name, p.CheckKept())
	}
	if err == nil {
		err = distinct(p.Columns, st.Position)
	}
	if err == nil {
		err = provider.At(o.Backend.Check(o.Name, p.Columns), st.Name.Pos)
	}
	if err != nil {
		_ = p.Close() // the error at hand counts
		return nil, err
	}
	old := *o
	o.Backend = r.writable(o.Backend)
	f := &Filling{Object: o, position: st.Position, as: as, Columns: p.Columns, Admit: func(all []Object) (bool, error) {
		if there := find(all, old.Name); !r.DryRun && (there == nil || there.Kind != old.Kind || there.Definition != old.Definition) {
			return false, provider.Usagef("%s was changed or dropped meanwhile", provider.Printable(old.Name)).
				At(st.Name.Pos)
		}
		return false, nil
	}}
	return r.materialize(f, p), nil
}

// Columns implements [Backend].
func (st *store) Columns(o *Object) ([]string, error) {
	var names []string
	err := st.use(func(db *sqlite3.Conn) error {
		stmt, err := sandbox.Prepare(db, "SELECT * FROM "+st.named(o.Name))
		if err != nil {
			return st.fault(err)
		}
		for i := range stmt.ColumnCount() {
			names = append(names, stmt.ColumnName(i))
		}
		return stmt.Close()
	})
	return names, err
}
