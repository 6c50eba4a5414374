package checks

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/template"
	"github.com/lakeql/lakeql/provider"
)

// Outcome is how a check came out.
type Outcome string

// The outcomes of a check.
const (
	// Pass: the query returned what is expected, from rows that are all fresh.
	Pass Outcome = "pass"
	// Fail: it returned failing rows, or a number out of bounds.
	Fail Outcome = "fail"
	// Unknown: rows that the query reads are old or missing, and nothing that it returned decides.
	Unknown Outcome = "unknown"
	// Broken: the query failed, or its rows do not fit the check.
	Broken Outcome = "error"
)

// Reader runs queries over the tables of a store. It changes nothing, and calls no API.
type Reader interface {
	// ReadStore hands the rows of a query to read. gaps say which of the rows that the query reads are old
	// or missing.
	ReadStore(ctx context.Context, query string, read func(provider.Rows) error) (gaps []string, err error)
	// Left names the workspaces that left: their rows stay in the store, and nobody can do anything about them.
	Left(ctx context.Context) ([]string, error)
}

// workspaceColumn is the column of a failing row that names its workspace.
const workspaceColumn = "deployment_name"

// Limits bound the evaluation of a check. A zero value stands for the default.
type Limits struct {
	Time time.Duration // a minute
	Rows int           // that fail and are kept: 10,000
}

// The default limits, and those that cannot be set.
const (
	DefaultTime = time.Minute
	defaultRows = 10_000
	// mostBytes is how many bytes the rows of a check may have together, and longestValue one value of them.
	mostBytes    = 8 << 20
	longestValue = 4096
	// longestMessage is how many bytes the message of a row may have.
	longestMessage = 1000
	messageSteps   = 10_000
)

// Result is the outcome of a check, with the rows that fail.
type Result struct {
	Check   *Check
	Outcome Outcome
	At      time.Time
	Took    time.Duration
	// Rows are the failing rows, in the order of the query. More: there are more than the limits let in.
	Rows []Row
	More bool
	// Number is what the query returned, if the check has bounds.
	Number json.Number
	// Gaps say which rows of the tables are old or missing.
	Gaps []string
	// Err is why the outcome is Broken.
	Err error
}

// Row is a failing row.
type Row struct {
	// Key identifies the row among those of its check, from one run to the next.
	Key     string
	Message string
	Values  Values
}

// Evaluate runs the query of a check, which has its variables filled in. It reports its errors in the
// result, but for the end of the context.
func (c *Check) Evaluate(ctx context.Context, query string, reader Reader, limits Limits) (*Result, error) {
	began := time.Now()
	r := &Result{Check: c, At: began.UTC()}
	allowed := cmp.Or(limits.Time, DefaultTime)
	limited, stop := context.WithTimeout(ctx, allowed)
	defer stop()
	left := sync.OnceValues(func() ([]string, error) { return reader.Left(limited) }) // most checks have no failing row
	var err error
	r.Gaps, err = reader.ReadStore(limited, query, func(rows provider.Rows) error {
		if c.Expect.Number() {
			return r.readNumber(limited, rows)
		}
		return r.readRows(limited, rows, left, cmp.Or(limits.Rows, defaultRows))
	})
	r.Took = time.Since(began)
	if ctx.Err() != nil {
		return nil, provider.Stopped(ctx, "the checks were not evaluated to their end")
	}
	if err != nil && limited.Err() != nil {
		err = provider.Errorf(provider.API, "the query takes longer than %s", allowed).
			Hintf("check_timeout in pipeline.yaml sets another limit").Because(err)
	}
	switch {
	case err != nil:
		r.Outcome, r.Err, r.Rows = Broken, c.Shift(err), nil
	case c.Expect.Number() && len(r.Gaps) > 0: // the rows that are missing count, too
		r.Outcome, r.Rows = Unknown, nil
	case len(r.Rows) > 0:
		r.Outcome = Fail
	case len(r.Gaps) > 0:
		r.Outcome = Unknown
	default:
		r.Outcome = Pass
	}
	return r, nil
}

