// Package spill bounds the memory of a statement's answers. Answers beyond the bound go to a temporary
// file. The file is encrypted, because answers may hold credentials.
//
//   - [Budget] counts bytes. Budgets may be nested: one for a statement, one for a process.
//   - [Store] combines the budget of a statement with its file, and keeps answers in pieces ([Piece]).
package spill

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"os"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// UsualMemory is how many bytes of a statement's answers are in memory at once, unless it sets
// another number.
const UsualMemory = 256 << 20

// Budget is a number of bytes that may be in use at once. Make it with [NewBudget].
type Budget struct {
	whole *Budget // that this one is a part of; nil: of none
	limit int64

	mu   sync.Mutex
	used int64
}

// NewBudget makes a budget of so many bytes. Whatever is taken from it is taken from the whole as
// well, such as the budget of a process; nil: there is no other.
func NewBudget(limit int64, whole *Budget) *Budget { return &Budget{limit: limit, whole: whole} }

// Take takes bytes from the budget, and reports whether there are so many.
func (b *Budget) Take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used+n > b.limit || b.whole != nil && !b.whole.Take(n) {
		return false
	}
	b.used += n
	return true
}

// Give returns bytes to the budget.
func (b *Budget) Give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	if b.whole != nil {
		b.whole.Give(n)
	}
}

// Used reports how many bytes are taken.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Store keeps the answers of one statement. Make it with [New], and close it.
type Store struct {
	*Budget

	// whole lets one answer at a time be in memory that the budget has no room for: it has to be
	// read as a whole once.
	whole chan struct{}

	mu    sync.Mutex
	file  *os.File
	end   int64
	block cipher.Block
}

// New makes the store of a statement with a budget.
func New(budget *Budget) *Store { return &Store{Budget: budget, whole: make(chan struct{}, 1)} }

// Small is the length up to which an answer is in memory while it arrives, if there is room.
func (s *Store) Small() int64 { return s.limit / 16 }

// Whole waits for the turn to have an answer in memory beyond the budget. Whoever has it calls
// [Store.Done].
func (s *Store) Whole(ctx context.Context) error {
	select {
	case s.whole <- struct{}{}:
		return nil
	case <-ctx.Done():
		return provider.Stopped(ctx, "the query stopped before its last row, and changed nothing")
	}
}

// Done ends a turn.
func (s *Store) Done() { <-s.whole }

// Piece is a part of the file.
type Piece struct {
	offset int64
	Len    int
}

// Put adds data to the file. It changes data.
func (s *Store) Put(data []byte) (Piece, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		if err := s.open(); err != nil {
			return Piece{}, fault(err)
		}
	}
	offset := s.end
	s.stream(offset).XORKeyStream(data, data)
	if _, err := s.file.WriteAt(data, offset); err != nil {
		return Piece{}, fault(err)
	}
	// The next piece begins in a new block, so that no part of the key stream is used twice.
	s.end += (int64(len(data)) + aes.BlockSize - 1) / aes.BlockSize * aes.BlockSize
	return Piece{offset, len(data)}, nil
}

// Get appends the data of a piece to a slice.
func (s *Store) Get(to []byte, p Piece) ([]byte, error) {
	begin := len(to)
	to = append(to, make([]byte, p.Len)...)
	data := to[begin:]
	if _, err := s.file.ReadAt(data, p.offset); err != nil {
		return nil, fault(err)
	}
	s.stream(p.offset).XORKeyStream(data, data)
	return to, nil
}

// open makes the file and removes its name, if the system allows that.
func (s *Store) open() error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "lakeql-*")
	if err != nil {
		return err
	}
	_ = os.Remove(file.Name()) // where open files cannot be removed, Close does it
	s.file, s.block = file, block
	return nil
}

// stream returns the key stream from an offset that begins a block.
func (s *Store) stream(offset int64) cipher.Stream {
	counter := make([]byte, aes.BlockSize)
	binary.BigEndian.PutUint64(counter[8:], uint64(offset/aes.BlockSize)) //nolint:gosec // no offset is negative
	return cipher.NewCTR(s.block, counter)                                //nolint:gosec // a key for each file, and a counter that never comes twice
}

// Close returns all bytes to the budget, and removes the file.
func (s *Store) Close() error {
	s.Give(s.Used())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if removed := os.Remove(s.file.Name()); removed != nil && !errors.Is(removed, os.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	s.file = nil
	if err != nil {
		return fault(err)
	}
	return nil
}

func fault(err error) error {
	return provider.Internalf("put answers aside in a temporary file: %v", err).
		Hintf("make room in the folder for temporary files, or set TMPDIR to another one").
		Because(err)
}
