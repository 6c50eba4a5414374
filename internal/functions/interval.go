package functions

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// interval is a length of time as PostgreSQL has it. Months and days are no fixed number of hours.
type interval struct {
	months, days, micros int64
}

// unit is the unit of a word in an interval.
type unit struct{ months, days, micros int64 }

const (
	microsOfSecond = 1_000_000
	microsOfHour   = 3600 * microsOfSecond
	microsOfDay    = 24 * microsOfHour
)

// units are the words of intervals, without an s at the end.
var units = map[string]unit{
	"microsecond": {micros: 1}, "us": {micros: 1}, "usec": {micros: 1}, "millisecond": {micros: 1000}, "ms": {micros: 1000}, "msec": {micros: 1000},
	"second": {micros: microsOfSecond}, "sec": {micros: microsOfSecond}, "s": {micros: microsOfSecond}, "minute": {micros: 60 * microsOfSecond},
	"min": {micros: 60 * microsOfSecond}, "m": {micros: 60 * microsOfSecond}, "hour": {micros: microsOfHour}, "hr": {micros: microsOfHour},
	"h": {micros: microsOfHour}, "day": {days: 1}, "d": {days: 1}, "week": {days: 7}, "w": {days: 7}, "month": {months: 1}, "mon": {months: 1},
	"year": {months: 12}, "yr": {months: 12}, "y": {months: 12}, "decade": {months: 120}, "century": {months: 1200}, "centurie": {months: 1200},
}

var errInterval = errors.New("the text is no interval: write '1 day', '2 hours 30 minutes' or '1 day 02:30:00'")

// parseInterval reads an interval: words with numbers, hours with minutes and seconds, or ISO 8601.
func parseInterval(text string) (interval, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if strings.HasPrefix(text, "p") && len(text) > 1 {
		return parseISO(text[1:])
	}
	fields := strings.Fields(strings.TrimPrefix(text, "@"))
	var sum interval
	ago := false
	if len(fields) > 1 && fields[len(fields)-1] == "ago" {
		ago, fields = true, fields[:len(fields)-1]
	}
	if len(fields) == 0 {
		return interval{}, errInterval
	}
	for i := 0; i < len(fields); i++ {
		field := fields[i]
		if strings.Contains(field, ":") {
			micros, ok := clock(field)
			if !ok {
				return interval{}, errInterval
			}
			sum.micros += micros
			continue
		}
		digits := strings.TrimRight(field, "abcdefghijklmnopqrstuvwxyz")
		word := field[len(digits):]
		if word == "" && i+1 < len(fields) && strings.Trim(fields[i+1], "abcdefghijklmnopqrstuvwxyz") == "" {
			i++
			word = fields[i]
		}
		if word == "" {
			word = "second"
		}
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil || math.IsNaN(n) || math.Abs(n) > 1e9 {
			return interval{}, errInterval
		}
		u, ok := units[word]
		if !ok {
			u, ok = units[strings.TrimSuffix(word, "s")]
		}
		if !ok {
			return interval{}, errInterval
		}
		sum.add(u, n)
	}
	if ago {
		sum = sum.times(-1)
	}
	return sum, nil
}

// add adds a number of units. A part of a month counts as days, of a day as hours.
func (i *interval) add(u unit, n float64) {
	months := float64(u.months) * n
	whole := math.Trunc(months)
	i.months += int64(whole)
	days := float64(u.days)*n + (months-whole)*30
	whole = math.Trunc(math.Round(days*1e6) / 1e6)
	i.days += int64(whole)
	i.micros += int64(math.Round(float64(u.micros)*n + (days-whole)*microsOfDay))
}

// clock reads 04:05:06.7 as microseconds.
func clock(text string) (int64, bool) {
	sign := int64(1)
	switch text[0] {
	case '-':
		sign, text = -1, text[1:]
	case '+':
		text = text[1:]
	}
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return 0, false
	}
	var micros float64
	scale := float64(microsOfHour)
	for n, part := range parts {
		value, err := strconv.ParseFloat(part, 64)
		if err != nil || value < 0 || value > 1e6 || strings.ContainsAny(part, "e+-") || n < len(parts)-1 && strings.Contains(part, ".") {
			return 0, false
		}
		micros += value * scale
		scale /= 60
	}
	return sign * int64(math.Round(micros)), true
}

