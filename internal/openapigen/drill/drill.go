// Package drill tests upgrades of the official SDK: it generates the documents from several versions, one
// after the other, as a maintainer does.
//
// For each version it builds a separate generator, with that version in place of the one in go.mod, and uses
// the overlays of the previous version's end. The first version starts with the present overlays, without the
// names of operations that it lacks. After each version the drill accepts the pending lines: a new operation
// gets its present name, or else the proposed one.
package drill

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/lakeql/lakeql/internal/openapigen/document"
	"github.com/lakeql/lakeql/internal/openapigen/names"
	"github.com/lakeql/lakeql/internal/openapigen/observe"
)

// sums are the lines of go.sum for the versions that go.mod does not name.
//
//go:embed sums.txt
var sums string

// Step describes the documents of one version of the SDK, compared with the previous version.
type Step struct {
	Version                 string
	Operations              int // in the documents
	Added, Removed, Changed []string
	Pending                 []document.Pending
}

// Run upgrades from each version to the next. It writes a table of the steps to out, with the names of
// removed and pending operations. root is the folder of this repository. It fails if the generator fails for
// a version, if a second run has new pending lines, or if the documents of the version in go.mod differ from
// the committed ones.
func Run(ctx context.Context, root string, versions []string, out io.Writer) error {
	work, err := os.MkdirTemp("", "drill")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	d := &drill{root: root, work: work}
	today, err := readPending(d.start(), names.OwnFile)
	if err != nil {
		return err
	}
	d.accepted = map[names.Key]document.Pending{}
	for _, p := range today {
		d.accepted[p.Key] = p
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(cells ...any) {
		for _, cell := range cells {
			fmt.Fprintf(table, "%v\t", cell) //nolint:errcheck // Flush tells
		}
		fmt.Fprintln(table) //nolint:errcheck // Flush tells
	}
	line("version", "operations", "added", "removed", "changed", "new names", "new services", "stale keys")
	var details bytes.Buffer
	for _, version := range versions {
		step, err := d.step(ctx, version)
		if err != nil {
			return fmt.Errorf("%s: %w", version, err)
		}
		fresh, services, stale := step.counts()
		line(version, step.Operations, len(step.Added), len(step.Removed), len(step.Changed), fresh, services, stale)
		step.write(&details)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = details.WriteTo(out)
	return err
}

// counts counts the pending lines by their kind.
func (s *Step) counts() (fresh, services, stale int) {
	for _, p := range s.Pending {
		switch {
		case p.IsStale():
			stale++
		case p.Operation == "":
			services++
		default:
			fresh++
		}
	}
	return fresh, services, stale
}

// write lists the operations that a maintainer would have to review.
func (s *Step) write(out *bytes.Buffer) {
	for _, name := range s.Removed {
		fmt.Fprintf(out, "%s: removed: %s\n", s.Version, name)
	}
	stale := map[string]int{}
	for _, p := range s.Pending {
		if p.IsStale() {
			stale[p.Name]++
			continue
		}
		where := strings.Trim(p.Provider+"."+p.Service+" "+p.Operation, ". ")
		fmt.Fprintf(out, "%s: pending: %s: %s: %s\n", s.Version, where, p.Name, p.Description)
	}
	for _, file := range slices.Sorted(maps.Keys(stale)) {
		keys := "keys"
		if stale[file] == 1 {
			keys = "key"
		}
		fmt.Fprintf(out, "%s: pending: %s has %d %s that the SDK does not know\n", s.Version, file, stale[file], keys)
	}
}

type drill struct {
	root, work string
	overlays   string                         // those that the version before ended with; empty: there is none
	before     map[string]string              // the operations of the version before
	accepted   map[names.Key]document.Pending // operations.csv of the repository
}

// step generates from a version twice: before and after the pending lines are accepted.
func (d *drill) step(ctx context.Context, version string) (*Step, error) {
	dir := filepath.Join(d.work, version)
	generator, err := d.build(ctx, dir, version)
	if err != nil {
		return nil, err
	}
	overlays := filepath.Join(dir, "openapi", "overlays")
	if err := os.CopyFS(overlays, os.DirFS(d.start())); err != nil {
		return nil, err
	}
	pending, err := generate(ctx, generator, dir)
	if err != nil {
		return nil, err
	}
	if d.overlays == "" {
		if err := d.accept(overlays, pending); err != nil {
			return nil, err
		}
		if pending, err = generate(ctx, generator, dir); err != nil {
			return nil, err
		}
	}
	step := &Step{Version: version, Pending: pending}
	if err := d.accept(overlays, pending); err != nil {
		return nil, err
	}
	left, err := generate(ctx, generator, dir)
	if err != nil {
		return nil, fmt.Errorf("after what is pending was accepted: %w", err)
	}
	for _, p := range left {
		if !p.IsStale() && p.Operation != "" {
			return nil, fmt.Errorf("%s.%s %s is pending after it was accepted", p.Provider, p.Service, p.Operation)
		}
	}
	d.overlays = overlays
	now, err := operations(os.DirFS(filepath.Join(dir, "openapi")))
	if err != nil {
		return nil, err
	}
	step.Operations = len(now)
	if d.before != nil {
		step.compare(d.before, now)
	}
	d.before = now
	return step, d.compareWithRepository(dir, version)
}

// start is the folder of the overlays that a version begins with.
func (d *drill) start() string {
	if d.overlays != "" {
		return d.overlays
	}
	return filepath.Join(d.root, "openapi", "overlays")
}

// build builds the generator with a version of the SDK, in a folder that names this version too.
func (d *drill) build(ctx context.Context, dir, version string) (program string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(d.root, name))
		if err != nil {
			return "", err
		}
		if name == "go.sum" {
			data = append(data, sums...)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return "", err
		}
	}
	program = filepath.Join(dir, "openapigen")
	build := []string{"build", "-o", program}
	if named, err := d.named(version); err != nil {
		return "", err
	} else if !named { // then other requirements may change with it, which -mod=mod allows
		mod := filepath.Join(dir, "go.mod")
		if err := run(ctx, d.root, "go", "mod", "edit", "-require="+observe.Module+"@"+version, mod); err != nil {
			return "", err
		}
		build = append(build, "-mod=mod", "-modfile="+mod)
	}
	return program, run(ctx, d.root, "go", append(build, "./internal/openapigen")...)
}

