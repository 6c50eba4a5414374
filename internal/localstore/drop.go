package localstore

import (
	"context"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Drop checks that a table or view exists and can be dropped.
func (r *Runner) Drop(d *statement.Drop) (*Work, error) {
	o, err := r.Stores.object(d.Name.Text)
	switch {
	case err != nil:
		return nil, err
	case o == nil && d.IfExists:
		return nothing(), nil
	case o == nil:
		return nil, noObject(d.Kind, d.Name)
	case ofPipeline(o):
		return nil, provider.Usagef("%s belongs to a pipeline, which has its rows and their history in this store", provider.Printable(o.Name)).
			At(d.Name.Pos).
			Hintf("to be without it, take its SQL file out of the pipeline")
	case o.Kind != d.Kind:
		return nil, otherKind(o, d.Kind, d.Name.Pos)
	case r.writable(o.Backend) != o.Backend:
		return &Work{Run: func(context.Context) (provider.Rows, error) {
			r.noteDryRun()
			r.Stores.gone[o.key()] = true
			return provider.NewRows(nil, nil), nil
		}}, nil
	}
	return r.change(func(ctx context.Context) error { return o.Backend.Drop(ctx, o) }, nil), nil
}
