package statement

import (
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// knownColumns are the columns of live, a table of a resource, and of kept, a table of a store.
func knownColumns(table, name string) Column {
	columns := map[string]Column{
		"live.b": {Class: Boolean, Native: true}, "live.t": {Class: Time, Native: true}, "live.n": {Class: Numeric, Native: true}, "live.s": {Class: Textual, Native: true},
		"live.p": {Class: Parameter, Shared: true, Native: true}, "live.pt": {Class: Time, Shared: true, Native: true},
		"kept.kb": {Class: Boolean}, "kept.kt": {Class: Time}, "kept.t": {Class: Time}, "kept.s": {Class: Boolean}, "kept.x": {},
		".b": {Class: Boolean, Native: true}, ".t": {Class: Time}, ".n": {Class: Numeric, Native: true}, ".s": {},
		".p": {Class: Parameter, Shared: true, Native: true}, ".pt": {Class: Time, Shared: true, Native: true}, ".kb": {Class: Boolean}, ".kt": {Class: Time},
	}
	return columns[table+"."+name]
}

// TestComparisonEdits shows the edits of queries: L and M are collations, T and S functions.
func TestComparisonEdits(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1 FROM live WHERE b = 'true' AND n = 1":                              "SELECT 1 FROM live WHERE b = 1 AND n = 1",
		"SELECT 1 FROM live WHERE b = 'f' OR NOT b <> 'ON'":                          "SELECT 1 FROM live WHERE b = 0 OR NOT b <> 1",
		"SELECT b = 'true' yes, b FROM live":                                         "SELECT b = 1 yes, b FROM live",
		"SELECT 1 FROM kept WHERE kb = 'true'":                                       "SELECT 1 FROM kept WHERE T(kb) = 1",
		"SELECT 1 FROM live WHERE b = 1 AND b IS TRUE AND b = false AND b = NULL":    "",
		"SELECT 1 FROM live WHERE b = s || 'x'":                                      "SELECT 1 FROM live WHERE b = T(s || 'x')",
		"SELECT 1 FROM live WHERE b = ?":                                             "SELECT 1 FROM live WHERE b = T(?)",
		"SELECT 1 FROM live WHERE b = p":                                             "",
		"SELECT 1 FROM live WHERE p = 'true' AND live.s = 'true' AND n = 'true'":     "",
		"SELECT 1 FROM live WHERE coalesce(b, 0) = 'true'":                           "SELECT 1 FROM live WHERE T(coalesce(b, 0)) = 1",
		"SELECT 1 FROM live WHERE f(b, 0) = 'true'":                                  "SELECT 1 FROM live WHERE S(f(b, 0), 'true') = 'true'",
		"SELECT 1 FROM live WHERE 'true' = b + 0 AND 1":                              "SELECT 1 FROM live WHERE 'true' = S(b + 0, 'true') AND 1",
		"SELECT 1 FROM live WHERE x.y IN ('a', 'true', 'FALSE')":                     "SELECT 1 FROM live WHERE S(x.y, 'true', 'FALSE') IN ('a', 'true', 'FALSE')",
		"SELECT 'true' = 'true', 1 = 'true'":                                         "",
		"SELECT 1 FROM live WHERE b IN (SELECT a FROM z)":                            "SELECT 1 FROM live WHERE b IN (WITH lakeql_s(v) AS (SELECT a FROM z) SELECT T(v) FROM lakeql_s)",
		"SELECT CASE WHEN b = 'true' THEN 'true' ELSE 'x' END FROM live":             "SELECT CASE WHEN b = 1 THEN 'true' ELSE 'x' END FROM live",
		"SELECT CASE b WHEN 'true' THEN 'true' END = 'x' FROM live":                  "SELECT CASE b WHEN 1 THEN 'true' END = 'x' FROM live",
		"SELECT 1 FROM live WHERE b = 'true' COLLATE NOCASE":                         "",
		"SELECT 1 FROM live WHERE (SELECT max(b) FROM live) = 'true'":                "SELECT 1 FROM live WHERE S((SELECT max(b) FROM live), 'true') = 'true'",
		"SELECT max(b) OVER (ORDER BY n) = 'true' FROM live":                         "SELECT T(max(b) OVER (ORDER BY n)) = 1 FROM live",
		"SELECT max(b) FILTER (WHERE n > 1) OVER w = 'true' FROM live":               "SELECT T(max(b) FILTER (WHERE n > 1) OVER w) = 1 FROM live",
		"SELECT s AS b FROM live WHERE b = 'true'":                                   "SELECT s AS b FROM live WHERE S(b, 'true') = 'true'",
		"SELECT live.b AS b FROM live WHERE b = 'true'":                              "SELECT live.b AS b FROM live WHERE T(b) = 1",
		"UPDATE kept SET kb = 'true', x = 'true' WHERE kb = 'no'":                    "UPDATE kept SET kb = 1, x = 'true' WHERE T(kb) = 0",
		"SELECT 1 FROM live WHERE t < datetime('now')":                               "SELECT 1 FROM live WHERE (t) COLLATE L < datetime('now')",
		"SELECT 1 FROM live l WHERE l.t < datetime('now') AND '2026-01-02' < l.t":    "",
		"SELECT 1 FROM live l, kept k WHERE k.t = l.t AND l.t = k.t":                 "SELECT 1 FROM live l, kept k WHERE (k.t) COLLATE L = l.t AND l.t = k.t",
		"SELECT 1 FROM live l, kept k WHERE l.s = 'true' AND k.s = 'true'":           "SELECT 1 FROM live l, kept k WHERE l.s = 'true' AND T(k.s) = 1",
		"SELECT 1 FROM kept WHERE kt BETWEEN '2026' AND '2027' AND 1":                "SELECT 1 FROM kept WHERE (kt) COLLATE L BETWEEN '2026' AND '2027' AND 1",
		"SELECT 1 FROM kept WHERE kt NOT IN ('2026-01-02')":                          "SELECT 1 FROM kept WHERE (kt) COLLATE L NOT IN ('2026-01-02')",
		"SELECT 1 FROM kept WHERE kt LIKE '2026%' AND kt IS NOT NULL":                "SELECT 1 FROM kept WHERE kt LIKE '2026%' AND (kt) COLLATE L IS NOT NULL",
		"SELECT 1 FROM live WHERE pt = '2026-01-02 03:04:05'":                        "",
		"SELECT 1 FROM z WHERE f(a) < datetime('now')":                               "SELECT 1 FROM z WHERE (f(a)) COLLATE M < datetime('now')",
		"SELECT 1 FROM live WHERE live.s = '2026-01-02' AND p = '2026-01-02'":        "",
		"SELECT count(DISTINCT kt), min(kt), max(kt) FROM kept":                      "SELECT count(DISTINCT kt COLLATE L), min(kt COLLATE L), max(kt COLLATE L) FROM kept",
		"SELECT kt, count(*) FROM kept GROUP BY kt ORDER BY 2, 1 DESC, max(kt)":      "SELECT kt, count(*) FROM kept GROUP BY kt COLLATE L ORDER BY 2, 1 COLLATE L DESC, max(kt COLLATE L) COLLATE L",
		"SELECT (n, kt) = (1, '2026'), (live.t, n) = ('2026', 1) FROM kept, live":    "SELECT (n, (kt) COLLATE L) = (1, '2026'), (live.t, n) = ('2026', 1) FROM kept, live",
		"SELECT rank() OVER (PARTITION BY kt ORDER BY kt DESC NULLS LAST) FROM kept": "SELECT rank() OVER (PARTITION BY kt COLLATE L ORDER BY kt COLLATE L DESC NULLS LAST) FROM kept",
		"SELECT a->>'$.b' = 'true', a >> 1 = 2, a <> 'x', a || 'b' FROM z":           "SELECT S(a->>'$.b', 'true') = 'true', a >> 1 = 2, a <> 'x', a || 'b' FROM z",
	} {
		statements, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var q *Query
		switch st := statements[0].(type) {
		case *Query:
			q = st
		case *Update:
			q = st.Whole
		}
		edits, err := q.Comparisons(knownColumns, Spellings{Time: "L", Dates: "M", Truth: "T", Spelled: "S"})
		if want == "" {
			want = text
		}
		if got := q.Edit(edits).Text; err != nil || got != want {
			t.Errorf("%s: %v\n got %s\nwant %s", text, err, got, want)
		}
	}
}

