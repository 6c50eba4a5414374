package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// A schedule runs the copy of its pipeline that the store has. One that follows its folder reads the folder at
// the begin of each run, on the machine of the worker that plans it.

// FolderState compares the installed schedule of a pipeline with its folder.
type FolderState string

// The states of a schedule's folder.
const (
	FolderSame      FolderState = "same"
	FolderDifferent FolderState = "different" // it was changed since
	FolderInvalid   FolderState = "invalid"   // it cannot be read as a pipeline
	FolderGone      FolderState = "gone"
	FolderElsewhere FolderState = "elsewhere" // it is on another machine
	FolderUnknown   FolderState = "unknown"   // the store does not have it
)

// asWritten is a definition without what checking its queries adds.
func (d *Definition) asWritten() *Definition {
	written := *d
	written.Tables = slices.Clone(d.Tables)
	for i := range written.Tables {
		written.Tables[i].Columns = nil
	}
	return &written
}

// compareFolder compares an installed pipeline with its folder. differ describes the differences.
func compareFolder(ctx context.Context, installed *Definition, folder, host string) (state FolderState, differ string) {
	if folder == "" {
		return FolderUnknown, ""
	}
	own, _ := os.Hostname() // it is only compared
	now, err := Load(ctx, folder)
	switch {
	case errors.Is(err, fs.ErrNotExist) && host != own:
		return FolderElsewhere, ""
	case errors.Is(err, fs.ErrNotExist):
		return FolderGone, ""
	case err != nil:
		return FolderInvalid, err.Error()
	}
	a, b := installed.asWritten(), now.asWritten()
	if a.Hash() == b.Hash() {
		return FolderSame, ""
	}
	if tables := differentTables(a, b); len(tables) > 0 {
		return FolderDifferent, "the tables " + strings.Join(tables, ", ")
	}
	return FolderDifferent, ConfigFile + " or the checks"
}

// errNoFolder is the error of a worker on a machine without the folder that a run follows.
var errNoFolder = errors.New("the folder is not on this machine")

// readFolder reads and checks the folder that a run follows.
func (w *Worker) readFolder(ctx context.Context, folder, name string) (*Definition, error) {
	d, err := Load(ctx, folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNoFolder
	case err != nil:
		return nil, inFolder(folder, err)
	case d.Name != name:
		return nil, inFolder(folder, provider.Usagef("its pipeline is called %s now, and not %s", d.Name, name).
			Hintf("schedule it under its new name: lakeql pipeline schedule install --follow"))
	case d.Schedule == "":
		return nil, inFolder(folder, provider.Usagef("it has no schedule any more").
			Hintf("remove the schedule from the store, too: lakeql pipeline schedule remove"))
	}
	if err := Check(ctx, d, w.Asker); err != nil {
		return nil, inFolder(folder, err)
	}
	return d, nil
}

// inFolder says that an error is about the folder that a run follows. Several errors become one.
func inFolder(folder string, err error) error {
	e := provider.Errorf(provider.CodeOf(err), "the folder %s: %s", provider.Printable(folder), strings.ReplaceAll(err.Error(), "\n", "; ")).Because(err)
	e.Hint = provider.HintOf(err)
	return e
}

// followPatience is how long a run waits for a worker on a machine that has its folder.
func (w *Worker) followPatience() time.Duration { return 2 * w.Lease }

// followed makes a definition, which was read from a folder, that of a run and of its schedule.
func (s *Store) followed(ctx context.Context, t tx, run *Run, old, d *Definition, now time.Time) error {
	hash, err := s.keepDefinition(ctx, t, d)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, "UPDATE lakeql_run SET hash = ?1 WHERE id = ?2", hash, run.ID); err != nil {
		return err
	}
	if _, err := t.exec(ctx, "UPDATE lakeql_schedule SET hash = ?1 WHERE pipeline = ?2 AND follow = ?3", hash, run.Pipeline, run.Follow); err != nil {
		return err
	}
	if old.Schedule == d.Schedule && old.Timezone == d.Timezone {
		return nil
	}
	next, err := d.next(now)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, "UPDATE lakeql_schedule SET next_at = ?1 WHERE pipeline = ?2 AND follow = ?3", stamp(next), run.Pipeline, run.Follow)
	return err
}