// named reports whether the repository's go.mod names a version of the SDK.
func (d *drill) named(version string) (bool, error) {
	mod, err := os.ReadFile(filepath.Join(d.root, "go.mod"))
	return bytes.Contains(mod, []byte(observe.Module+" "+version+"\n")), err
}

// generate generates the documents below dir, and returns what is pending.
func generate(ctx context.Context, program, dir string) ([]document.Pending, error) {
	if err := run(ctx, dir, program, "generate"); err != nil {
		return nil, err
	}
	pending, err := readPending(filepath.Join(dir, "openapi", "overlays"), "pending.csv")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return pending, err
}

// run runs a program in a folder. The error contains the program's output.
func run(ctx context.Context, dir, program string, args ...string) error {
	command := exec.CommandContext(ctx, program, args...) //nolint:gosec // go, and what it built
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// compare compares the operations of two versions.
func (s *Step) compare(before, now map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(now)) {
		switch old, known := before[name]; {
		case !known:
			s.Added = append(s.Added, name)
		case old != now[name]:
			s.Changed = append(s.Changed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, kept := now[name]; !kept {
			s.Removed = append(s.Removed, name)
		}
	}
}

// compareWithRepository compares the documents of the version that go.mod names with those that are committed.
func (d *drill) compareWithRepository(dir, version string) error {
	if named, err := d.named(version); err != nil || !named {
		return err
	}
	made := os.DirFS(filepath.Join(dir, "openapi"))
	return fs.WalkDir(made, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasPrefix(path, "databricks_") {
			return err
		}
		data, err := fs.ReadFile(made, path)
		if err != nil {
			return err
		}
		committed, err := os.ReadFile(filepath.Join(d.root, "openapi", filepath.FromSlash(path)))
		if err == nil && !bytes.Equal(data, committed) {
			err = errors.New("an upgrade from version to version ends with another document than the repository has")
		}
		if err != nil {
			return fmt.Errorf("openapi/%s: %w", path, err)
		}
		return nil
	})
}