// readNumber reads the one number of a check with bounds. It becomes a failing row if it is out of bounds.
func (r *Result) readNumber(ctx context.Context, rows provider.Rows) error {
	row, err := rows.Next(ctx)
	if errors.Is(err, io.EOF) {
		return provider.Usagef("the query returns no row, and the check expects one number: %s", r.Check.Expect)
	}
	if err != nil {
		return err
	}
	number, ok := number(row[0])
	if !ok {
		return provider.Usagef("the first column, %s, is %s and no number: the check expects one %s",
			provider.Quote(rows.Columns()[0].Name), provider.Quote(shorten(text(row[0]), 100)), r.Check.Expect)
	}
	value, _ := number.Float64() // is one
	if _, err := rows.Next(ctx); !errors.Is(err, io.EOF) {
		return cmp.Or(err, error(provider.Usagef("the query returns more than one row, and the check expects one number: %s", r.Check.Expect)))
	}
	r.Number = number
	made, err := r.Check.row(ctx, rows.Columns(), row)
	if err != nil || r.Check.Expect.holds(value) {
		return err
	}
	made.Key = hashed("number")
	r.Rows = []Row{made}
	return nil
}

// readRows reads the failing rows. Those of workspaces that left do not count.
func (r *Result) readRows(ctx context.Context, rows provider.Rows, left func() ([]string, error), most int) error {
	columns := rows.Columns()
	workspace := slices.IndexFunc(columns, func(c provider.Column) bool { return c.Name == workspaceColumn })
	for _, k := range r.Check.Key {
		if !slices.ContainsFunc(columns, func(c provider.Column) bool { return c.Name == k }) {
			return provider.Usagef("the key names the column %s, which the query does not return", provider.Quote(k))
		}
	}
	size, seen := 0, map[string]int{}
	for {
		row, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if workspace >= 0 {
			gone, err := left()
			if err != nil {
				return err
			}
			if slices.Contains(gone, text(row[workspace])) {
				continue
			}
		}
		if len(r.Rows) == most || size > mostBytes {
			r.More = true
			return nil
		}
		made, err := r.Check.row(ctx, columns, row)
		if err != nil {
			return err
		}
		n := seen[made.Key]
		if seen[made.Key]++; n > 0 {
			if len(r.Check.Key) > 0 {
				return provider.Usagef("two rows have the same key, %s", strings.Join(r.Check.Key, ", ")).
					Hintf("name more columns: -- key: %s, …", strings.Join(r.Check.Key, ", "))
			}
			made.Key = hashed(made.Key, strconv.Itoa(n)) // rows that are equal are several
		}
		size += len(made.Message) + made.Values.size()
		r.Rows = append(r.Rows, made)
	}
	if len(r.Rows) > 0 {
		return nil
	}
	// A message that names a column which there is not is found now, and not when the check fails first.
	_, err := r.Check.row(ctx, columns, make([]any, len(columns)))
	return err
}

// row makes a failing row.
func (c *Check) row(ctx context.Context, columns []provider.Column, row []any) (Row, error) {
	values := make(Values, len(columns))
	var key []string
	for i, column := range columns {
		values[i] = Value{column.Name, Bounded(row[i])}
		if len(c.Key) == 0 || slices.Contains(c.Key, column.Name) {
			key = append(key, column.Name, strconv.FormatBool(row[i] == nil), text(row[i]))
		}
	}
	message, err := c.message(ctx, values)
	return Row{Key: hashed(key...), Message: message, Values: values}, err
}

// hashed is a short text for a list of texts.
func hashed(parts ...string) string {
	list, _ := json.Marshal(parts) // are texts
	sum := sha256.Sum256(list)
	return hex.EncodeToString(sum[:16])
}

// message fills in the message of a row.
func (c *Check) message(ctx context.Context, values Values) (string, error) {
	if c.Message == "" {
		parts := make([]string, len(values))
		for i, v := range values {
			parts[i] = v.Name + " = " + shorten(text(v.Value), 100)
		}
		return shorten(strings.Join(parts, ", "), longestMessage), nil
	}
	functions, named := template.Functions{}, map[string]string{}
	for _, v := range values {
		value := text(v.Value)
		functions[v.Name], named[v.Name] = func() string { return value }, value
	}
	for name := range functions {
		if !identifier(name) { // which would be a panic of text/template
			delete(functions, name)
		}
	}
	filled, err := template.Fill(ctx, "message", c.Message, functions, named, template.Limits{Size: 64 << 10, Steps: messageSteps})
	if err != nil {
		columns := make([]string, len(values))
		for i, v := range values {
			columns[i] = v.Name
		}
		return "", provider.Usagef("fill in the message: %s", provider.Printable(err.Error())).
			Hintf("{{ name }} is a column of the failing row: %s", strings.Join(columns, ", ")).
			Because(err)
	}
	return shorten(filled, longestMessage), nil
}

// identifier reports whether text/template takes a name for that of a function.
func identifier(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}
