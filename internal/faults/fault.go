package main

import (
	"slices"
	"strings"
)

// fault is one way in which an answer goes wrong, or only looks as if.
type fault struct {
	group, name string

	num, text string // the values of the attributes <num> and <text>, as JSON holds them; empty: 7 and red
	// body is another body than the good one, with status 200.
	body func(a answer) string
	// play answers otherwise than with status 200. body is the good body after the fault's change.
	play func(a answer, body string) script
	// again is a text in the further request that the fault causes; that request gets the good answer.
	again string

	once bool // the second request of the target gets the good answer, and the command may repeat what failed
	slow bool // the command waits in between, so the cell costs no time of a processor
	// applies limits the fault to some surfaces; nil: all.
	applies func(s *surface) bool
	want    func(s *surface) verdict
}

const (
	usualNum  = "7"
	usualText = "red"
)

// fill puts the values in.
func (f *fault) fill(text string) string {
	return fillIn(text, f.num, f.text)
}

func fillIn(text, num, word string) string {
	if num == "" {
		num = usualNum
	}
	if word == "" {
		word = usualText
	}
	return strings.NewReplacer("<num>", num, "<text>", word).Replace(text)
}

// verdict lists the allowed results of a cell.
type verdict struct {
	rows  []string // any of these as JSON, with exit status 0
	fails bool     // an error that is told
	told  string   // what an error has to say; empty: anything
	note  bool     // rows come with a note: a part of them was replaced
	sent  int      // how often a write may arrive; 0: once
	usage bool     // the error may be one of the statement: the account has nothing that it could be about
}

// right are the rows of the good answer and nothing else.
func right(s *surface) verdict { return verdict{rows: []string{s.right}} }

func fails(*surface) verdict { return verdict{fails: true} }

func rightOrFails(s *surface) verdict { return verdict{rows: []string{s.right}, fails: true} }

// or allows the results of either verdict.
func (v verdict) or(w verdict) verdict {
	return verdict{rows: append(slices.Clone(v.rows), w.rows...), fails: v.fails || w.fails, told: v.told, note: v.note || w.note, usage: v.usage || w.usage, sent: max(v.sent, w.sent)}
}

// failsUnlessEmpty requires an error, except for a surface whose body nobody reads, as in the official SDK:
// its work is done, whatever the body says.
func failsUnlessEmpty(s *surface) verdict {
	if s.kind() == empty {
		return rightOrFails(s)
	}
	return fails(s)
}

// failsSaying is an error with a text in it.
func failsSaying(text string) func(*surface) verdict {
	return func(*surface) verdict { return verdict{fails: true, told: text} }
}

// noItems is for an object without an attribute: a list without items, the row of nothing that it is, work
// that is not done yet.
func noItems(s *surface) verdict {
	switch s.kind() {
	case list, bare:
		if s.none != "" {
			return verdict{rows: []string{s.none}}
		}
		return fails(s) // it was promised that there are some
	case empty:
		return right(s)
	case object:
		return hollow(s)
	case poll:
		return rightOrFails(s)
	case operation:
	}
	return fails(s)
}

// hollow is for an object without an attribute: the row of nothing that it is, or an error.
func hollow(s *surface) verdict {
	if s.hollow == "" {
		return fails(s)
	}
	return verdict{rows: []string{s.hollow}, fails: true}
}

func isKind(kinds ...kind) func(*surface) bool {
	return func(s *surface) bool { return slices.Contains(kinds, s.kind()) }
}

// holds selects surfaces whose rows show a value that the fault changes.
func holds(placeholder string) func(*surface) bool {
	return func(s *surface) bool {
		return strings.Contains(s.right, placeholder) && strings.Contains(s.calls[s.target].answer.text(), placeholder)
	}
}

// faults are the rows of the matrix.
func faults() []*fault {
	var all []*fault
	for _, group := range []struct {
		name   string
		faults []*fault
	}{
		{"status", statuses()},
		{"status line", statusLines()},
		{"interim", interim()},
		{"redirect", redirects()},
		{"not found", notFound()},
		{"shape", shapes()},
		{"item", items()},
		{"page", paging()},
		{"text", texts()},
		{"value", values()},
		{"encoding", encodings()},
		{"framing", framings()},
		{"header", headers()},
		{"cut", cuts()},
		{"passing", passing()},
	} {
		for _, f := range group.faults {
			f.group = group.name
		}
		slices.SortStableFunc(group.faults, func(a, b *fault) int { return strings.Compare(a.name, b.name) }) // some come out of maps
		all = append(all, group.faults...)
	}
	return all
}
