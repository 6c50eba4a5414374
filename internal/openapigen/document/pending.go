package document

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"io"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/names"
	"github.com/lakeql/lakeql/internal/openapigen/overlay"
	"github.com/lakeql/lakeql/internal/openapigen/prose"
)

// Pending is a line of openapi/overlays/pending.csv: something in the SDK that a person has not
// looked at. Its columns are those of operations.csv.
//
//   - A new operation: move the line to operations.csv, with a better name or description if need be.
//   - A new service: add the heading to providers.yaml.
//   - A stale key of an overlay: delete or change the key. Name is the file.
type Pending names.Own

// pending lists the proposals and the stale keys, each in the order of the API.
func (g *generator) pending(proposed []names.Own, stale []overlay.Stale) []Pending {
	var list []Pending
	for _, own := range proposed {
		o := g.operations[own.Key]
		own.Description = (&service{generator: g, descriptions: g.overlays.DescriptionsOf(own.Service)}).describe(o)
		list = append(list, Pending(own))
	}
	slices.SortFunc(list, func(a, b Pending) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Operation, b.Operation))
	})
	for _, s := range g.api.Services {
		if _, known := g.overlays.Services[s.Name]; !known && len(s.Operations) > 0 {
			list = append(list, Pending{Key: names.Key{Service: s.Name}, Name: "providers.yaml", Description: "new service: " + g.heading(s.Name).Title})
		}
	}
	for _, key := range g.table.Stale(g.api) {
		message := "the SDK has no operation " + key.Operation
		key.Operation = Stale + " " + key.Operation
		list = append(list, Pending{Key: key, Name: names.OwnFile, Description: message})
	}
	for _, s := range slices.Compact(stale) {
		list = append(list, Pending{Key: names.Key{Operation: Stale}, Name: s.File, Description: s.Message})
	}
	return list
}

// Stale is the operation of a line about a stale key, or the first word of it.
const Stale = "stale"

// IsStale reports whether the line is about a stale key.
func (p Pending) IsStale() bool {
	word, _, _ := strings.Cut(p.Operation, " ")
	return word == Stale
}

// heading is the title and description of a service, or a proposal.
func (g *generator) heading(service string) overlay.Heading {
	if h, ok := g.overlays.Services[service]; ok {
		return h
	}
	title := strings.ToUpper(service[:1]) + service[1:]
	return overlay.Heading{Title: title, Description: prose.Sentence("operations of " + service)}
}

// PendingCSV is the content of pending.csv; nil if nothing is pending.
func (r *Result) PendingCSV() ([]byte, error) {
	if len(r.Pending) == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	if err := WritePending(&b, r.Pending); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// WritePending writes lines in the form of pending.csv and operations.csv.
func WritePending(to io.Writer, lines []Pending) error {
	records := [][]string{{"provider", "service", "operation", "name", "description"}}
	for _, p := range lines {
		records = append(records, []string{p.Provider, p.Service, p.Operation, p.Name, p.Description})
	}
	return csv.NewWriter(to).WriteAll(records)
}
