package spill

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestBudgets takes from a budget that is a part of another one.
func TestBudgets(t *testing.T) {
	t.Parallel()
	whole := NewBudget(100, nil)
	a, b := NewBudget(80, whole), NewBudget(80, whole)
	for i, step := range []struct {
		from *Budget
		n    int64
		want bool
	}{{a, 60, true}, {a, 30, false}, {b, 50, false}, {b, 40, true}, {a, 10, false}} {
		if got := step.from.Take(step.n); got != step.want {
			t.Errorf("step %d: %t", i, got)
		}
	}
	a.Give(60)
	if !b.Take(40) || whole.Used() != 80 || a.Used() != 0 || b.Used() != 80 {
		t.Errorf("used %d, %d of %d", a.Used(), b.Used(), whole.Used())
	}
}

// TestPieces shows that the file has no name, cannot be read without its key, and returns every byte.
func TestPieces(t *testing.T) { // not parallel: it sets TMPDIR
	t.Setenv("TMPDIR", t.TempDir())
	s := New(NewBudget(1<<20, nil))
	texts := []string{strings.Repeat("a secret ", 1000), "short", "", strings.Repeat("another secret ", 3000)}
	var pieces []Piece
	for _, text := range texts {
		p, err := s.Put([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, p)
	}
	for i, p := range pieces {
		if got, err := s.Get([]byte("before "), p); err != nil || string(got) != "before "+texts[i] {
			t.Errorf("piece %d: %d bytes, %v", i, len(got), err)
		}
	}
	data := make([]byte, s.end)
	if _, err := s.file.ReadAt(data[:s.end-16], 0); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("secret")) {
		t.Error("the file can be read")
	}
	if names, err := os.ReadDir(os.TempDir()); err != nil || len(names) > 0 {
		t.Errorf("the file has a name: %v, %v", names, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestWhole shows that one answer at a time is beyond the budget.
func TestWhole(t *testing.T) {
	t.Parallel()
	s := New(NewBudget(1, nil))
	if err := s.Whole(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Whole(ctx); provider.CodeOf(err) != provider.Canceled || !errors.Is(err, context.Canceled) {
		t.Errorf("the second one has its turn: %v", err)
	}
	s.Done()
	if err := s.Whole(t.Context()); err != nil {
		t.Error(err)
	}
}
