package checks

import (
	"math"
	"regexp"
	"strconv"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// Expectation is what the query of a check must return: no row, or one number within bounds. Its zero value
// is no row.
type Expectation struct {
	bounded   bool
	low, high float64 // infinite: no bound
	lowIsOut  bool    // the bound itself is not allowed
	highIsOut bool
	text      string // as it was written
}

var (
	comparison = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(<=|<|>=|>|=)\s*(\S+)$`) })
	interval   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^between\s+(\S+)\s+and\s+(\S+)$`) })
)

// ParseExpectation reads an expectation: no rows, <= 5, < 5, >= 5, > 5, = 5, or between 1 and 5.
func ParseExpectation(text string) (Expectation, error) {
	if text == noRows {
		return Expectation{}, nil
	}
	e := Expectation{bounded: true, low: math.Inf(-1), high: math.Inf(1), text: text}
	wrong := provider.Usagef("expect: %s is neither no rows nor bounds", provider.Quote(text)).
		Hintf("write no rows, <= 5, < 5, >= 5, > 5, = 5, or between 1 and 5")
	var ok bool
	if match := comparison().FindStringSubmatch(text); match != nil {
		bound, isNumber := parseBound(match[2])
		ok = isNumber
		switch match[1] {
		case "<=":
			e.high = bound
		case "<":
			e.high, e.highIsOut = bound, true
		case ">=":
			e.low = bound
		case ">":
			e.low, e.lowIsOut = bound, true
		case "=":
			e.low, e.high = bound, bound
		}
	} else if match := interval().FindStringSubmatch(text); match != nil {
		var isNumber bool
		e.low, ok = parseBound(match[1])
		e.high, isNumber = parseBound(match[2])
		ok = ok && isNumber && e.low <= e.high
	}
	if !ok {
		return Expectation{}, wrong
	}
	return e, nil
}

const noRows = "no rows"

// parseBound reads a finite number.
func parseBound(text string) (float64, bool) {
	number, err := strconv.ParseFloat(text, 64)
	return number, err == nil && !math.IsInf(number, 0) && !math.IsNaN(number)
}

// String returns the expectation as a file has it.
func (e Expectation) String() string {
	if !e.bounded {
		return noRows
	}
	return e.text
}

// Number reports whether the query must return one number.
func (e Expectation) Number() bool { return e.bounded }

// holds reports whether a number is within the bounds.
func (e Expectation) holds(number float64) bool {
	low := number > e.low || !e.lowIsOut && number == e.low
	high := number < e.high || !e.highIsOut && number == e.high
	return low && high
}

// MarshalText implements [encoding.TextMarshaler].
func (e Expectation) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (e *Expectation) UnmarshalText(text []byte) (err error) {
	*e, err = ParseExpectation(string(text))
	return err
}
