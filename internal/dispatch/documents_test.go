package dispatch

import (
	"errors"
	"io"
	"testing"

	"github.com/lakeql/lakeql/internal/testworld"
)

// TestDocuments shows that clients with the same Documents read the shape of a method's rows once, and that
// none of them can change it for another.
func TestDocuments(t *testing.T) {
	t.Parallel()
	catalogue := testworld.Catalogue(t)
	m, err := catalogue.MethodOf("databricks_workspace.jobs.jobs.list")
	if err != nil {
		t.Fatal(err)
	}
	shared := &Documents{}
	first, second := &Client{Catalogue: catalogue, Documents: shared}, &Client{Catalogue: catalogue, Documents: shared}
	alone, bytes := &Client{Catalogue: catalogue}, &Client{Catalogue: catalogue, Documents: shared, Bytes: true}
	of := func(c *Client) *shape {
		s, err := c.shapeOf(m)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if of(first) != of(second) {
		t.Error("the second client reads the documents again")
	}
	if own := of(alone); own != of(alone) || own == of(first) {
		t.Error("a client alone does not keep what is its own")
	}
	if of(bytes) == of(first) {
		t.Error("a client that wants bytes has the shape of one that does not")
	}
	columns, err := first.Columns(m)
	if err != nil {
		t.Fatal(err)
	}
	was := columns[0].Name
	columns[0].Name = "another"
	if columns, err = second.Columns(m); err != nil || columns[0].Name != was {
		t.Errorf("a caller has changed the columns: %q, %v", columns[0].Name, err)
	}
}

// TestMemo shows that a memo makes a value once, keeps no error, and does not grow without end.
func TestMemo(t *testing.T) {
	t.Parallel()
	var m memo[int, int]
	if _, err := m.get(1, func() (int, error) { return 0, io.EOF }); !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
	for range 2 {
		if got, err := m.get(1, func() (int, error) { return 7 + len(m.known), nil }); got != 7 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	}
	for i := range 2 * mostKnown {
		if got, err := m.get(-i, func() (int, error) { return i, nil }); got != i || err != nil {
			t.Errorf("%d: %d, %v", i, got, err)
		}
	}
	if n := len(m.known); n > mostKnown {
		t.Errorf("%d values are known", n)
	}
}
