package statement

import (
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestUnfilled finds unfilled templates in the strings of statements of every kind, and ignores texts
// that only look like one.
func TestUnfilled(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1 FROM t WHERE name = '{{ name }}'":                  "{{ name }}",
		"SELECT 1 FROM t WHERE name LIKE 'projects/{{ project }}/%'": "{{ project }}",
		"SELECT 1 FROM t WHERE name IN ('a', '{{ .name }}')":         "{{ .name }}",
		"SELECT '{{.name}}'":                                                   "{{.name}}",
		"SELECT '{{ quote .name }}'":                                           "{{ quote .name }}",
		"SELECT '{{ name | from_json }}'":                                      "{{ name | from_json }}",
		"SELECT '{{ n | replace(''a'', ''b'') }}'":                             "{{ n | replace(''a'', ''b'') }}",
		"SELECT \"{{ name }}\" FROM t":                                         "{{ name }}",
		"SELECT 1 FROM t WHERE t.name = '{{name}}'":                            "{{name}}",
		"DELETE FROM p.s.r WHERE name = '{{ name }}'":                          "{{ name }}",
		"EXEC p.s.r.m @a = '{{ a }}'":                                          "{{ a }}",
		"EXEC p.s.r.m @a = '{{a}}'":                                            "{{a}}",
		"EXEC p.s.r.m @@json = '{\"a\": [\"{{ b }}\"]}'":                       "{{ b }}",
		"SHOW RESOURCES IN p.s LIKE '{{ a }}'":                                 "{{ a }}",
		"EXPLAIN SELECT '{{ a }}'":                                             "{{ a }}",
		"CREATE VIEW v AS SELECT '{{ a }}'":                                    "{{ a }}",
		"INSERT INTO t VALUES ('{{ a }}')":                                     "{{ a }}",
		"UPDATE t SET a = '{{ a }}'":                                           "{{ a }}",
		"NATIVEQUERY 'SELECT ''{{ a }}'''":                                     "{{ a }}",
		"SELECT 1; SELECT '{{ a }}'":                                           "{{ a }}",
		"SELECT '{{job.id}}', '{{ job.id }}', '{{run_id}}', '{{secrets/a/b}}'": "",
		"SELECT 1 FROM t WHERE a = '{{run_id}}'":                               "",
		"SELECT '{ x }', '{' || '{ name }}' -- {{ name }}":                     "",
		"SELECT /* {{ name }} */ 1":                                            "",
		"EXEC p.s.r.m @a = '{{job.id}}' @@json = '{\"q\": \"\\u007b{ p }}\"}'": "",
	} {
		if _, err := Parse(text); err != nil {
			t.Errorf("Parse(%s): %v", text, err)
		}
		err := Unfilled(text)
		if (err == nil) != (want == "") {
			t.Errorf("Unfilled(%s) = %v, want %q", text, err, want)
			continue
		}
		if err == nil {
			continue
		}
		at := provider.PositionAt(text, strings.Index(text, want))
		e := provider.Copy(err, provider.Internal)
		if e.Message != "the placeholder "+want+" was not filled in" || e.Position != at || e.Hint == "" {
			t.Errorf("Unfilled(%s) = %v, hint %s", text, err, e.Hint)
		}
		if filtered := strings.Contains(want, "|"); filtered != (e.Hint == FilterHint) {
			t.Errorf("Unfilled(%s): hint %s", text, e.Hint)
		}
	}
}

// TestHints shows which words a hint comment may have, and where an unknown one is.
func TestHints(t *testing.T) {
	for _, text := range []string{
		"SELECT 1", "DELETE FROM p.s.r", "EXEC p.s.r.m", "DESCRIBE p.s.r", "SHOW PROVIDERS", "EXPLAIN SELECT 1", "CREATE VIEW v AS SELECT 1",
	} {
		for _, hint := range []string{
			"/*+ exists */", "/*+ createorupdate */", "/*+ statecheck, retries=5, retry_delay=10 */", "/*+ statecheck retries=5 */",
			"/*+ exports, retries = 5 */", "/*+\n  AWAIT,showresults\n*/", "/*+*/", "/*+ delete */ /*+ AWAIT */", "/* any words */",
		} {
			if _, err := Parse(hint + "\n" + text); err != nil {
				t.Errorf("%s %s: %v", hint, text, err)
			}
		}
		for hint, near := range map[string]string{"/*+ AWIAT */": "AWAIT", "/*+ AWAIT, exist */": "EXISTS", "/*+ retries=5 */": ""} {
			_, err := Parse(hint + "\n" + text)
			e := provider.Copy(err, provider.Internal)
			if !strings.HasPrefix(e.Message, "unknown hint ") || e.Position.Line != 1 || e.Position.Column < 5 || near != "" && !strings.HasPrefix(e.Hint, "did you mean "+near+"? ") {
				t.Errorf("%s %s: %v, hint %s", hint, text, err, e.Hint)
			}
		}
	}
	_, err := Parse("SELECT 1;\n/*+ AWAIT, exist */ SELECT 2")
	if e := provider.Copy(err, provider.Internal); e.Position != (provider.Position{Line: 2, Column: 12, Offset: 21}) {
		t.Errorf("got %v", err)
	}
}
