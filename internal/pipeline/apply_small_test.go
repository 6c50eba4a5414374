package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// TestCompareLittle compares a small answer with the rows that are there, which takes little memory.
func TestCompareLittle(t *testing.T) {
	ctx := t.Context()
	s, err := OpenStore(ctx, filepath.Join(t.TempDir(), "store.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d := &Definition{Name: "p", Tables: []Table{{Name: "things", Key: []string{"id"}, Columns: []Column{{"id", Integer}, {"name", Text}}}}}
	table := &d.Tables[0]
	if err := s.db.transact(ctx, func(c tx) error { return s.ensureTables(ctx, c, d, micro(time.Now())) }); err != nil {
		t.Fatal(err)
	}
	apply := func(run int64, rows int) (c Changes) {
		answer := newSpool(table)
		defer answer.close()
		for i := range rows {
			if err := answer.add([]any{int64(i), fmt.Sprint("thing ", i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.db.transact(ctx, func(tx tx) (err error) {
			c, err = s.apply(context.WithoutCancel(ctx), tx, table, "dbc-1", run, micro(time.Now()), answer)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := apply(1, 5); c.Added != 5 {
		t.Fatalf("%+v", c)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const times = 50
	for i := range times {
		if c := apply(int64(i+2), 5); c.Rows != 5 || c.Added+c.Changed+c.Removed != 0 {
			t.Fatalf("%+v", c)
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / times; each > 50_000 {
		t.Errorf("to compare 5 rows takes %d bytes", each)
	}
	const many = 10_000 // several blocks
	if c := apply(100, many); c.Added != many-5 || c.Changed+c.Removed != 0 {
		t.Errorf("%+v", c)
	}
	if c := apply(101, many); c.Rows != many || c.Added+c.Changed+c.Removed != 0 {
		t.Errorf("%+v", c)
	}
}
