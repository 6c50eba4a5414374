package dispatch

import (
	"context"
	"io"

	"github.com/lakeql/lakeql/internal/spill"
)

// held is the share of an answer in a store: bytes of its budget, or the turn to be in memory beyond
// the budget. A nil held has no share.
type held struct {
	store *spill.Store
	bytes int64
	turn  bool
}

// release returns the whole share.
func (h *held) release() {
	if h == nil {
		return
	}
	h.store.Give(h.bytes)
	h.bytes = 0
	if h.turn {
		h.turn = false
		h.store.Done()
	}
}

// shrink returns the bytes beyond a number.
func (h *held) shrink(to int64) {
	if h.bytes > to {
		h.store.Give(h.bytes - to)
		h.bytes = to
	}
}

// Keep keeps the page in memory, and reports whether the budget has room for it. If not, the caller must
// store the page elsewhere and release it.
func (p *Page) Keep() bool {
	switch {
	case p.held == nil:
		return true
	case p.held.turn:
		return false
	}
	size := int64(p.Size())
	if more := size - p.held.bytes; more > 0 {
		if !p.held.store.Take(more) {
			return false
		}
		p.held.bytes = size
	}
	if size < p.held.bytes/2 { // it is a small part of the body
		p.items.raw = append([]byte(nil), p.items.raw...)
		p.held.shrink(size)
	}
	return true
}

// Release returns the page's share of its store.
func (p *Page) Release() { p.held.release() }

// body is the body of an answer: in memory, or in pieces of the store's file.
type body struct {
	data   []byte
	pieces []spill.Piece
	length int64
	held   *held
}

// pieceSize is the length of the pieces in which a large answer goes to the file.
const pieceSize = 1 << 20

// blockSize is the length of the blocks in which an answer comes into memory.
const blockSize = 32 << 10

// readWithin reads a body to its end. If the store has no room for it, or if it is large, the body goes
// to the store's file while it arrives.
func readWithin(r io.Reader, announced int64, store *spill.Store) (body, error) {
	if store == nil {
		data, err := readAll(r, announced)
		return body{data: data, length: int64(len(data))}, err
	}
	b := body{held: &held{store: store}}
	// Most answers are small: those of a pipeline have a few rows.
	first := int64(4 << 10)
	if announced >= 0 {
		first = min(announced+1, blockSize) // and one, so that the end is seen at once
	}
	block := make([]byte, 0, first)
	for {
		n, err := r.Read(block[len(block):cap(block)])
		block = block[:len(block)+n]
		b.length += int64(n)
		end := err != nil
		if end && err == io.EOF {
			err = nil
		}
		if err != nil {
			return b, err
		}
		if !end && len(block) < cap(block) {
			continue
		}
		if err := b.take(block); err != nil || end {
			return b, err
		}
		block = block[:0]
		switch {
		case len(b.pieces) > 0 && cap(block) < pieceSize:
			block = make([]byte, 0, pieceSize)
		case cap(block) < blockSize:
			block = make([]byte, 0, blockSize)
		}
	}
}

// take adds a block to the body.
func (b *body) take(block []byte) error {
	size := int64(len(block))
	if len(b.pieces) == 0 && int64(len(b.data))+size <= b.held.store.Small() && b.held.store.Take(size) {
		b.held.bytes += size
		b.data = append(b.data, block...)
		return nil
	}
	for _, part := range [][]byte{b.data, block} {
		if len(part) == 0 {
			continue
		}
		piece, err := b.held.store.Put(part)
		if err != nil {
			return err
		}
		b.pieces = append(b.pieces, piece)
	}
	b.data = nil
	b.held.release()
	return nil
}

// whole brings the body into memory. One that is beyond the budget waits for its turn.
func (b *body) whole(ctx context.Context) ([]byte, error) {
	if len(b.pieces) == 0 {
		return b.data, nil
	}
	if err := b.held.store.Whole(ctx); err != nil {
		return nil, err
	}
	b.held.turn = true
	data := make([]byte, 0, b.length)
	for _, piece := range b.pieces {
		var err error
		if data, err = b.held.store.Get(data, piece); err != nil {
			b.held.release()
			return nil, err
		}
	}
	return data, nil
}
