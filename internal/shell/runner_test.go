package shell_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// fakeRunner knows a few statements:
//
//	three   returns three rows
//	none    returns rows without columns
//	echo …  returns the statement unchanged
//	USE x   makes x what USE chose
//	fail    fails
//	half    returns a row and then fails
//	pause   calls the function of that name
//	block   reports that it runs, and ends only with its context
//
// Statements end with a semicolon, at any place.
type fakeRunner struct {
	used string // by USE

	err            io.Writer
	opened, closed int // how many rows
	pause          func()
}

func (r *fakeRunner) Run(ctx context.Context, text string) iter.Seq2[provider.Rows, error] {
	return func(yield func(provider.Rows, error) bool) {
		for statement := range strings.SplitSeq(text, ";") {
			statement = strings.TrimSpace(statement)
			if statement == "" {
				continue
			}
			rows, err := r.statement(statement)
			if ctx.Err() != nil {
				rows, err = nil, ctx.Err()
			}
			if !yield(rows, err) || err != nil {
				return
			}
		}
	}
}

func (r *fakeRunner) statement(text string) (provider.Rows, error) {
	column := []provider.Column{{Name: "n"}}
	switch verb, _, _ := strings.Cut(text, " "); verb {
	case "three":
		return r.rows(column, [][]any{{int64(1)}, {int64(2)}, {int64(3)}}, nil), nil
	case "none":
		return r.rows(nil, nil, nil), nil
	case "half":
		return r.rows(column, [][]any{{int64(1)}}, errors.New("it broke off")), nil
	case "pause":
		r.pause()
		return r.rows(nil, nil, nil), nil
	case "block":
		return &blockingRows{r}, nil
	case "USE":
		r.used = strings.TrimPrefix(text, "USE ")
		return r.rows(nil, nil, nil), nil
	case "fail":
		return nil, &provider.Error{Code: provider.API, Message: "it failed"}
	}
	return r.rows(column, [][]any{{text}}, nil), nil
}

func (r *fakeRunner) rows(columns []provider.Column, rows [][]any, err error) provider.Rows {
	r.opened++
	return &countedRows{provider.NewRows(columns, rows), r, err}
}

func (r *fakeRunner) Waits(text string) string {
	switch {
	case strings.Count(text, "'")%2 == 1:
		return "'"
	case !strings.HasSuffix(strings.TrimSpace(text), ";"):
		return ";"
	}
	return ""
}

func (r *fakeRunner) Used() string { return r.used }

func (*fakeRunner) Interpolate(text string, value func(string) (string, bool)) string {
	return statement.Interpolate(text, value)
}

func (*fakeRunner) HasSetting(name string) bool { return name == "page_limit" }

func (r *fakeRunner) Kept(text string, _ func(string) bool) string {
	if text == "hunter2;" {
		return ""
	}
	return strings.ReplaceAll(text, "hunter2", "****")
}

func (r *fakeRunner) Suggest(text string, cursor int) []string {
	before := text[:cursor]
	switch {
	case strings.Contains(before, "\n"):
		return []string{"second_line"}
	case strings.Contains(before, "lake."):
		return []string{"postgres", "pipelines", "evil\x1b[2J"}
	}
	return []string{"SELECT", "SHOW", "lake"}
}

// countedRows reports to its runner when it is closed.
type countedRows struct {
	provider.Rows
	runner *fakeRunner
	err    error
}

func (r *countedRows) Next(ctx context.Context) ([]any, error) {
	row, err := r.Rows.Next(ctx)
	if err != nil && r.err != nil {
		return nil, r.err
	}
	return row, err
}

func (r *countedRows) Close() error {
	r.runner.closed++
	return nil
}

type blockingRows struct{ runner *fakeRunner }

func (r *blockingRows) Columns() []provider.Column { return []provider.Column{{Name: "n"}} }

func (r *blockingRows) Next(ctx context.Context) ([]any, error) {
	_, _ = fmt.Fprintln(r.runner.err, "blocked now")
	<-ctx.Done()
	return nil, ctx.Err()
}

func (r *blockingRows) Close() error { return nil }
