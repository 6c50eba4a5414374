package engine

import (
	"errors"

	"github.com/lakeql/lakeql/provider"
)

// at gives an error its place in the statement, unless it has one.
func at(err error, pos provider.Position) error {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || e.Position.Line > 0 {
		return err
	}
	placed := *e
	placed.Position = pos
	return &placed
}
