package functions

import (
	"testing"
	"time"
)

// FuzzTexts tests that the functions that read texts end without a panic, and that every written interval
// can be read.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{
		"1 day 02:03:04.5", "P1Y2M3DT4H5M6S", "-1.5 months ago", "YYYY-MM-DD HH24:MI:SS.US", "FMMonth, DDth \"of\" YYYY", "FM9,999.00", "{a,\"b c\",NULL}", "[1, {\"a\": null}]",
		"a_%\\%[b", "(\\w+) (\\d+)", "\\1\\&", "2026-03-04T05:06:07+02:00", "12:60", "HH12 PM", ":", "p", "@", "0.9.9", "99,9", "\xff",
	} {
		f.Add(seed, 1234.5)
	}
	f.Fuzz(func(t *testing.T, text string, number float64) {
		if i, err := parseInterval(text); err == nil {
			if again, err := parseInterval(i.String()); err != nil && i.months >= 0 && i.days >= 0 && i.micros >= 0 {
				t.Errorf("%q is %q, which is %v, %v", text, i, again, err)
			}
			i.addTo(time.Unix(0, 0))
		}
		_, _ = timeFormat(time.Unix(1700000000, 0).UTC(), text)
		_, _ = numberFormat(number, text)
		_, _ = parseFormat(text, text)
		_, _ = matchesLike(text, text, `\`, "(?is)")
		_, _ = similar(text, text, `\`)
		_, _ = parseMoment(text)
		if parsed, err := parseJSON(text); err == nil {
			contains(parsed, parsed)
			_, _ = encodeJSON(stripNulls(parsed))
		}
		if re, err := pattern(text, "g"); err == nil && len(text) < 100 {
			replaceMatches(re, text, text, true)
		}
		initcap(text)
		reverse(text)
		_ = quoteIdent(text)
	})
}
