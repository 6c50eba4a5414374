package fetch

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"os"
	"sync"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// usualMemory is the memory budget of a statement's answers, unless it sets another. Pages beyond it
// go to a file: a statement may need every answer until its end, and answers have no maximal length.
const usualMemory = 16 << 20

// spill holds the pages of a statement: in memory up to the budget, the rest in a file without a
// name. The file is enciphered with a key that is only in memory, because answers may hold
// credentials. The zero value is empty.
type spill struct {
	mu     sync.Mutex
	memory int // bytes of the pages in memory
	file   *os.File
	end    int64
	block  cipher.Block
}

// keptPage is a page in memory or, with a length, in the file.
type keptPage struct {
	page   *dispatch.Page // without its items where it is in the file
	offset int64
	length int
}

// keep stores a page, in memory while no more than budget bytes are there.
func (s *spill) keep(page *dispatch.Page, budget int) (keptPage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := page.Size()
	if s.memory == 0 || s.memory+size <= budget {
		s.memory += size
		return keptPage{page: page}, nil
	}
	data, err := page.Encode()
	if err != nil {
		return keptPage{}, err
	}
	if s.file == nil {
		if err := s.open(); err != nil {
			return keptPage{}, spillError(err)
		}
	}
	offset := s.end
	s.stream(offset).XORKeyStream(data, data)
	if _, err := s.file.WriteAt(data, offset); err != nil {
		return keptPage{}, spillError(err)
	}
	// The next page begins in a block of its own: no part of the key stream is used twice.
	s.end += (int64(len(data)) + aes.BlockSize - 1) / aes.BlockSize * aes.BlockSize
	return keptPage{page: page.Without(), offset: offset, length: len(data)}, nil
}

// open makes the file and removes its name, if the system allows that.
func (s *spill) open() error {
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
	_ = os.Remove(file.Name()) // where open files cannot be removed, close does it
	s.file, s.block = file, block
	return nil
}

// stream returns the key stream from an offset that begins a block.
func (s *spill) stream(offset int64) cipher.Stream {
	counter := make([]byte, aes.BlockSize)
	binary.BigEndian.PutUint64(counter[8:], uint64(offset/aes.BlockSize)) //nolint:gosec // no offset is negative
	return cipher.NewCTR(s.block, counter)                                //nolint:gosec // a key for each file, and a counter that never comes twice
}

// page returns a page that was kept.
func (s *spill) page(kept keptPage) (*dispatch.Page, error) {
	if kept.length == 0 {
		return kept.page, nil
	}
	data := make([]byte, kept.length)
	if _, err := s.file.ReadAt(data, kept.offset); err != nil {
		return nil, spillError(err)
	}
	s.stream(kept.offset).XORKeyStream(data, data)
	return kept.page.Decode(data)
}

// forget releases a page.
func (s *spill) forget(kept keptPage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory -= kept.page.Size() // one in the file has no items
}

// close releases all pages and removes the file.
func (s *spill) close() error {
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
		return spillError(err)
	}
	return nil
}

func spillError(err error) error {
	return provider.Internalf("put answers aside in a temporary file: %v", err).
		Hintf("make room in the folder for temporary files, or set TMPDIR to another one").
		Because(err)
}
