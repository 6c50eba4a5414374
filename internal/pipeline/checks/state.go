package checks

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// State is the outcome of a check as a store keeps it, and the rows that fail.
type State struct {
	Outcome Outcome
	Since   time.Time // the beginning of this outcome
	Rows    map[string]Row
}

// Change is how a result differs from the state before.
type Change struct {
	Result *Result
	// Before is the outcome before; empty: there was none.
	Before Outcome
	Since  time.Time
	// Added, Changed and Removed are failing rows. Changed have the values of now, and From those before.
	Added, Removed []Row
	Changed        []ChangedRow
}

// ChangedRow is a failing row whose values changed.
type ChangedRow struct {
	Row

	From Values
}

// Compare returns how a result differs from the state before; nil: there was none. A result that decides
// nothing, unknown or error, leaves the failing rows as they were. Rows beyond the limits cannot be compared:
// then no row is added, changed, or removed.
func Compare(before *State, r *Result) *Change {
	c := &Change{Result: r, Since: r.At}
	var known map[string]Row
	if before != nil {
		c.Before, known = before.Outcome, before.Rows
		if before.Outcome == r.Outcome {
			c.Since = before.Since
		}
	}
	if r.Outcome == Unknown || r.Outcome == Broken || r.More {
		return c
	}
	failing := map[string]bool{}
	for _, row := range r.Rows {
		failing[row.Key] = true
		old, was := known[row.Key]
		switch {
		case !was:
			c.Added = append(c.Added, row)
		case !r.Check.Expect.Number() && !equal(old.Values, row.Values): // a number out of bounds stays one
			c.Changed = append(c.Changed, ChangedRow{row, old.Values})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(known)) {
		if !failing[key] {
			c.Removed = append(c.Removed, known[key])
		}
	}
	return c
}

// Tells reports whether somebody has to be told: the outcome is another one, or failing rows were added,
// changed, or removed. A check that passes from the beginning is no news.
func (c *Change) Tells() bool {
	if c.Before != c.Result.Outcome && (c.Before != "" || c.Result.Outcome != Pass) {
		return true
	}
	return len(c.Added)+len(c.Changed)+len(c.Removed) > 0
}

// Keeps returns the failing rows that are the state from now on, and false if those before stay.
func (c *Change) Keeps() ([]Row, bool) {
	if c.Result.Outcome == Unknown || c.Result.Outcome == Broken {
		return nil, false
	}
	return c.Result.Rows, true
}

// equal reports whether two rows have the same values.
func equal(a, b Values) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}
