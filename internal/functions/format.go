package functions

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// formatPatterns are the patterns of to_char and to_timestamp, longest first.
func formatPatterns() []string {
	return []string{
		"MONTH", "Month", "month", "HH24", "HH12", "IYYY", "YYYY", "DAY", "Day", "day", "MON", "Mon", "mon", "DDD", "YYY", "IDDD", "A.M.", "P.M.",
		"a.m.", "p.m.", "DY", "Dy", "dy", "DD", "HH", "MI", "MM", "SSSS", "SS", "MS", "US", "AM", "PM", "am", "pm", "TZ", "tz", "OF", "YY", "IW", "WW", "ID", "D", "Q", "Y",
	}
}

// formatPart is a part of a format: a pattern, or text that stands for itself.
type formatPart struct {
	pattern, text string
	bare          bool // FM before it: without blanks and zeros
}

func formatParts(format string) ([]formatPart, error) {
	var parts []formatPart
	known := formatPatterns()
	bare := false
	for format != "" {
		if rest, ok := strings.CutPrefix(format, "FM"); ok {
			bare, format = true, rest
			continue
		}
		if format[0] == '"' {
			text, rest, ok := strings.Cut(format[1:], `"`)
			if !ok {
				return nil, errors.New("a quote of the format is not closed")
			}
			parts = append(parts, formatPart{text: text})
			format = rest
			continue
		}
		if i := slices.IndexFunc(known, func(p string) bool {
			return strings.HasPrefix(format, p) || p == strings.ToUpper(p) && len(format) >= len(p) && strings.EqualFold(format[:len(p)], p) && !slices.Contains(known, format[:len(p)])
		}); i >= 0 {
			parts = append(parts, formatPart{pattern: known[i], bare: bare})
			bare = false
			format = format[len(known[i]):]
			if strings.HasPrefix(strings.ToUpper(format), "TH") && strings.IndexByte("ADMOP", known[i][0]) < 0 {
				return nil, errors.New("TH in a format is not supported")
			}
			continue
		}
		parts = append(parts, formatPart{text: format[:1]})
		format = format[1:]
	}
	return parts, nil
}

// timeFormat is to_char(time, format).
func timeFormat(t time.Time, format string) (string, error) {
	parts, err := formatParts(format)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, p := range parts {
		if p.pattern == "" {
			b.WriteString(p.text)
			continue
		}
		b.WriteString(p.of(t))
	}
	return b.String(), nil
}

// of returns the part of a time that the pattern stands for.
func (p formatPart) of(t time.Time) string {
	digits := func(width, n int) string {
		if p.bare {
			return strconv.Itoa(n)
		}
		return fmt.Sprintf("%0*d", width, n)
	}
	named := func(name string, width int) string {
		switch {
		case p.pattern == strings.ToUpper(p.pattern):
			name = strings.ToUpper(name)
		case p.pattern == strings.ToLower(p.pattern):
			name = strings.ToLower(name)
		}
		if p.bare {
			return name
		}
		return fmt.Sprintf("%-*s", width, name)
	}
	isoYear, isoWeek := t.ISOWeek()
	isoDay := (int(t.Weekday())+6)%7 + 1
	switch strings.ToUpper(p.pattern) {
	case "YYYY":
		return digits(4, t.Year())
	case "YYY":
		return digits(3, t.Year()%1000)
	case "YY":
		return digits(2, t.Year()%100)
	case "Y":
		return strconv.Itoa(t.Year() % 10)
	case "IYYY":
		return digits(4, isoYear)
	case "MONTH":
		return named(t.Month().String(), 9)
	case "MON":
		return named(t.Month().String()[:3], 0)
	case "MM":
		return digits(2, int(t.Month()))
	case "DAY":
		return named(t.Weekday().String(), 9)
	case "DY":
		return named(t.Weekday().String()[:3], 0)
	case "DDD":
		return digits(3, t.YearDay())
	case "DD":
		return digits(2, t.Day())
	case "D":
		return strconv.Itoa(int(t.Weekday()) + 1)
	case "ID":
		return strconv.Itoa(isoDay)
	case "IDDD":
		return digits(3, (isoWeek-1)*7+isoDay)
	case "HH24":
		return digits(2, t.Hour())
	case "HH", "HH12":
		return digits(2, (t.Hour()+11)%12+1)
	case "MI":
		return digits(2, t.Minute())
	case "SS":
		return digits(2, t.Second())
	case "SSSS":
		return digits(1, t.Hour()*3600+t.Minute()*60+t.Second())
	case "MS":
		return digits(3, t.Nanosecond()/1e6)
	case "US":
		return digits(6, t.Nanosecond()/1e3)
	case "AM", "PM":
		return named(t.Format("PM"), 0)
	case "A.M.", "P.M.":
		return named(t.Format("PM")[:1]+".M.", 0)
	case "IW":
		return digits(2, isoWeek)
	case "WW":
		return digits(2, (t.YearDay()-1)/7+1)
	case "Q":
		return strconv.Itoa((int(t.Month())-1)/3 + 1)
	case "OF":
		return "+00"
	default: // TZ
		return named("UTC", 0)
	}
}

