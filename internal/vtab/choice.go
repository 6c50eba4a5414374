package vtab

import (
	"slices"
	"sync"

	"github.com/lakeql/lakeql/internal/bytecode"
)

// choice is the decision of BestIndex for a place in a query. SQLite passes its number from BestIndex to
// Filter, and shows it in EXPLAIN.
type choice struct {
	table  int    // number of the table in its program; ofTarget: the target of a write
	method int    // index of the table's method
	fields []int  // of the table, that the arguments of Filter are for
	used   uint64 // columns that are read, as bits; the last bit is for all columns from 63 on
	// workspace is the plan's knowledge about deployment_name.
	workspace workspaceTerms
	// listed is set if deployment_name comes from an IN, so that Filter is called for each name of it.
	listed bool
}

// ofTarget is the table of a choice for the target of a write.
const ofTarget = -1

// choiceText is the text beside the number of a choice. It distinguishes our tables from SQLite's own,
// such as json_each.
const choiceText = "lakeql"

// choices are the choices of all programs of a statement, by number. Equal choices have the same number,
// in every program. The zero value is empty.
type choices struct {
	mu  sync.Mutex // passes run ahead on goroutines of their own
	all []choice
}

// number returns the number of a choice.
func (c *choices) number(made choice) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.all, func(known choice) bool {
		return known.table == made.table && known.method == made.method && known.used == made.used &&
			known.workspace == made.workspace && known.listed == made.listed && slices.Equal(known.fields, made.fields)
	})
	if i < 0 {
		i = len(c.all)
		c.all = append(c.all, made)
	}
	return i
}

// at returns the choice with a number.
func (c *choices) at(number int) choice {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[number]
}

// find returns the choice that SQLite shows; not ok for that of another table than ours.
func (c *choices) find(shown bytecode.Choice) (found choice, ok bool) {
	if shown.Text != choiceText {
		return choice{}, false
	}
	return c.at(shown.Number), true
}

// uses reports whether a field is read.
func (c *choice) uses(field int) bool { return c.used>>min(field, 63)&1 == 1 }
