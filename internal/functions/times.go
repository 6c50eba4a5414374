package functions

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/statement"
)

// moment is a time as a text writes it.
type moment struct {
	time.Time
	zoned bool // with an offset from UTC, as the API writes times
	date  bool // a day alone
}

// timeOf reads the text of a time.
func timeOf(v sqlite3.Value) (moment, error) {
	if m, ok := parseMoment(v.Text()); ok && v.Type() == sqlite3.TEXT {
		return m, nil
	}
	return moment{}, errors.New("the value is no time: write '2026-01-02' or '2026-01-02T03:04:05Z', or to_timestamp(n) for seconds since 1970")
}

func parseMoment(text string) (moment, bool) {
	text = strings.TrimSpace(text)
	t, ok := statement.ParseTime(text)
	if !ok || len(text) < len(time.DateOnly) {
		return moment{}, false
	}
	rest := text[len(time.DateOnly):]
	return moment{Time: t.UTC(), zoned: strings.ContainsAny(strings.ToUpper(rest), "Z+-"), date: rest == ""}, true
}

// String writes the time as the API does.
func (m moment) String() string {
	switch {
	case m.date:
		return m.Format(time.DateOnly)
	case m.zoned:
		return m.UTC().Format("2006-01-02T15:04:05.999999Z07:00")
	default:
		return m.Format("2006-01-02T15:04:05.999999")
	}
}

func zoned(t time.Time) string { return moment{Time: t, zoned: true}.String() }

func timeFunctions(now func() time.Time) []function {
	current := func([]sqlite3.Value) (any, error) { return zoned(now()), nil }
	return []function{
		{name: "now", args: []int{0}, call: current},
		{name: "transaction_timestamp", args: []int{0}, call: current},
		{name: "statement_timestamp", args: []int{0}, call: current},
		{name: "date_trunc", args: []int{2, 3}, call: truncate},
		{name: "date_part", args: []int{2}, call: part},
		{name: "age", args: []int{1, 2}, call: func(args []sqlite3.Value) (any, error) {
			from, err := timeOf(args[len(args)-1])
			if err != nil {
				return nil, err
			}
			to := moment{Time: now().UTC().Truncate(24 * time.Hour)}
			if len(args) > 1 {
				if to, err = timeOf(args[0]); err != nil {
					return nil, err
				}
			}
			return age(to.Time, from.Time).String(), nil
		}},
		{name: "to_timestamp", args: []int{1}, call: func(args []sqlite3.Value) (any, error) {
			seconds := args[0].Float()
			if !isNumeric(args[0]) || math.Abs(seconds) > 1e12 {
				return nil, errors.New("the value is no number of seconds since 1970: divide milliseconds by 1000")
			}
			whole := math.Floor(seconds)
			return zoned(time.Unix(int64(whole), int64(math.Round((seconds-whole)*1e6))*1000).UTC()), nil
		}},
		{name: "to_timestamp", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			t, err := parseFormat(args[0].Text(), args[1].Text())
			return zoned(t), err
		}},
		{name: "to_date", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			t, err := parseFormat(args[0].Text(), args[1].Text())
			return t.Format(time.DateOnly), err
		}},
		{name: "to_char", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			if isNumeric(args[0]) {
				return textResult(numberFormat(args[0].Float(), args[1].Text()))
			}
			m, err := timeOf(args[0])
			if err != nil {
				return nil, err
			}
			return textResult(timeFormat(m.Time, args[1].Text()))
		}},
		{name: "make_date", args: []int{3}, call: func(args []sqlite3.Value) (any, error) {
			year, month, day := args[0].Int(), args[1].Int(), args[2].Int()
			t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
			if t.Year() != year || int(t.Month()) != month || t.Day() != day || year < 1 || year > 9999 {
				return nil, errors.New("there is no such day")
			}
			return t.Format(time.DateOnly), nil
		}},
		{name: "timezone", args: []int{2}, call: func(args []sqlite3.Value) (any, error) { return inZone(args[1], args[0].Text()) }},
		{name: "lakeql_timezone", args: []int{2}, call: func(args []sqlite3.Value) (any, error) { return inZone(args[0], args[1].Text()) }},
		{name: "lakeql_time_plus", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			if _, ok := parseMoment(args[0].Text()); !ok {
				args[0], args[1] = args[1], args[0]
			}
			return shift(args[0], args[1], 1)
		}},
		{name: "lakeql_time_minus", args: []int{2}, call: timeMinus},
		{name: "lakeql_interval_plus", args: []int{2}, call: func(args []sqlite3.Value) (any, error) { return intervalSum(args, 1) }},
		{name: "lakeql_interval_minus", args: []int{2}, call: func(args []sqlite3.Value) (any, error) { return intervalSum(args, -1) }},
		{name: "lakeql_interval_times", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			if isNumeric(args[0]) {
				args[0], args[1] = args[1], args[0]
			}
			return intervalTimes(args[0], args[1].Float())
		}},
		{name: "lakeql_interval_over", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			if args[1].Float() == 0 {
				return nil, errors.New("division by zero")
			}
			return intervalTimes(args[0], 1/args[1].Float())
		}},
	}
}

func textResult(text string, err error) (any, error) { return text, err }