// parseISO reads an interval of ISO 8601 behind its P.
func parseISO(text string) (interval, error) {
	var sum interval
	inTime := false
	for text != "" {
		if text[0] == 't' {
			inTime, text = true, text[1:]
			continue
		}
		length := len(text) - len(strings.TrimLeft(text, "0123456789.-+"))
		n, err := strconv.ParseFloat(text[:length], 64)
		if err != nil || length == len(text) || math.Abs(n) > 1e9 {
			return interval{}, errInterval
		}
		u, ok := map[string]unit{"y": {months: 12}, "m": {months: 1}, "w": {days: 7}, "d": {days: 1}}[text[length:length+1]]
		if inTime {
			u, ok = map[string]unit{"h": units["hour"], "m": units["minute"], "s": units["second"]}[text[length:length+1]]
		}
		if !ok {
			return interval{}, errInterval
		}
		sum.add(u, n)
		text = text[length+1:]
	}
	return sum, nil
}

// String writes the interval as PostgreSQL does.
func (i interval) String() string {
	var parts []string
	count := func(n int64, one, many string) {
		switch n {
		case 0:
		case 1:
			parts = append(parts, "1 "+one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	count(i.months/12, "year", "years")
	count(i.months%12, "mon", "mons")
	count(i.days, "day", "days")
	if i.micros != 0 || len(parts) == 0 {
		sign, micros := "", i.micros
		if micros < 0 {
			sign, micros = "-", -micros
		}
		seconds := strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%09.6f", float64(micros%(60*microsOfSecond))/microsOfSecond), "0"), ".")
		parts = append(parts, fmt.Sprintf("%s%02d:%02d:%s", sign, micros/microsOfHour, micros/(60*microsOfSecond)%60, seconds))
	}
	return strings.Join(parts, " ")
}

func (i interval) times(n int64) interval { return interval{i.months * n, i.days * n, i.micros * n} }

// addTo moves a time. The day of a month that is too short is its last one.
func (i interval) addTo(t time.Time) time.Time {
	if i.months != 0 {
		year, month, day := t.Date()
		first := time.Date(year, month+time.Month(i.months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
		last := first.AddDate(0, 1, -1).Day()
		t = first.AddDate(0, 0, min(day, last)-1)
	}
	return t.AddDate(0, 0, int(i.days)).Add(time.Duration(i.micros) * time.Microsecond)
}

// between returns a - b as PostgreSQL does: days, and hours within a day.
func between(a, b time.Time) interval {
	micros := a.UnixMicro() - b.UnixMicro()
	return interval{days: micros / microsOfDay, micros: micros % microsOfDay}
}

// age is the time from one to another in years, months and days.
func age(to, from time.Time) interval {
	if to.Before(from) {
		return age(from, to).times(-1)
	}
	months := int64(to.Year()-from.Year())*12 + int64(to.Month()-from.Month())
	days := int64(to.Day() - from.Day())
	inDay := func(t time.Time) int64 {
		return int64(t.Hour())*microsOfHour + int64(t.Minute())*60*microsOfSecond + int64(t.Second())*microsOfSecond + int64(t.Nanosecond())/1000
	}
	micros := inDay(to) - inDay(from)
	if micros < 0 {
		micros += microsOfDay
		days--
	}
	if days < 0 {
		days += int64(time.Date(from.Year(), from.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day())
		months--
	}
	return interval{months, days, micros}
}

// part is a field of the interval.
func (i interval) part(field string) (any, error) {
	seconds := float64(i.micros%(60*microsOfSecond)) / microsOfSecond
	switch field {
	case "epoch":
		days := float64(i.months/12)*365.25 + float64(i.months%12)*30 + float64(i.days)
		return number(days*86400 + float64(i.micros)/microsOfSecond), nil
	case "year":
		return i.months / 12, nil
	case "quarter":
		return i.months%12/3 + 1, nil
	case "month":
		return i.months % 12, nil
	case "day":
		return i.days, nil
	case "hour":
		return i.micros / microsOfHour, nil
	case "minute":
		return i.micros / (60 * microsOfSecond) % 60, nil
	case "second":
		return number(seconds), nil
	case "milliseconds":
		return number(seconds * 1e3), nil
	case "microseconds":
		return number(seconds * 1e6), nil
	}
	return nil, errors.New("the fields of an interval are epoch, year, quarter, month, day, hour, minute, second, milliseconds and microseconds")
}

func intervalSum(args []sqlite3.Value, sign int64) (any, error) {
	a, err := parseInterval(args[0].Text())
	if err != nil {
		return nil, err
	}
	b, err := parseInterval(args[1].Text())
	if err != nil {
		return nil, err
	}
	b = b.times(sign)
	return interval{a.months + b.months, a.days + b.days, a.micros + b.micros}.String(), nil
}

func intervalTimes(v sqlite3.Value, n float64) (any, error) {
	i, err := parseInterval(v.Text())
	if err != nil {
		return nil, err
	}
	if math.IsNaN(n) || math.Abs(n) > 1e6 {
		return nil, errors.New("the number is too large")
	}
	var product interval
	product.add(unit{months: i.months}, n)
	product.add(unit{days: i.days}, n)
	product.add(unit{micros: i.micros}, n)
	return product.String(), nil
}
