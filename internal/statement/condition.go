package statement

import (
	"fmt"
	"strings"

	"github.com/xwb1989/sqlparser"

	"github.com/lakeql/lakeql/provider"
)

// Condition is the WHERE of a SHOW: comparisons of columns with strings, numbers and booleans,
// LIKE, IN, IS NULL, joined by AND, OR and NOT.
type Condition struct {
	expr sqlparser.Expr
	pos  provider.Position
}

// where reads WHERE to the end of the statement; nil if the statement has no WHERE.
func (p *parser) where() (*Condition, error) {
	pos := p.token.pos(p.lex)
	found, err := p.accept("WHERE")
	if err != nil || !found {
		return nil, err
	}
	start := p.token.start
	for p.token.typ != ';' && p.token.typ != endOfText {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	parsed, err := sqlparser.Parse("select 1 from t where " + p.lex.text[start:p.token.start])
	if err != nil {
		return nil, provider.Usagef("the condition after WHERE cannot be read: %v", err).At(pos).Because(err)
	}
	query, ok := parsed.(*sqlparser.Select)
	if !ok || query.Where == nil || query.Limit != nil || query.OrderBy != nil || query.GroupBy != nil {
		return nil, provider.Usagef("WHERE of SHOW takes a condition and nothing behind it").At(pos)
	}
	return &Condition{expr: query.Where.Expr, pos: pos}, nil
}

// Match reports whether a row meets the condition. value returns the value of a column by its name, in
// any case, and whether the column exists. LIKE ignores the case of text; other comparisons do not.
func (c *Condition) Match(value func(column string) (string, bool)) (bool, error) {
	return c.match(c.expr, value)
}

func (c *Condition) match(expr sqlparser.Expr, value func(string) (string, bool)) (bool, error) {
	switch expr := expr.(type) {
	case *sqlparser.ParenExpr:
		return c.match(expr.Expr, value)
	case *sqlparser.NotExpr:
		ok, err := c.match(expr.Expr, value)
		return !ok, err
	case *sqlparser.AndExpr:
		left, err := c.match(expr.Left, value)
		if err != nil || !left {
			return false, err
		}
		return c.match(expr.Right, value)
	case *sqlparser.OrExpr:
		left, err := c.match(expr.Left, value)
		if err != nil || left {
			return left, err
		}
		return c.match(expr.Right, value)
	case *sqlparser.IsExpr:
		text, err := c.operand(expr.Expr, value)
		switch expr.Operator {
		case sqlparser.IsNullStr:
			return text == "", err
		case sqlparser.IsNotNullStr:
			return text != "", err
		}
	case *sqlparser.ComparisonExpr:
		return c.compare(expr, value)
	}
	return false, c.unsupported(expr)
}

func (c *Condition) compare(expr *sqlparser.ComparisonExpr, value func(string) (string, bool)) (bool, error) {
	left, err := c.operand(expr.Left, value)
	if err != nil {
		return false, err
	}
	if list, ok := expr.Right.(sqlparser.ValTuple); ok {
		found := false
		for _, item := range list {
			right, err := c.operand(item, value)
			if err != nil {
				return false, err
			}
			found = found || left == right
		}
		return found == (expr.Operator == sqlparser.InStr), nil
	}
	right, err := c.operand(expr.Right, value)
	if err != nil {
		return false, err
	}
	switch expr.Operator {
	case sqlparser.EqualStr:
		return left == right, nil
	case sqlparser.NotEqualStr:
		return left != right, nil
	case sqlparser.LessThanStr:
		return left < right, nil
	case sqlparser.LessEqualStr:
		return left <= right, nil
	case sqlparser.GreaterThanStr:
		return left > right, nil
	case sqlparser.GreaterEqualStr:
		return left >= right, nil
	case sqlparser.LikeStr:
		return Like(right, left), nil
	case sqlparser.NotLikeStr:
		return !Like(right, left), nil
	}
	return false, c.unsupported(expr)
}

func (c *Condition) operand(expr sqlparser.Expr, value func(string) (string, bool)) (string, error) {
	switch expr := expr.(type) {
	case *sqlparser.ColName:
		text, ok := value(expr.Name.String())
		if !ok {
			return "", provider.Usagef("there is no column %s", provider.Quote(expr.Name.String())).
				At(c.pos).
				Hintf("text stands between single quotes")
		}
		return text, nil
	case *sqlparser.SQLVal:
		return string(expr.Val), nil
	case sqlparser.BoolVal:
		return fmt.Sprint(bool(expr)), nil
	}
	return "", c.unsupported(expr)
}

func (c *Condition) unsupported(expr sqlparser.Expr) error {
	return provider.Usagef("WHERE of SHOW cannot work out %s", provider.Quote(sqlparser.String(expr))).
		At(c.pos).
		Hintf("it takes comparisons of columns with values, LIKE, IN, IS NULL, AND, OR and NOT")
}

// Like matches a text with a pattern in which % stands for any characters and _ for one, without
// regard to case, as SQLite's LIKE does.
func Like(pattern, text string) bool {
	return like([]rune(strings.ToLower(pattern)), []rune(strings.ToLower(text)))
}

// like needs to remember only the last %: an earlier one never has to match more text.
func like(pattern, text []rune) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '%':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '_' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '%' {
		p++
	}
	return p == len(pattern)
}
