package pipeline

import (
	"fmt"
	"testing"
)

// TestTaskOrder shows the order of the tasks in a queue. Neighbours are of different workspaces, and of
// several tables, but of no more than a worker keeps compiled queries of.
func TestTaskOrder(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ tables, workspaces int }{{1, 1}, {1, 5}, {3, 1}, {3, 100}, {10, 100}, {20, 3}, {20, 100}} {
		d := &Definition{}
		for i := range size.tables {
			d.Tables = append(d.Tables, Table{Name: fmt.Sprint("t", i)})
		}
		workspaces := make([]string, size.workspaces)
		for i := range workspaces {
			workspaces[i] = fmt.Sprint("dbc-", i)
		}
		tasks := d.tasks(7, workspaces)
		seen := map[taskArgs]bool{}
		for i, a := range tasks {
			if a.Run != 7 || seen[a] {
				t.Errorf("%v: %v is twice there, or of another run", size, a)
			}
			seen[a] = true
			near, tables := map[string]bool{}, map[string]bool{}
			for _, b := range tasks[i:min(i+size.workspaces, len(tasks))] {
				near[b.Workspace] = true
				tables[b.Table] = true
			}
			if i+size.workspaces <= len(tasks) && len(near) != size.workspaces {
				t.Errorf("%v: task %d and those behind it are of %d workspaces", size, i, len(near))
			}
			if most := 2 * tablesAtOnce; len(tables) > most {
				t.Errorf("%v: task %d and those behind it are of %d tables", size, i, len(tables))
			}
			if i == 0 && len(tables) != min(size.tables, size.workspaces, tablesAtOnce) {
				t.Errorf("%v: the first tasks are of %d tables", size, len(tables))
			}
		}
		if len(seen) != size.tables*size.workspaces {
			t.Errorf("%v: %d tasks", size, len(seen))
		}
	}
}
