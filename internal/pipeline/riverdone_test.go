package pipeline

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// recorder records the ids that reach a driver.
type recorder struct {
	riverdriver.Executor

	ids []int64
}

func (r *recorder) JobSetStateIfRunningMany(_ context.Context, params *riverdriver.JobSetStateIfRunningManyParams) ([]*rivertype.JobRow, error) {
	r.ids = append(r.ids, params.ID...)
	for _, n := range []int{len(params.Attempt), len(params.ErrData), len(params.FinalizedAt), len(params.MetadataDoMerge), len(params.MetadataUpdates), len(params.ScheduledAt), len(params.State)} {
		if n != len(params.ID) {
			r.ids = append(r.ids, -1)
		}
	}
	return nil, nil
}

// TestDoneJobs shows which changes of state River makes after a worker has returned: none of a job that a
// transaction has completed, once; and each other one, also that of a job whose transaction did not commit.
func TestDoneJobs(t *testing.T) {
	t.Parallel()
	to := &recorder{}
	e := knowingExecutor{to, &doneJobs{ids: map[int64]bool{}}}
	set := func(states ...*riverdriver.JobSetStateIfRunningParams) []int64 {
		all := &riverdriver.JobSetStateIfRunningManyParams{}
		for _, s := range states {
			all.ID, all.Attempt, all.ErrData, all.FinalizedAt = append(all.ID, s.ID), append(all.Attempt, s.Attempt), append(all.ErrData, s.ErrData), append(all.FinalizedAt, s.FinalizedAt)
			all.MetadataDoMerge, all.MetadataUpdates = append(all.MetadataDoMerge, s.MetadataDoMerge), append(all.MetadataUpdates, s.MetadataUpdates)
			all.ScheduledAt, all.State = append(all.ScheduledAt, s.ScheduledAt), append(all.State, s.State)
		}
		to.ids = nil
		if _, err := e.JobSetStateIfRunningMany(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		return to.ids
	}
	completed := func(id int64) *riverdriver.JobSetStateIfRunningParams {
		return riverdriver.JobSetStateCompleted(id, time.Now(), nil)
	}
	e.done.add(1)
	e.done.add(2)
	if got := set(completed(1), completed(3)); !slices.Equal(got, []int64{3}) {
		t.Errorf("jobs %v are completed again, want 3", got)
	}
	if got := set(completed(1)); !slices.Equal(got, []int64{1}) {
		t.Errorf("a job is forgotten once it was left out: %v, want 1", got)
	}
	if got := set(riverdriver.JobSetStateSnoozedAvailable(2, time.Now(), 1, nil)); !slices.Equal(got, []int64{2}) {
		t.Errorf("jobs %v are put back, want 2", got)
	}
	if got := set(completed(2)); !slices.Equal(got, []int64{2}) {
		t.Errorf("a job that was put back is completed: %v, want 2", got)
	}
	if len(e.done.ids) != 0 {
		t.Errorf("jobs %v stay in memory", e.done.ids)
	}
}

// TestPlannedOnce takes jobs several times, and shows that SQLite plans the statement once.
func TestPlannedOnce(t *testing.T) {
	t.Parallel()
	s, err := openSQLite(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	take := func() {
		now := time.Now()
		_, err := s.queue.driver.GetExecutor().JobGetAvailable(t.Context(), &riverdriver.JobGetAvailableParams{ClientID: "w", MaxAttemptedBy: 10, MaxToLock: 2, Now: &now, Queue: "q"})
		if err != nil {
			t.Fatal(err)
		}
	}
	planned := func() (again int) {
		c, err := s.db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }() // it goes back to its pool
		err = c.Raw(func(raw any) error {
			for stmt := range raw.(*cachingConn).Raw().Stmts() {
				again += stmt.Status(sqlite3.STMTSTATUS_REPREPARE, true)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	take()
	planned() // also what the migrations changed
	take()
	take()
	if n := planned(); n != 0 {
		t.Errorf("SQLite planned the statement %d times more", n)
	}
}
