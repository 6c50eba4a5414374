package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// planDrop checks that a table or view is there to be dropped.
func (s *Session) planDrop(d *statement.Drop) (*plan, error) {
	o, err := s.object(d.Name.Text)
	switch {
	case err != nil:
		return nil, err
	case o == nil && d.IfExists:
		return s.nothing(), nil
	case o == nil:
		return nil, noObject(d.Kind, d.Name)
	case s.ofPipeline(o):
		return nil, &provider.Error{
			Code: provider.Usage, Position: d.Name.Pos,
			Message: provider.Printable(o.name) + " belongs to a pipeline, which has its rows and their history in this store",
			Hint:    "to be without it, take its SQL file out of the pipeline",
		}
	case o.kind != d.Kind:
		return nil, otherKind(o, d.Kind, d.Name.Pos)
	case s.writable(o.store) != o.store:
		return &plan{run: func(context.Context) (provider.Rows, error) {
			s.note("a dry run changes nothing")
			o.store.gone[strings.ToLower(o.name)] = true
			return provider.NewRows(nil, nil), nil
		}}, nil
	}
	return s.planChange(o.store, o.drop, nil), nil
}

func (o *object) drop(db *sqlite3.Conn) error {
	stmt, _, err := db.Prepare("DELETE FROM " + o.store.schema + "." + objectsTable + " WHERE name = ?")
	if err != nil {
		return o.store.fault(err)
	}
	if err := errors.Join(stmt.BindText(1, o.name), stmt.Exec(), stmt.Close()); err != nil {
		return o.store.fault(err)
	}
	if o.kind != statement.View {
		return dropTable(db, o.store, o.name)
	}
	if err := db.Exec("DROP VIEW IF EXISTS " + o.inStore()); err != nil { // one that SQLite has itself
		return o.store.fault(err)
	}
	return nil
}

// noObject is the error that the stores have nothing of that name.
func noObject(kind statement.ObjectKind, name statement.Ident) error {
	return &provider.Error{
		Code:     provider.Unknown,
		Message:  fmt.Sprintf("there is no %s %s", strings.ToLower(string(kind)), provider.Quote(name.Text)),
		Hint:     "see SHOW TABLES, SHOW VIEWS, SHOW MATERIALIZED VIEWS",
		Position: name.Pos,
	}
}

// otherKind is the error that something is of another kind than the statement says.
func otherKind(o *object, kind statement.ObjectKind, pos provider.Position) error {
	return &provider.Error{
		Code:     provider.Usage,
		Message:  fmt.Sprintf("%s is a %s", provider.Printable(o.name), strings.ToLower(string(o.kind))),
		Hint:     "write " + string(o.kind) + " instead of " + string(kind),
		Position: pos,
	}
}
