package vtab

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/statement"
)

// timeCollation compares texts as times: by the moment, however each of them is written. Columns of the
// API that hold times have it, and a comparison with one is edited to have it, because SQLite's files of
// others do not know it. See compare.go.
const timeCollation = "lakeql_time"

// datesCollation compares two texts as times if both have a whole date, else as texts. It is for
// expressions, which may be anything, and not for sorting, which it would not do in one order.
const datesCollation = "lakeql_dates"

// truthFunction is lakeql_truth(value): 1 or 0 for a boolean in any spelling; other values stay as they
// are.
const truthFunction = "lakeql_truth"

// spelledFunction is lakeql_spelled(value, text, …): the first text that spells the boolean that value
// is, if value is a number; else value.
const spelledFunction = "lakeql_spelled"

// addSpelling makes the collation and the functions known to a database.
func addSpelling(db *sqlite3.Conn) error {
	const pure = sqlite3.DETERMINISTIC | sqlite3.INNOCUOUS
	return errors.Join(
		db.CreateCollation(timeCollation, compareTimes),
		db.CreateCollation(datesCollation, compareDates),
		db.CreateFunction(truthFunction, 1, pure, func(ctx sqlite3.Context, args ...sqlite3.Value) {
			if args[0].Type() == sqlite3.TEXT {
				if truth, ok := statement.Truth(args[0].Text()); ok {
					ctx.ResultBool(truth)
					return
				}
			}
			ctx.ResultValue(args[0])
		}),
		db.CreateFunction(spelledFunction, -1, pure, func(ctx sqlite3.Context, args ...sqlite3.Value) {
			if args[0].Type() == sqlite3.INTEGER && (args[0].Int64() == 0 || args[0].Int64() == 1) {
				for _, arg := range args[1:] {
					if truth, ok := statement.Truth(arg.Text()); ok && truth == (args[0].Int64() == 1) {
						ctx.ResultText(arg.Text())
						return
					}
				}
			}
			ctx.ResultValue(args[0])
		}),
	)
}

// compareTimes is the collation of times. Times compare by their moments. Other texts come before all
// times if they sort before every digit, as the empty text does; otherwise they come after all times.
func compareTimes(a, b []byte) int {
	rankA, timeA := rankTime(a)
	rankB, timeB := rankTime(b)
	switch {
	case rankA != rankB:
		return rankA - rankB
	case rankA == isTime:
		return timeA.Compare(timeB)
	}
	return bytes.Compare(a, b)
}

// compareDates is the collation of columns that may hold times.
func compareDates(a, b []byte) int {
	if len(a) >= len(time.DateOnly) && len(b) >= len(time.DateOnly) {
		rankA, timeA := rankTime(a)
		rankB, timeB := rankTime(b)
		if rankA == isTime && rankB == isTime {
			return timeA.Compare(timeB)
		}
	}
	return bytes.Compare(a, b)
}

const (
	beforeTimes = iota
	isTime
	behindTimes
)

func rankTime(text []byte) (int, time.Time) {
	if len(text) == 0 || text[0] < '0' {
		return beforeTimes, time.Time{}
	}
	if t, ok := statement.ParseTime(strings.TrimSpace(string(text))); ok {
		return isTime, t
	}
	return behindTimes, time.Time{}
}
