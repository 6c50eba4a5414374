package pipeline

import (
	"path/filepath"
	"testing"
	"time"
)

// TestBudgetIsLostInTime shows that a worker does not keep the calls that it took and did not make: many
// workers would send theirs at once when the next run begins.
func TestBudgetIsLostInTime(t *testing.T) {
	const rate = 20
	store, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "store.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	b := &budgets{store: store}
	if err := b.take(t.Context(), "dbc-1", rate); err != nil {
		t.Fatal(err)
	}
	own := b.all["dbc-1"]
	if own.left != 4 || time.Until(own.next) > leased {
		t.Fatalf("after the first call of a quarter of a second's there are %d, the next one in %v", own.left, time.Until(own.next))
	}
	own.left, own.next = 1, own.next.Add(-time.Minute)
	if err := b.take(t.Context(), "dbc-1", rate); err != nil {
		t.Fatal(err)
	}
	if own.left != 4 {
		t.Errorf("a call of a minute ago was made: %d are left", own.left)
	}
}
