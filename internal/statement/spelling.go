package statement

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Truth reads a boolean in the spellings of JSON, SQLite and PostgreSQL, in any case: true, t, yes, y,
// on, 1, and their opposites.
func Truth(text string) (truth, ok bool) {
	switch text = strings.ToLower(strings.TrimSpace(text)); {
	case slices.Contains([]string{"true", "t", "yes", "y", "on", "1"}, text):
		return true, true
	case slices.Contains([]string{"false", "f", "no", "n", "off", "0"}, text):
		return false, true
	}
	return false, false
}

// ParseTime reads a time as the API, SQLite and PostgreSQL write it, and a part of one from the year on:
// 2026, 2026-01, 2026-01-02, 2026-01-02 03:04, 2026-01-02T03:04:05.678Z, 2026-01-02 03:04:05+01. Without
// an offset it is UTC. Days beyond the end of a month count on, as in SQLite.
func ParseTime(text string) (time.Time, bool) {
	year, rest, ok := digits(text, 4)
	if !ok {
		return time.Time{}, false
	}
	month, day := 1, 1
	if rest != "" {
		if month, rest, ok = twoAfter(rest, "-"); !ok || month < 1 || month > 12 {
			return time.Time{}, false
		}
	}
	if rest != "" {
		if day, rest, ok = twoAfter(rest, "-"); !ok || day < 1 || day > 31 {
			return time.Time{}, false
		}
	}
	date := func(hour, minute, second, nanos int) time.Time {
		return time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	}
	if rest == "" {
		return date(0, 0, 0, 0), true
	}
	if rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ' {
		return time.Time{}, false
	}
	hour, rest, ok := digits(strings.TrimLeft(rest[1:], " "), 2)
	if !ok || hour > 24 {
		return time.Time{}, false
	}
	minute, rest, ok := twoAfter(rest, ":")
	if !ok || minute > 59 {
		return time.Time{}, false
	}
	second, nanos := 0, 0
	if strings.HasPrefix(rest, ":") {
		if second, rest, ok = twoAfter(rest, ":"); !ok || second > 60 {
			return time.Time{}, false
		}
		if nanos, rest, ok = fraction(rest); !ok {
			return time.Time{}, false
		}
	}
	offset, ok := zone(strings.TrimSpace(rest))
	return date(hour, minute, second, nanos).Add(-offset), ok
}

// digits reads a number of exactly n digits.
func digits(text string, n int) (number int, rest string, ok bool) {
	if len(text) < n {
		return 0, "", false
	}
	for i := range n {
		if text[i] < '0' || text[i] > '9' {
			return 0, "", false
		}
	}
	number, err := strconv.Atoi(text[:n])
	return number, text[n:], err == nil
}

func twoAfter(text, sign string) (number int, rest string, ok bool) {
	text, ok = strings.CutPrefix(text, sign)
	if !ok {
		return 0, "", false
	}
	return digits(text, 2)
}

// fraction reads the digits behind a second, to the nanosecond.
func fraction(text string) (nanos int, rest string, ok bool) {
	text, found := strings.CutPrefix(text, ".")
	if !found {
		return 0, text, true
	}
	n := len(text) - len(strings.TrimLeft(text, "0123456789"))
	if n == 0 {
		return 0, "", false
	}
	nanos, err := strconv.Atoi((text[:n] + "000000000")[:9])
	return nanos, text[n:], err == nil
}

// zone reads an offset from UTC: Z, UTC, +01, +0130, +01:30; nothing is UTC.
func zone(text string) (time.Duration, bool) {
	switch strings.ToUpper(text) {
	case "", "Z", "UTC":
		return 0, true
	}
	sign := time.Duration(1)
	switch text[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	hours, rest, ok := digits(text[1:], 2)
	if !ok || hours > 14 {
		return 0, false
	}
	minutes := 0
	if rest != "" {
		if minutes, rest, ok = digits(strings.TrimPrefix(rest, ":"), 2); !ok || rest != "" || minutes > 59 {
			return 0, false
		}
	}
	return sign * (time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute), true
}
