package engine

import (
	"github.com/lakeql/lakeql/internal/complete"
	"github.com/lakeql/lakeql/internal/statement"
)

// Waits returns what the end of a text waits for; see [statement.Waits].
func (s *Session) Waits(text string) string { return statement.Waits(text) }

// Suggest returns the candidates for the word that ends at the cursor; see [complete.Source].
func (s *Session) Suggest(text string, cursor int) []string {
	return complete.Source{
		Catalogue: s.Catalogue,
		Provider:  s.scope.Provider,
		Service:   s.scope.Service,
		Columns:   s.ResourceColumns,
		Tables: func() []string {
			// An unreadable store has no suggestions; a statement that needs it reports the reason.
			all, _ := s.Stores().Objects()
			names := make([]string, len(all))
			for i := range all {
				names[i] = all[i].Name
			}
			return names
		},
		Settings: func() []string {
			all := settings()
			names := make([]string, len(all))
			for i := range all {
				names[i] = all[i].name
			}
			return names
		},
	}.Suggest(text, cursor)
}
