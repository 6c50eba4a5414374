package wire

import (
	"bytes"
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// bearable is how many exceptions there may be in all.
const bearable = 10

// exception is an operation that may differ in one part, with the reason.
type exception struct{ test, operation, part, reason string }

// report collects differences and compares them with the exceptions.
type report struct {
	t          *testing.T
	exceptions []exception
	met        []bool
	unequal    map[string]bool // operations that differ in a part
}

// newReport reads the exceptions of a test.
func newReport(t *testing.T, test string) *report {
	t.Helper()
	text, err := os.ReadFile("testdata/exceptions.csv")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(lines) - 1; n > bearable {
		t.Errorf("exceptions.csv lists %d exceptions, more than %d", n, bearable)
	}
	r := &report{t: t, unequal: map[string]bool{}}
	for _, line := range lines[1:] {
		e := exception{line[0], line[1], line[2], strings.TrimSpace(line[3])}
		if e.reason == "" {
			t.Errorf("exceptions.csv gives no reason for %s %s", e.operation, e.part)
		}
		if e.test == test {
			r.exceptions = append(r.exceptions, e)
		}
	}
	r.met = make([]bool, len(r.exceptions))
	return r
}

// add records the differences in one exchange of an operation.
func (r *report) add(o *sdk.Operation, exchange string, found []difference) {
	r.t.Helper()
	for _, d := range found {
		r.unequal[o.ID()] = true
		i := slices.IndexFunc(r.exceptions, func(e exception) bool { return e.operation == d.operation && e.part == d.part })
		if i >= 0 {
			r.met[i] = true
			continue
		}
		r.t.Errorf("%s (%s, %s): %s", d.operation, exchange, d.part, d.detail)
	}
}

// finish reports exceptions without a difference, and prints the count.
func (r *report) finish(compared int) {
	r.t.Helper()
	for i, e := range r.exceptions {
		if !r.met[i] {
			r.t.Errorf("exceptions.csv lists %s %s, which does not differ", e.operation, e.part)
		}
	}
	if compared != operations {
		r.t.Errorf("%d operations were compared, not %d", compared, operations)
	}
	r.t.Logf("%d operations compared, %d equal, %d exceptions", compared, compared-len(r.unequal), len(r.exceptions))
}
