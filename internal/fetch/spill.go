package fetch

import (
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/spill"
)

// keptPage is a page in memory or, with a piece, in the file.
type keptPage struct {
	page  *dispatch.Page // without its items if it is in the file
	piece spill.Piece
}

// keep stores a page: in memory if the budget has room for it.
func (f *Fetcher) keep(page *dispatch.Page) (keptPage, error) {
	if page.Keep() {
		return keptPage{page: page}, nil
	}
	defer page.Release()
	data, err := page.Encode()
	if err != nil {
		return keptPage{}, err
	}
	piece, err := f.store.Put(data)
	if err != nil {
		return keptPage{}, err
	}
	return keptPage{page.Without(), piece}, nil
}

// load returns a page that was kept.
func (f *Fetcher) load(kept keptPage) (*dispatch.Page, error) {
	if kept.piece.Len == 0 {
		return kept.page, nil
	}
	data, err := f.store.Get(nil, kept.piece)
	if err != nil {
		return nil, err
	}
	return kept.page.Decode(data)
}
