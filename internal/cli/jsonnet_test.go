package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestJsonnet shows that values for placeholders come from Jsonnet, in a file and in a block of the
// statements, with --var as std.extVar.
func TestJsonnet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"data.jsonnet":   "local project = std.extVar('PROJECT'); // comment\n{ project: 'projects/' + project, zones: ['a', std.extVar(\"ZONE\")], big: 9007199254740991, nested: { x: self.y, y: 1.5 } }",
		"wrong.jsonnet":  "{ a: std.extVar('SECRET') + error std.extVar('SECRET') }",
		"list.jsonnet":   "[1]",
		"broken.jsonnet": "{ a: }",
		"import.jsonnet": "import '/etc/hostname'",
		"data.json":      `{"project": "mine"}`,
		"block.iql":      "<<<jsonnet\nlocal zone = std.extVar(\"ZONE\");\n{ zone: zone, }\n>>>\nSELECT '{{ .zone }}' AS zone, '{{ .project }}' AS project;\n<<<json {\"more\": 1} >>>\nSELECT {{ .more }} AS n",
		"place.iql":      "<<<jsonnet\n{ n: 1 }\n>>>\nSELECT nosuch FROM databricks_workspace.postgres.postgres_projects WHERE 1 = {{ .n }}",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const text = "SELECT '{{ .project }}' AS p, '{{ index .zones 1 }}' AS z, {{ .big }} AS b, {{ .nested.x }} AS x"
	for name, test := range map[string]struct {
		args   []string
		want   string
		status int
	}{
		"a file":           {[]string{text, "-q", "data.jsonnet", "--var", "PROJECT=p", "--var", "ZONE=b,c"}, "projects/p,\"b,c\",9007199254740991,1.5\n", 0},
		"a list":           {[]string{text, "-q", "data.jsonnet", "--var", "PROJECT=p,ZONE=b"}, "projects/p,b,9007199254740991,1.5\n", 0},
		"blocks":           {[]string{"-i", "block.iql", "-q", "data.json", "--var", "ZONE=b"}, "b,mine\n1\n", 0},
		"no variable":      {[]string{text, "-q", "data.jsonnet", "--var", "PROJECT=p"}, "Undefined external variable: ZONE", 2},
		"an error":         {[]string{text, "-q", "wrong.jsonnet", "--var", "SECRET=hunter2"}, "read the values of wrong.jsonnet: RUNTIME ERROR: ****", 2},
		"a syntax error":   {[]string{text, "-q", "broken.jsonnet"}, "broken.jsonnet:1:6", 2},
		"no object":        {[]string{text, "-q", "list.jsonnet"}, "not a JSON object", 2},
		"another file":     {[]string{text, "-q", "import.jsonnet"}, "only one file is read", 2},
		"the place":        {[]string{"-i", "place.iql"}, "line 4, column 8: no such column: nosuch", 2},
		"JSON, no Jsonnet": {[]string{text, "-q", "data.json"}, "map has no entry", 2},
	} {
		got := run{args: append([]string{"exec", "-H", "-o", "csv"}, test.args...), dir: dir}.do(t)
		if got.status != test.status || test.status == 0 && (got.stdout != test.want || got.stderr != "") || !strings.Contains(got.stdout+got.stderr, test.want) || strings.Contains(got.stderr, "hunter2") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
