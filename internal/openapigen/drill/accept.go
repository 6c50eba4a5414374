package drill

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/lakeql/lakeql/internal/openapigen/document"
	"github.com/lakeql/lakeql/internal/openapigen/names"
)

// accept moves the new operations to operations.csv, and takes those out that the SDK does not know.
func (d *drill) accept(overlays string, pending []document.Pending) error {
	lines, err := readPending(overlays, names.OwnFile)
	if err != nil {
		return err
	}
	stale := map[names.Key]bool{}
	for _, p := range pending {
		switch today, ok := d.accepted[p.Key]; {
		case p.IsStale():
			stale[p.Key] = p.Name == names.OwnFile
		case p.Operation == "": // a heading of providers.yaml
		case ok:
			lines = append(lines, today)
		default:
			lines = append(lines, p)
		}
	}
	lines = slices.DeleteFunc(lines, func(p document.Pending) bool {
		p.Operation = document.Stale + " " + p.Operation
		return stale[p.Key]
	})
	f, err := os.Create(filepath.Join(overlays, names.OwnFile))
	if err != nil {
		return err
	}
	return errors.Join(document.WritePending(f, lines), f.Close())
}

func readPending(overlays, file string) ([]document.Pending, error) {
	own, err := names.ReadOwn(os.DirFS(overlays), file)
	if err != nil {
		return nil, err
	}
	lines := make([]document.Pending, len(own))
	for i, o := range own {
		lines[i] = document.Pending(o)
	}
	return lines, nil
}
