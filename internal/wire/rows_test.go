package wire

import (
	"context"
	"errors"
	"io"

	"github.com/lakeql/lakeql/provider"
)

// rows are rows of ours, read to the end.
type rows struct {
	columns []provider.Column
	values  [][]any
}

func readRows(ctx context.Context, from provider.Rows) (*rows, error) {
	read := &rows{columns: from.Columns()}
	for {
		row, err := from.Next(ctx)
		if errors.Is(err, io.EOF) {
			return read, from.Close()
		}
		if err != nil {
			return nil, errors.Join(err, from.Close())
		}
		read.values = append(read.values, row)
	}
}
