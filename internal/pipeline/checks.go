package pipeline

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/provider"
)

// ChecksFolder is the folder of a pipeline's checks, beside pipeline.yaml.
const ChecksFolder = "checks"

// loadChecks reads the checks of the folder.
func (d *Definition) loadChecks(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(escapeGlob(d.Folder), ChecksFolder, "*.sql"))
	if err != nil {
		return provider.Usagef("read the checks: %v", err).Because(err)
	}
	slices.Sort(files)
	of := map[string]string{}
	for _, file := range files {
		text, err := readText(file)
		if err != nil {
			return err
		}
		c, err := checks.Parse(strings.TrimSuffix(filepath.Base(file), ".sql"), text)
		if err != nil {
			return inFile(file, err)
		}
		if _, err := d.fill(ctx, c.Query, ""); err != nil {
			return inFile(file, c.Shift(err))
		}
		if other, taken := of[c.Name]; taken {
			return inFile(file, provider.Usagef("the check %s is that of %s too", c.Name, filepath.Base(other)))
		}
		of[c.Name] = file
		c.File = filepath.Join(ChecksFolder, filepath.Base(file))
		d.Checks = append(d.Checks, *c)
	}
	return nil
}

// Definition returns a pipeline as a store has it: that of the last run, or else of the schedule.
func (s *Store) Definition(ctx context.Context, pipeline string) (*Definition, error) {
	v, err := s.versions(ctx, s.db, pipeline)
	if err != nil {
		return nil, storeError(s.place, err)
	}
	d := cmp.Or(v.ran, v.scheduled)
	if d == nil {
		return nil, provider.Errorf(provider.Unknown, "the store %s has no pipeline %s", provider.Printable(s.place), provider.Quote(pipeline)).
			Hintf("lakeql pipeline status --store … lists the runs of a store")
	}
	return d, nil
}

// Evaluate runs the checks of a pipeline, one after the other. names are those to run; none: all.
func (d *Definition) Evaluate(ctx context.Context, reader checks.Reader, names []string) ([]*checks.Result, error) {
	for _, name := range names {
		if !slices.ContainsFunc(d.Checks, func(c checks.Check) bool { return c.Name == name }) {
			e := provider.Errorf(provider.Unknown, "the pipeline %s has no check %s", d.Name, provider.Quote(name))
			var known []string
			for i := range d.Checks {
				known = append(known, d.Checks[i].Name)
			}
			if len(known) > 0 {
				e.Hint = "it has " + strings.Join(known, ", ")
			}
			return nil, e
		}
	}
	var all []*checks.Result
	for i := range d.Checks {
		c := &d.Checks[i]
		if len(names) > 0 && !slices.Contains(names, c.Name) {
			continue
		}
		query, err := d.fill(ctx, c.Query, "")
		if err != nil {
			return nil, err
		}
		result, err := c.Evaluate(ctx, query, reader, checks.Limits{Time: d.CheckTimeout})
		if err != nil {
			return nil, err
		}
		all = append(all, result)
	}
	return all, nil
}
