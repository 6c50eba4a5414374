package functions

import (
	"cmp"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

func numberFunctions() []function {
	return []function{
		{name: "greatest", args: []int{-1}, nulls: true, call: func(args []sqlite3.Value) (any, error) { return extreme(args, 1) }},
		{name: "least", args: []int{-1}, nulls: true, call: func(args []sqlite3.Value) (any, error) { return extreme(args, -1) }},
		{name: "div", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			if args[1].Float() == 0 {
				return nil, errors.New("division by zero")
			}
			return math.Trunc(args[0].Float() / args[1].Float()), nil
		}},
		{name: "to_hex", args: []int{1}, call: func(args []sqlite3.Value) (any, error) {
			return strconv.FormatUint(uint64(args[0].Int64()), 16), nil //nolint:gosec // the bits, as PostgreSQL has them
		}},
		{name: "cbrt", args: []int{1}, call: func(args []sqlite3.Value) (any, error) { return math.Cbrt(args[0].Float()), nil }},
	}
}

// extreme is greatest(…) and least(…), which leave NULL out.
func extreme(args []sqlite3.Value, sign int) (any, error) {
	var best any
	for _, arg := range args {
		v := value(arg)
		if v == nil {
			continue
		}
		if best == nil || compare(v, best)*sign > 0 {
			best = v
		}
	}
	return best, nil
}

// compare compares values as SQLite does: numbers before texts before bytes.
func compare(a, b any) int {
	rank := func(v any) int {
		switch v.(type) {
		case int64, float64:
			return 0
		case string:
			return 1
		default:
			return 2
		}
	}
	if order := cmp.Compare(rank(a), rank(b)); order != 0 {
		return order
	}
	switch a := a.(type) {
	case int64:
		if whole, ok := b.(int64); ok {
			return cmp.Compare(a, whole)
		}
		return cmp.Compare(float64(a), b.(float64)) //nolint:forcetypeassert // of the same rank
	case float64:
		if whole, ok := b.(int64); ok {
			return cmp.Compare(a, float64(whole))
		}
		return cmp.Compare(a, b.(float64)) //nolint:forcetypeassert // of the same rank
	case string:
		return strings.Compare(a, b.(string)) //nolint:forcetypeassert // of the same rank
	}
	return 0
}

// numberFormat is to_char(number, format), with 9, 0, a point, commas and FM.
func numberFormat(number float64, format string) (string, error) {
	fill := true
	if rest, ok := strings.CutPrefix(strings.ToUpper(format), "FM"); ok {
		fill, format = false, rest
	}
	format = strings.NewReplacer("D", ".", "G", ",").Replace(strings.ToUpper(format))
	if strings.Trim(format, "90.,") != "" || strings.Count(format, ".") > 1 {
		return "", errors.New("a format of numbers has 9, 0, a point, commas and FM")
	}
	whole, fraction, _ := strings.Cut(format, ".")
	if strings.Contains(fraction, ",") {
		return "", errors.New("a comma stands before the point")
	}
	digits := strconv.FormatFloat(math.Abs(number), 'f', len(fraction), 64)
	digits, decimals, _ := strings.Cut(digits, ".")
	places := strings.Count(whole, "9") + strings.Count(whole, "0")
	least := len(strings.ReplaceAll(whole[max(strings.IndexByte(whole, '0'), 0):], ",", ""))
	if !strings.Contains(whole, "0") {
		least = 0
	}
	if digits == "0" && least == 0 && (fraction != "" || !fill && places == 0) {
		digits = ""
	}
	digits = strings.Repeat("0", max(least-len(digits), 0)) + digits
	negative := math.Signbit(number) && strings.Trim(digits+decimals, "0") != ""
	var b strings.Builder
	if len(digits) > places {
		b.WriteString(strings.NewReplacer("9", "#", "0", "#").Replace(whole))
		decimals = strings.Repeat("#", len(decimals))
	} else {
		at := len(digits) - places
		for _, c := range whole {
			switch {
			case c == ',' && at > 0:
				b.WriteByte(',')
			case c == ',':
				b.WriteByte(' ')
			case at < 0:
				b.WriteByte(' ')
				at++
			default:
				b.WriteByte(digits[at])
				at++
			}
		}
	}
	text := b.String()
	sign := " "
	if negative {
		sign = "-"
	}
	bare := strings.TrimLeft(text, " ")
	text = text[:len(text)-len(bare)] + sign + bare
	if strings.Contains(format, ".") {
		if !fill { // FM leaves out zeros at the end that 9 stands for
			kept := strings.LastIndexByte(fraction, '0') + 1
			decimals = decimals[:max(kept, len(strings.TrimRight(decimals, "0")))]
		}
		text += "." + decimals
	}
	if !fill {
		text = strings.TrimSpace(text)
	}
	return text, nil
}
