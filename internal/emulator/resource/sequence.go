package resource

import (
	"sort"
	"strings"
)

// Sequence is a sorted list of ids: names, and in one place between them a run of numbered ids.
type Sequence struct {
	Names  []string // sorted; none begins with Prefix
	Prefix string   // of the numbered ids
	Count  int      // of the numbered ids
	Step   int      // between numbers; up to 1: they are 1, 2, 3 and First does not count
	First  int      // the first number
}

// numberWidth is how many digits numbered ids have, so that they sort as numbers. The largest
// scale, a million, has as many.
const numberWidth = 7

// Len returns how many ids there are.
func (s Sequence) Len() int { return len(s.Names) + s.Count }

// start is where the numbered ids begin.
func (s Sequence) start() int {
	if s.Count == 0 {
		return len(s.Names)
	}
	return sort.SearchStrings(s.Names, s.Prefix)
}

// At returns the id at an index.
func (s Sequence) At(i int) string {
	switch start := s.start(); {
	case i < start:
		return s.Names[i]
	case i < start+s.Count:
		return s.Prefix + Pad(s.numberAt(i-start))
	default:
		return s.Names[i-s.Count]
	}
}

func (s Sequence) numberAt(i int) int {
	if s.Step > 1 {
		return s.First + i*s.Step
	}
	return i + 1
}

// Before returns how many ids sort before the given one.
func (s Sequence) Before(id string) int {
	return sort.Search(s.Len(), func(i int) bool { return s.At(i) >= id })
}

// Has reports whether an id is in the sequence.
func (s Sequence) Has(id string) bool {
	i := s.Before(id)
	return i < s.Len() && s.At(i) == id
}

// Pad writes a number as numbered ids have it: 0000042.
func Pad(n int) string {
	digits := []byte(strings.Repeat("0", numberWidth))
	for i := numberWidth - 1; i >= 0 && n > 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return string(digits)
}
