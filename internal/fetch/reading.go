package fetch

import (
	"context"
	"errors"
	"io"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// Reading is one reader's place in an answer.
type Reading struct {
	// Wanted marks the columns of the answer that rows must hold; nil: all.
	Wanted []bool
	// Arrived makes the rows end with the last page that is there: no page is fetched.
	Arrived bool
	// OnRow, if set, is called before each row.
	OnRow func()

	answer *Answer
	page   *dispatch.Page
	number int // of the page after the one at hand
	at     int // of the next row in page
	ended  func(error) error
}

// Read starts to read an answer. It waits for the first page, so that it can report an error of the
// API. At the end of the rows, Read passes io.EOF or the error to ended; the reader gets the result of
// ended. The reading is nil if there are no rows. With single, the answer that the resource does not
// exist also counts as no rows.
func (a *Answer) Read(ctx context.Context, single bool, ended func(error) error) (*Reading, error) {
	page, err := a.page(ctx, 0)
	if e, ok := errors.AsType[*provider.Error](err); ok && e.Absent && single {
		return nil, nil //nolint:nilnil // no rows
	}
	if err != nil {
		err = ended(err)
	}
	if errors.Is(err, io.EOF) {
		return nil, nil //nolint:nilnil // no rows
	}
	if err != nil {
		return nil, err
	}
	return &Reading{answer: a, page: page, number: 1, ended: ended}, nil
}

// Next returns the next row, and io.EOF after the last.
func (r *Reading) Next(ctx context.Context) ([]any, error) {
	if r.OnRow != nil {
		r.OnRow()
	}
	for r.page == nil || r.at >= r.page.Len() {
		if r.Arrived && !r.answer.Has(r.number) {
			return nil, io.EOF
		}
		page, err := r.answer.page(ctx, r.number)
		if err != nil {
			return nil, r.ended(err)
		}
		r.page, r.at = page, 0
		r.number++
	}
	row, err := r.page.Row(r.at, r.Wanted)
	if err != nil {
		return nil, r.ended(err)
	}
	r.at++
	return row, nil
}

// Whole returns the row at hand with all of its columns.
func (r *Reading) Whole() ([]any, error) { return r.page.Row(r.at-1, nil) }
