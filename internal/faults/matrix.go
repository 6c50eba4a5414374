package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// matrix is a run over cells.
type matrix struct {
	command  string
	only     string // a regular expression
	part     bool
	parallel int
	out      io.Writer
}

// totals count cells.
type totals struct{ tried, held, failed int }

// cell is a fault and a statement.
type cell struct {
	fault   *fault
	surface *surface
}

func (c cell) name() string { return c.fault.group + ": " + c.fault.name + " × " + c.surface.name }

// waits reports whether the cell needs time rather than a processor.
func (c cell) waits() bool { return c.fault.slow || c.surface.once || c.surface.pipeline }

// often is after how many cells a line is printed.
const often = 1000

// waiting is how many cells that wait run at once, for each that does not.
const waiting = 16

// cells are the cells of the matrix, in its order.
func cells() []cell {
	var all []cell
	for _, f := range faults() {
		for _, s := range surfaces() {
			if f.applies == nil || f.applies(s) {
				all = append(all, cell{f, s})
			}
		}
	}
	return all
}

// partOf selects the cells for the tests: each fault with some statements, and each statement with some
// faults of each group, always the same.
func partOf(all []cell) []cell {
	const every = 19 // a prime: with a factor of the number of statements, some would never come
	var some []cell
	for i, c := range all {
		if i%every == 0 && (!c.surface.pipeline || i%(7*every) == 0) {
			some = append(some, c)
		}
	}
	return some
}

func (m *matrix) run(ctx context.Context) (totals, error) {
	command, err := filepath.Abs(m.command)
	if err != nil {
		return totals{}, err
	}
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		return totals{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a folder that stays behind harms nobody
	all := cells()
	switch {
	case m.only != "":
		chosen, err := regexp.Compile(m.only)
		if err != nil {
			return totals{}, err
		}
		all = slices.DeleteFunc(all, func(c cell) bool { return !chosen.MatchString(c.name()) })
	case m.part:
		all = partOf(all)
	}
	r := &runner{command, dir}
	var mu sync.Mutex
	wrong, tried := map[cell]string{}, 0
	one := func(ctx context.Context, c cell) error {
		got, err := r.run(ctx, c.surface, c.fault)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		why := judge(c.surface, c.fault, got)
		mu.Lock()
		defer mu.Unlock()
		if why != "" {
			wrong[c] = why
		}
		if tried++; tried%often == 0 {
			m.printf("%d of %d cells tried, %d failed\n", tried, len(all), len(wrong))
		}
		if m.only != "" {
			m.show(c, got, why)
		}
		return nil
	}
	if err := m.each(ctx, all, one); err != nil {
		return totals{}, err
	}
	return m.report(all, wrong), nil
}

// each runs all cells. Cells that wait run beside the others.
func (m *matrix) each(ctx context.Context, all []cell, one func(context.Context, cell) error) error {
	group, ctx := errgroup.WithContext(ctx)
	pool := func(limit int, chosen func(cell) bool) func() error {
		return func() error {
			cells, ctx := errgroup.WithContext(ctx)
			cells.SetLimit(limit)
			for _, c := range all {
				if chosen(c) {
					cells.Go(func() error { return errors.Join(ctx.Err(), one(ctx, c)) })
				}
			}
			return cells.Wait()
		}
	}
	group.Go(pool(m.parallel, func(c cell) bool { return !c.waits() }))
	group.Go(pool(m.parallel*waiting, cell.waits))
	return group.Wait()
}

// printf prints for the person, who sees it if that fails.
func (m *matrix) printf(format string, args ...any) { _, _ = fmt.Fprintf(m.out, format, args...) }

// show prints one run.
func (m *matrix) show(c cell, got outcome, why string) {
	m.printf("%s\n  status %d\n  stdout %q\n  stderr %q\n", c.name(), got.status, got.stdout, got.stderr)
	if got.stored != nil {
		m.printf("  stored %q\n", got.stored.stdout)
	}
	m.printf("  %s\n", cmp.Or(why, "holds"))
}

// longestReason limits the printed text of one failure.
const longestReason = 300

// report prints the totals of each group of faults and of each statement, and the cells that failed.
func (m *matrix) report(all []cell, wrong map[cell]string) totals {
	var sum totals
	var order []string
	by := map[string]*totals{}
	count := func(key string, c cell) {
		if by[key] == nil {
			by[key] = &totals{}
			order = append(order, key)
		}
		by[key].add(wrong[c] != "")
	}
	for _, c := range all {
		count("fault: "+c.fault.group, c)
		sum.add(wrong[c] != "")
	}
	for _, c := range all {
		count("statement: "+c.surface.name, c)
	}
	for _, c := range all {
		if why := wrong[c]; why != "" {
			if len(why) > longestReason {
				why = why[:longestReason] + "…"
			}
			m.printf("FAIL %s\n     %s\n", c.name(), strings.ReplaceAll(strings.TrimSpace(why), "\n", "\n     "))
		}
	}
	m.printf("%8s %8s %8s\n", "tried", "held", "failed")
	for _, key := range order {
		m.printf("%s  %s\n", *by[key], key)
	}
	m.printf("%s  all\n", sum)
	return sum
}

// String returns the columns of the report.
func (t totals) String() string {
	return fmt.Sprintf("%8d %8d %8d", t.tried, t.held, t.failed)
}

func (t *totals) add(failed bool) {
	t.tried++
	if failed {
		t.failed++
	} else {
		t.held++
	}
}