// TestTruth reads booleans in every spelling.
func TestTruth(t *testing.T) {
	for text, want := range map[string]string{
		"true": "1", "TRUE": "1", "t": "1", "Yes": "1", "y": "1", "on": "1", "1": "1",
		"false": "0", "F": "0", "no": "0", "n": "0", "OFF": "0", "0": "0", "": "", "2": "", "truth": "", "null": "",
	} {
		truth, ok := Truth(text)
		if got := map[[2]bool]string{{true, true}: "1", {false, true}: "0"}[[2]bool{truth, ok}]; got != want {
			t.Errorf("Truth(%q) is %q, want %q", text, got, want)
		}
	}
}

// TestParseTime reads times in every spelling, and refuses other texts.
func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026": "2026-01-01T00:00:00Z", "2026-02": "2026-02-01T00:00:00Z", "2026-02-03": "2026-02-03T00:00:00Z",
		"2026-02-03T04:05": "2026-02-03T04:05:00Z", "2026-02-03 04:05:06": "2026-02-03T04:05:06Z", "2026-02-03t04:05:06z": "2026-02-03T04:05:06Z",
		"2026-02-03T04:05:06Z": "2026-02-03T04:05:06Z", "2026-02-03T04:05:06.7Z": "2026-02-03T04:05:06.7Z", "2026-02-03 04:05:06.123456789": "2026-02-03T04:05:06.123456789Z",
		"2026-02-03T04:05:06.1234567891Z": "2026-02-03T04:05:06.123456789Z", "2026-02-03T04:05:06+01:30": "2026-02-03T02:35:06Z",
		"2026-02-03 04:05:06.5-0130": "2026-02-03T05:35:06.5Z", "2026-02-03 04:05:06+01": "2026-02-03T03:05:06Z", "2026-02-03 04:05:06 +00:00": "2026-02-03T04:05:06Z",
		"2026-02-03 04:05:06 UTC": "2026-02-03T04:05:06Z", "2026-02-03 24:00:00": "2026-02-04T00:00:00Z", "2026-02-31": "2026-03-03T00:00:00Z",
		"": "", "26-01-02": "", "2026-13-01": "", "2026-00-01": "", "2026-01-32": "", "2026-1-2": "", "2026-01-02X": "", "2026-01-02T": "", "2026-01-02T25:00": "",
		"2026-01-02T01:60": "", "2026-01-02T01:02:61": "", "2026-01-02T01:02:03.": "", "2026-01-02T01:02:03+25:00": "", "2026-01-02T01:02:03+1": "",
		"2026-01-02T01:02:03 CET": "", "1767225600": "", "1767225600000": "", "yesterday": "", "2026-01-02T01:02:03Zx": "", "２０２６": "",
	} {
		at, ok := ParseTime(text)
		if got := at.Format(time.RFC3339Nano); ok != (want != "") || ok && got != want {
			t.Errorf("ParseTime(%q) = %s, %t, want %q", text, got, ok, want)
		}
	}
}