// parseFormat is to_timestamp(text, format).
func parseFormat(text, format string) (time.Time, error) {
	parts, err := formatParts(format)
	if err != nil {
		return time.Time{}, err
	}
	fault := errors.New("the text does not have the format")
	year, month, day, hour, minute, second, nanos, afternoon := 1, 1, 1, 0, 0, 0, 0, -1
	for _, p := range parts {
		if p.pattern == "" {
			if len(text) >= len(p.text) {
				text = text[len(p.text):]
			}
			continue
		}
		text = strings.TrimLeft(text, " ")
		width, into := 2, (*int)(nil)
		switch strings.ToUpper(p.pattern) {
		case "YYYY":
			width, into = 4, &year
		case "MM":
			into = &month
		case "DD":
			into = &day
		case "HH24", "HH12", "HH":
			into = &hour
		case "MI":
			into = &minute
		case "SS":
			into = &second
		case "MS":
			width, into = 3, &nanos
		case "US":
			width, into = 6, &nanos
		case "AM", "PM":
			if len(text) < 2 {
				return time.Time{}, fault
			}
			afternoon = 0
			if strings.EqualFold(text[:2], "pm") {
				afternoon = 12
			}
			text = text[2:]
			continue
		case "MON", "MONTH":
			found := false
			for m := time.January; m <= time.December && !found; m++ {
				for _, name := range []string{m.String(), m.String()[:3]} {
					if len(text) >= len(name) && strings.EqualFold(text[:len(name)], name) && (len(name) > 3) == (strings.EqualFold(p.pattern, "MONTH") || len(m.String()) == 3 && false) && !found {
						month, text, found = int(m), text[len(name):], true
					}
				}
				if !found && strings.EqualFold(p.pattern, "MONTH") && m == time.May && len(text) >= 3 && strings.EqualFold(text[:3], "may") {
					month, text, found = int(m), text[3:], true
				}
			}
			if !found {
				return time.Time{}, fault
			}
			continue
		default:
			return time.Time{}, errors.New("the pattern " + p.pattern + " is not read; YYYY, MM, Mon, Month, DD, HH24, HH12, MI, SS, MS, US and AM are")
		}
		length := 0
		for length < width && length < len(text) && text[length] >= '0' && text[length] <= '9' {
			length++
		}
		n, err := strconv.Atoi(text[:length])
		if err != nil {
			return time.Time{}, fault
		}
		if into == &nanos { // a fraction of a second
			for range 9 - length {
				n *= 10
			}
		}
		*into, text = n, text[length:]
	}
	if afternoon >= 0 {
		hour = hour%12 + afternoon
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if int(t.Month()) != month || t.Day() != day || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, errors.New("there is no such time")
	}
	return t, nil
}
