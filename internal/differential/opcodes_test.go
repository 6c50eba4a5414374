package differential

import (
	"math/rand/v2"
	"testing"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// TestOpcodesAreKnown fails if SQLite's program for a generated query has an instruction that the package
// bytecode has no entry for.
func TestOpcodesAreKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.session(t, 0)
	base := newGenerator(t, w)
	unknown := map[string]string{} // a query by opcode
	for n := range 2000 {
		g := *base
		g.Rand = rand.New(rand.NewPCG(1, uint64(n)))
		sql := w.onAPI(g.query().sql)
		parsed, err := statement.Parse(sql)
		if err != nil {
			t.Fatal(err)
		}
		env := &vtab.Env{Catalogue: session.Catalogue, Client: session.Client, Account: func() string { return "" }}
		q := parsed[0].(*statement.Query)
		p, err := vtab.Compile(env, provider.Position{}, func(p *vtab.Program) (string, error) { return p.Rewrite(q) })
		if err != nil {
			continue // a query that is refused
		}
		code, err := p.Bytecode()
		if err != nil {
			t.Fatal(err)
		}
		for _, opcode := range code.Unknown() {
			unknown[opcode] = sql
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for opcode, sql := range unknown {
		t.Errorf("the opcode %s is unknown; a query with it: %s", opcode, sql)
	}
}
