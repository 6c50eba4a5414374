package engine

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/provider"
)

// Arg is a value for a placeholder in a statement.
type Arg = bind.Arg

// bindArgs gives the placeholders of a statement of the program's their values.
func (p *program) bindArgs(stmt *sqlite3.Stmt) error {
	for i := range stmt.BindCount() {
		n := i + 1
		name := stmt.BindName(n)
		value, ok := p.env.Args.Numbered(n, name)
		if !ok {
			if name == "" {
				name = fmt.Sprintf("?%d", n)
			}
			return &provider.Error{Code: provider.Usage, Message: "no value for the placeholder " + name, Position: p.position}
		}
		if err := bindValue(stmt, n, value); err != nil {
			return err
		}
	}
	return nil
}
