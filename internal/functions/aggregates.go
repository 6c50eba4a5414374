package functions

import (
	"errors"
	"math"

	"github.com/ncruces/go-sqlite3"
)

// aggregate is a function of the rows of a group.
type aggregate struct {
	name  string
	args  int
	start func() sqlite3.AggregateFunction
}

func aggregates() []aggregate {
	list := func() sqlite3.AggregateFunction { return &collected{} }
	object := func() sqlite3.AggregateFunction { return &collected{object: true} }
	truth := func(all bool) func() sqlite3.AggregateFunction {
		return func() sqlite3.AggregateFunction { return &allTrue{all: all} }
	}
	spread := func(sample, root bool) func() sqlite3.AggregateFunction {
		return func() sqlite3.AggregateFunction { return &spread{sample: sample, root: root} }
	}
	return []aggregate{
		{"json_agg", 1, list},
		{"jsonb_agg", 1, list},
		{"json_object_agg", 2, object},
		{"jsonb_object_agg", 2, object},
		{"bool_and", 1, truth(true)},
		{"every", 1, truth(true)},
		{"bool_or", 1, truth(false)},
		{"stddev", 1, spread(true, true)},
		{"stddev_samp", 1, spread(true, true)},
		{"stddev_pop", 1, spread(false, true)},
		{"variance", 1, spread(true, false)},
		{"var_samp", 1, spread(true, false)},
		{"var_pop", 1, spread(false, false)},
		{"lakeql_string_agg_distinct", 2, func() sqlite3.AggregateFunction { return &joinedTexts{seen: map[string]bool{}} }},
	}
}

// mostCollected bounds the items that an aggregate keeps in memory, which is not SQLite's.
const mostCollected = 64 << 20

// collected is json_agg(x) and json_object_agg(name, x).
type collected struct {
	object  bool
	members []member
	size    int
	err     error
}

// Step adds a row.
func (c *collected) Step(ctx sqlite3.Context, args ...sqlite3.Value) {
	m := member{value: embedded(args[len(args)-1])}
	if c.object {
		if args[0].Type() == sqlite3.NULL {
			c.err = errors.New("json_object_agg: a name is NULL")
		}
		m.name = args[0].Text()
	}
	c.size += len(m.name) + len(args[len(args)-1].RawText())
	if c.size > mostCollected {
		c.err = errors.New("json_agg: the result becomes too long")
	}
	if c.err != nil {
		ctx.ResultError(c.err)
		return
	}
	c.members = append(c.members, m)
}

// Value is the JSON of the rows; NULL without any.
func (c *collected) Value(ctx sqlite3.Context) {
	if c.err != nil {
		ctx.ResultError(c.err)
		return
	}
	if len(c.members) == 0 {
		ctx.ResultNull()
		return
	}
	var made any
	var err error
	if c.object {
		made, err = encodeObject(c.members)
	} else {
		items := make([]any, len(c.members))
		for i, m := range c.members {
			items[i] = m.value
		}
		made, err = encodeJSON(items)
	}
	if err != nil {
		ctx.ResultError(err)
		return
	}
	result(ctx, made)
}

// allTrue is bool_and and bool_or.
type allTrue struct {
	all        bool
	any, truth bool
}

// Step adds a row.
func (a *allTrue) Step(_ sqlite3.Context, args ...sqlite3.Value) {
	if args[0].Type() == sqlite3.NULL {
		return
	}
	truth := args[0].Bool()
	switch {
	case !a.any:
		a.truth = truth
	case a.all:
		a.truth = a.truth && truth
	default:
		a.truth = a.truth || truth
	}
	a.any = true
}

// Value is the result; NULL without rows.
func (a *allTrue) Value(ctx sqlite3.Context) {
	if !a.any {
		ctx.ResultNull()
		return
	}
	ctx.ResultBool(a.truth)
}

// spread is the variance and the standard deviation, by Welford's method.
type spread struct {
	sample, root   bool
	n, mean, moved float64
}

// Step adds a row.
func (s *spread) Step(_ sqlite3.Context, args ...sqlite3.Value) {
	if args[0].Type() == sqlite3.NULL {
		return
	}
	x := args[0].Float()
	s.n++
	delta := x - s.mean
	s.mean += delta / s.n
	s.moved += delta * (x - s.mean)
}

// Value is the result; NULL for too few rows.
func (s *spread) Value(ctx sqlite3.Context) {
	n := s.n
	if s.sample {
		n--
	}
	if s.n == 0 || n <= 0 {
		ctx.ResultNull()
		return
	}
	if v := s.moved / n; s.root {
		ctx.ResultFloat(math.Sqrt(v))
	} else {
		ctx.ResultFloat(v)
	}
}

// joinedTexts is string_agg(DISTINCT x, separator).
type joinedTexts struct {
	seen map[string]bool
	text []byte
	any  bool
	err  error
}

// Step adds a row.
func (j *joinedTexts) Step(ctx sqlite3.Context, args ...sqlite3.Value) {
	text := args[0].Text()
	if args[0].Type() == sqlite3.NULL || j.seen[text] {
		return
	}
	if len(j.text)+len(text) > mostCollected {
		j.err = errors.New("string_agg: the result becomes too long")
		ctx.ResultError(j.err)
		return
	}
	j.seen[text] = true
	if j.any {
		j.text = append(j.text, args[1].RawText()...)
	}
	j.text = append(j.text, text...)
	j.any = true
}

// Value is the text; NULL without rows.
func (j *joinedTexts) Value(ctx sqlite3.Context) {
	switch {
	case j.err != nil:
		ctx.ResultError(j.err)
	case !j.any:
		ctx.ResultNull()
	default:
		ctx.ResultText(string(j.text))
	}
}