// FuzzComparisons edits queries as they come: nothing panics, and edits lie within the text and apart.
func FuzzComparisons(f *testing.F) {
	for _, text := range []string{
		"SELECT 1 FROM live WHERE b = 'true' AND t < datetime('now') ORDER BY 1, t", "SELECT CASE b WHEN 'true' THEN 1 END FROM live", "SELECT b IN (SELECT 1), (b, t) = (1, 'x') FROM live",
		"SELECT max(b) FILTER (WHERE n) OVER w = 'true' FROM live l, kept k", "SELECT (((b)))=(('true')) END CASE ) (", "SELECT OVER = 'true', ) OVER ( = 'x'", "SELECT b = - - 'true' COLLATE",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := Parse(text)
		if err != nil {
			return
		}
		for _, st := range statements {
			q, ok := st.(*Query)
			if !ok {
				continue
			}
			edits, err := q.Comparisons(knownColumns, Spellings{Time: "L", Dates: "M", Truth: "T", Spelled: "S"})
			if err != nil {
				if provider.CodeOf(err) != provider.Usage {
					t.Errorf("%q: %v", text, err)
				}
				continue
			}
			edited := q.Edit(edits)
			if strings.Count(edited.Text, "\x00") != strings.Count(q.Text, "\x00") {
				t.Errorf("%q became %q", q.Text, edited.Text)
			}
		}
	})
}
