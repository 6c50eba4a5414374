package pipeline

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// hash identifies values: two rows with the same hash are the same row.
type hash [16]byte

func hashOf(b []byte) hash {
	sum := sha256.Sum256(b)
	return hash(sum[:16])
}

// spooledRow is a row as it waits for the database.
type spooledRow struct {
	key, content hash
	encoded      []byte
}

// spool keeps the rows of one answer until the answer is complete: an incomplete one must not reach the
// database. Rows are in memory up to a limit, then in a file that no other process can open.
type spool struct {
	table *Table
	keys  []int
	names hash // of the columns: values under other names are another row

	held    []byte
	file    *os.File // nil: all is in held
	writer  *bufio.Writer
	rows    int64
	scratch []byte
}

// spoolMemory is how many bytes of an answer are kept in memory.
const spoolMemory = 1 << 20

func newSpool(t *Table) *spool {
	names, _ := json.Marshal(t.Columns) // has no value that cannot be JSON
	return &spool{table: t, keys: t.keyColumns(), names: hashOf(names)}
}

// add takes in a row.
func (s *spool) add(row []any) error {
	b := s.scratch[:0]
	for _, i := range s.keys {
		if row[i] == nil {
			return provider.Usagef("row %d has no %s, which is of the key", s.rows+1, s.table.Columns[i].Name)
		}
		b = appendValue(b, row[i])
	}
	key := hashOf(b)
	b = append(b[:0], s.names[:]...)
	for _, v := range row {
		b = appendValue(b, v)
	}
	s.scratch = b
	content := hashOf(b)
	b = b[len(s.names):]
	head := make([]byte, 0, len(key)+len(content)+binary.MaxVarintLen64)
	head = append(append(head, key[:]...), content[:]...)
	head = binary.AppendUvarint(head, uint64(len(b)))
	s.rows++
	return s.write(head, b)
}

func (s *spool) write(parts ...[]byte) error {
	for _, p := range parts {
		if s.file == nil {
			s.held = append(s.held, p...)
		} else if _, err := s.writer.Write(p); err != nil {
			return spoolError(err)
		}
	}
	if s.file != nil || len(s.held) < spoolMemory {
		return nil
	}
	file, err := os.CreateTemp("", "lakeql-rows-*")
	if err != nil {
		return spoolError(err)
	}
	_ = os.Remove(file.Name()) // where a file that is open can go, nobody else opens it; elsewhere close removes it
	s.file, s.writer = file, bufio.NewWriterSize(file, 1<<16)
	held := s.held
	s.held = nil
	return s.write(held)
}

func spoolError(err error) error {
	return provider.Internalf("put the rows aside: %v", err).
		Hintf("the folder for temporary files, TMPDIR, needs room for the largest answer").
		Because(err)
}

// each returns every row in order. The encoded bytes are valid until the next one.
func (s *spool) each(f func(spooledRow) error) error {
	r := bufio.NewReader(bytes.NewReader(s.held))
	if s.file != nil {
		if err := s.writer.Flush(); err != nil {
			return spoolError(err)
		}
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return spoolError(err)
		}
		r = bufio.NewReaderSize(s.file, 1<<16)
	}
	var buffer []byte
	for {
		var row spooledRow
		if _, err := io.ReadFull(r, row.key[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return spoolError(err)
		}
		if _, err := io.ReadFull(r, row.content[:]); err != nil {
			return spoolError(err)
		}
		size, err := binary.ReadUvarint(r)
		if err != nil {
			return spoolError(err)
		}
		if uint64(cap(buffer)) < size {
			buffer = make([]byte, size)
		}
		row.encoded = buffer[:size]
		if _, err := io.ReadFull(r, row.encoded); err != nil {
			return spoolError(err)
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

// close lets the rows go.
func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()           // nothing in it is needed any more
		_ = os.Remove(s.file.Name()) // it is gone already, where that could be
	}
}

// fill reads the rows of an answer to their end.
func (s *spool) fill(workspace string, rows provider.Rows, next func() ([]any, error)) error {
	given := rows.Columns()
	places := make([]int, 0, len(given)) // of the table's columns; -1: the workspace
	at := 0
	for _, c := range given {
		switch {
		case strings.EqualFold(c.Name, deploymentName):
			places = append(places, -1)
		case at < len(s.table.Columns) && s.table.Columns[at].Name == c.Name:
			places = append(places, at)
			at++
		default:
			return provider.Usagef("the query returns the column %s, which the table does not have there", provider.Quote(c.Name))
		}
	}
	if at < len(s.table.Columns) {
		return provider.Usagef("the query does not give the column %s", s.table.Columns[at].Name)
	}
	row := make([]any, len(s.table.Columns))
	for {
		values, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i, v := range values {
			if places[i] < 0 {
				if told := fmt.Sprint(v); v != nil && told != workspace {
					return provider.Usagef("a row is of the workspace %s, and the query was for %s: leave deployment_name out of it", provider.Quote(told), workspace)
				}
				continue
			}
			if row[places[i]], err = s.table.Columns[places[i]].convert(v); err != nil {
				return err
			}
		}
		if err := s.add(row); err != nil {
			return err
		}
	}
}
