package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// manyRows answers every query with rows that need some room.
type manyRows struct{ n int }

// Columns implements [Asker].
func (manyRows) Columns(context.Context, string) ([]provider.Column, error) { return nil, nil }

// CheckWorkspace implements [Asker].
func (manyRows) CheckWorkspace(string) error { return nil }

// HostOf implements [Asker].
func (manyRows) HostOf(name string) string { return name }

// Ask implements [Asker].
func (m manyRows) Ask(_ context.Context, _, _ string, _ Pacer, read func(provider.Rows) error) error {
	rows := make([][]any, m.n)
	for i := range rows {
		rows[i] = []any{int64(i), strings.Repeat("x", 1000)}
	}
	return read(provider.NewRows([]provider.Column{{Name: "id", Type: "integer"}, {Name: "body", Type: "string"}}, rows))
}

// TestFullDisk fills the disk of a store. The error is reported at once, and the run continues when there is
// room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "store.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	d := &Definition{Name: "p", Attempts: 3, Concurrency: 1, Workspaces: Workspaces{Names: []string{"dbc-1"}}, Tables: []Table{*things()}}
	run, _, err := s.Begin(t.Context(), d, "a test")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	troubles := make(chan error, 1000)
	w := &Worker{Store: s, Asker: manyRows{500}, Interval: 10 * time.Millisecond, Trouble: func(err error) {
		select {
		case troubles <- err:
		default:
		}
	}}
	full, told := false, ""
	err = w.Work(ctx, func(ctx context.Context) (bool, error) {
		p, err := s.Progress(ctx, run.ID)
		if err != nil {
			return false, err
		}
		switch {
		case !full: // the tables of the run are there, and its rows are not: the pages that there are have to do
			full = true
			var pages int64
			if _, err := one(ctx, s.db, "PRAGMA page_count", nil, &pages); err != nil {
				return false, err
			}
			_, err = one(ctx, s.db, "PRAGMA max_page_count = "+fmt.Sprint(pages+60), nil, &pages)
			return false, err
		case told == "":
			select {
			case err := <-troubles:
				told = err.Error()
				var pages int64
				_, err = one(ctx, s.db, "PRAGMA max_page_count = 1000000", nil, &pages)
				return false, err
			default:
			}
		}
		return p.Over(), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(told, "the store ") || !strings.Contains(told, "database or disk is full") {
		t.Errorf("it was told %q", told)
	}
	ended, err := s.Run(t.Context(), run.ID)
	if err != nil || ended.State != Done {
		t.Errorf("the run is %+v, %v", ended, err)
	}
}
