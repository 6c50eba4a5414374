package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// text makes texts of values from outside.
type text struct {
	looksSecret func(string) bool
}

// masked stands for a text that looks like a credential.
const masked = "(masked)"

// short returns a text that prints, of at most so many characters.
func (t text) short(s string, most int) string {
	if t.looksSecret != nil && t.looksSecret(s) {
		return masked
	}
	cut := false
	if n := 0; len(s) > most {
		for i := range s {
			if n == most {
				s, cut = s[:i], true
				break
			}
			n++
		}
	}
	s = provider.Printable(s)
	if cut {
		s += "…"
	}
	return s
}

// written is a value as a text, as people write it.
func written(v any) (s string, null bool) {
	switch v := v.(type) {
	case nil:
		return "NULL", true
	case string:
		return v, false
	case json.RawMessage:
		var s string
		switch {
		case len(v) == 0 || string(v) == "null":
			return "NULL", true
		case json.Unmarshal(v, &s) == nil:
			return s, false
		}
		var b bytes.Buffer // a store may have blanks between the values
		if json.Compact(&b, v) == nil {
			return b.String(), false
		}
		return string(v), false
	}
	return fmt.Sprint(v), false
}

// value is a value in a page.
type value struct {
	Text string
	Null bool
}

func (t text) value(v any) value {
	s, null := written(v)
	if s == "" {
		return value{"(empty)", true}
	}
	return value{t.short(s, longestText), null}
}

// stamp is a time for people and for programs.
type stamp struct{ Text, Machine string }

func (text) stamp(at time.Time) stamp {
	if at.IsZero() {
		return stamp{Text: "never"}
	}
	at = at.UTC()
	return stamp{at.Format("2 Jan 2006, 15:04 UTC"), at.Format(time.RFC3339)}
}

// age is a duration in its largest unit: 12m, 31h, 45d.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "0m"
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// spoken is a duration in words.
func spoken(d time.Duration) string {
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		if n := int(d / unit.of); n > 1 || n == 1 && unit.of == time.Minute {
			return count(int64(n), unit.name)
		}
	}
	return "less than a minute"
}

// took is how long something lasted.
func took(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// number writes a number with commas.
func number[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return sign + b.String()
}

// count writes a number with its noun.
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok && !strings.HasSuffix(noun, "ay") {
		return number(n) + " " + stem + "ies"
	}
	return number(n) + " " + noun + "s"
}
