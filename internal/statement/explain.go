package statement

import "github.com/lakeql/lakeql/provider"

// Explain shows the steps of a statement or, with ANALYZE, runs it and shows their cost:
// EXPLAIN [ANALYZE] statement. EXPLAIN QUERY PLAN is the same as EXPLAIN.
type Explain struct {
	Position  provider.Position
	Analyze   bool
	Statement Statement // any but another Explain
}

// Pos is where EXPLAIN stands.
func (e *Explain) Pos() provider.Position { return e.Position }

func (p *parser) explain(pos provider.Position) (Statement, error) {
	e := &Explain{Position: pos}
	err := p.next()
	if err != nil {
		return nil, err
	}
	if e.Analyze, err = p.accept("ANALYZE"); err != nil {
		return nil, err
	}
	if !e.Analyze {
		if query, err := p.accept("QUERY"); err != nil {
			return nil, err
		} else if query {
			if !p.keyword("PLAN") {
				return nil, p.unexpected("PLAN after QUERY")
			}
			if err := p.next(); err != nil {
				return nil, err
			}
		}
	}
	if p.token.ends() || p.token.is("EXPLAIN") {
		return nil, p.unexpected("a statement to explain")
	}
	p.token.hints = p.hints // those before it count as well
	e.Statement, err = p.statement()
	return e, err
}