// truncate is date_trunc(field, time [, zone]).
func truncate(args []sqlite3.Value) (any, error) {
	m, err := timeOf(args[1])
	if err != nil {
		return nil, err
	}
	zone := time.UTC
	if len(args) > 2 {
		if zone, err = location(args[2].Text()); err != nil {
			return nil, err
		}
	}
	t := m.In(zone)
	year, month, day := t.Date()
	at := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, zone)
	}
	switch strings.ToLower(args[0].Text()) {
	case "microseconds":
		t = t.Truncate(time.Microsecond)
	case "milliseconds":
		t = t.Truncate(time.Millisecond)
	case "second":
		t = t.Truncate(time.Second)
	case "minute":
		t = t.Truncate(time.Minute)
	case "hour":
		t = time.Date(year, month, day, t.Hour(), 0, 0, 0, zone)
	case "day":
		t = at(year, month, day)
	case "week":
		t = at(year, month, day-(int(t.Weekday())+6)%7)
	case "month":
		t = at(year, month, 1)
	case "quarter":
		t = at(year, (month-1)/3*3+1, 1)
	case "year":
		t = at(year, 1, 1)
	case "decade":
		t = at(year/10*10, 1, 1)
	case "century":
		t = at((year-1)/100*100+1, 1, 1)
	default:
		return nil, errors.New("the units are microseconds, milliseconds, second, minute, hour, day, week, month, quarter, year, decade and century")
	}
	return moment{Time: t, zoned: m.zoned || m.date}.String(), nil
}

// part is date_part(field, time), of which extract(field FROM time) is another spelling. The time may be
// an interval.
func part(args []sqlite3.Value) (any, error) {
	field := strings.ToLower(args[0].Text())
	m, err := timeOf(args[1])
	if err != nil {
		i, fault := parseInterval(args[1].Text())
		if fault != nil {
			return nil, err
		}
		return i.part(field)
	}
	t := m.Time
	seconds := float64(t.Second()) + float64(t.Nanosecond()/1000)/1e6
	year, week := t.ISOWeek()
	switch field {
	case "epoch":
		return number(float64(t.Unix()) + float64(t.Nanosecond()/1000)/1e6), nil
	case "year":
		return int64(t.Year()), nil
	case "month":
		return int64(t.Month()), nil
	case "day":
		return int64(t.Day()), nil
	case "hour":
		return int64(t.Hour()), nil
	case "minute":
		return int64(t.Minute()), nil
	case "second":
		return number(seconds), nil
	case "milliseconds":
		return number(seconds * 1e3), nil
	case "microseconds":
		return number(seconds * 1e6), nil
	case "dow":
		return int64(t.Weekday()), nil
	case "isodow":
		return int64((t.Weekday()+6)%7) + 1, nil
	case "doy":
		return int64(t.YearDay()), nil
	case "week":
		return int64(week), nil
	case "isoyear":
		return int64(year), nil
	case "quarter":
		return int64(t.Month()-1)/3 + 1, nil
	case "decade":
		return int64(t.Year() / 10), nil
	case "century":
		return int64((t.Year() + 99) / 100), nil
	case "timezone", "timezone_hour", "timezone_minute":
		return int64(0), nil
	}
	return nil, errors.New("the fields are epoch, year, quarter, month, week, day, dow, isodow, doy, hour, minute, second, milliseconds, microseconds, isoyear, decade and century")
}

// number returns a whole number as such.
func number(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return f
}

// location finds a time zone by its name.
func location(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || strings.EqualFold(name, "local") {
		if strings.EqualFold(name, "utc") || strings.EqualFold(name, "z") || strings.EqualFold(name, "gmt") {
			return time.UTC, nil
		}
		return nil, errors.New("the time zone is not known: write a name such as Europe/Berlin")
	}
	return zone, nil
}

// inZone is time AT TIME ZONE zone: of a time with an offset it is the clock there; of one without, the
// time at which the clock there shows it.
func inZone(v sqlite3.Value, name string) (any, error) {
	m, err := timeOf(v)
	if err != nil {
		return nil, err
	}
	zone, err := location(name)
	if err != nil {
		return nil, err
	}
	if m.zoned || m.date {
		return moment{Time: m.In(zone)}.String(), nil
	}
	year, month, day := m.Date()
	return zoned(time.Date(year, month, day, m.Hour(), m.Minute(), m.Second(), m.Nanosecond(), zone)), nil
}

// shift moves a time by an interval, or a day by a number of days.
func shift(v, by sqlite3.Value, sign int64) (any, error) {
	m, err := timeOf(v)
	if err != nil {
		return nil, err
	}
	if by.Type() == sqlite3.INTEGER {
		if !m.date {
			return nil, errors.New("a number is added to a date alone: write interval '1 day'")
		}
		m.Time = m.AddDate(0, 0, int(sign*by.Int64()))
		return m.String(), nil
	}
	i, err := parseInterval(by.Text())
	if err != nil {
		return nil, err
	}
	m.Time = i.times(sign).addTo(m.Time)
	m.date = false
	if m.Year() < 1 || m.Year() > 9999 {
		return nil, errors.New("the time is beyond the year 9999")
	}
	return m.String(), nil
}

// timeMinus is time - interval, date - days, time - time, or interval - interval.
func timeMinus(args []sqlite3.Value) (any, error) {
	a, isTime := parseMoment(args[0].Text())
	b, both := parseMoment(args[1].Text())
	switch {
	case args[1].Type() == sqlite3.INTEGER || isTime && !both:
		return shift(args[0], args[1], -1)
	case isTime && both && a.date && b.date:
		return int64(a.Sub(b.Time).Hours() / 24), nil
	case isTime && both:
		return between(a.Time, b.Time).String(), nil
	case both:
		return nil, errors.New("the value before - is no time")
	}
	return intervalSum(args, -1)
}
