package engine

import (
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Results returns the positions of the statements that return rows; in a dry run these are the
// requests. It does not check the statements further than their grammar.
func (s *Session) Results(text string) ([]provider.Position, error) {
	statements, err := s.used().Parse(text)
	if err != nil {
		return nil, err
	}
	var positions []provider.Position
	for _, st := range statements {
		if returnsRows(st, s.DryRun) {
			positions = append(positions, st.Pos())
		}
	}
	return positions, nil
}

func returnsRows(st statement.Statement, dryRun bool) bool {
	switch st := st.(type) {
	case *statement.Insert:
		return st.Returning != nil || dryRun
	case *statement.Update:
		return st.Returning != nil || dryRun
	case *statement.Delete:
		return st.Returning != nil || dryRun
	case *statement.Create, *statement.Refresh, *statement.Drop, *statement.Set, *statement.Use, *statement.Sleep:
		return false
	}
	return true
}
