package shell_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestCommandsAreStatements shows the statements of the commands that list and describe.
func TestCommandsAreStatements(t *testing.T) {
	for line, want := range map[string]string{
		`\l`:                               "SHOW PROVIDERS\n",
		`\dn p`:                            "SHOW SERVICES IN p\n",
		`\dt`:                              "SHOW TABLES\n",
		`.tables`:                          "SHOW TABLES\n",
		`\dt p.s;`:                         "SHOW RESOURCES IN p.s\n",
		`\dt p`:                            "SHOW RESOURCES IN p\n",
		`\dt *it's*`:                       "SHOW RESOURCES LIKE '%it''s%'\n",
		`\dv`:                              "SHOW VIEWS\n",
		`\df p.s.r`:                        "SHOW METHODS IN p.s.r\n",
		`\d p.s.r`:                         "DESCRIBE p.s.r\n",
		`\d+ p.s.r`:                        "DESCRIBE EXTENDED p.s.r\n",
		`\d p.s`:                           "SHOW RESOURCES IN p.s\n",
		`\d p.s.r.m`:                       "DESCRIBE METHOD p.s.r.m\n",
		`.schema t`:                        "DESCRIBE t\n",
		`\d`:                               "SHOW TABLES\nSHOW VIEWS\nSHOW MATERIALIZED VIEWS\n",
		"echo a;\n\\g":                     "echo a\necho a\n",
		"echo a \\g":                       "echo a\n",
		"echo\na \\gx":                     "\"echo\na\"\n",
		"echo 'a \\g\n';":                  "\"echo 'a \\g\n'\"\n",
		`.mode jsonl` + "\necho a;":        "{\"n\":\"echo a\"}\n",
		`\pset format jsonl` + "\necho a;": "{\"n\":\"echo a\"}\n",
	} {
		out, _, _, err := script(t, line+"\n")
		if err != nil || out != want {
			t.Errorf("%s: got %q, %v; want %q", line, out, err, want)
		}
	}
}

// TestVariables sets variables as psql does, and puts their values into statements and commands.
func TestVariables(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a file.sql")
	if err := os.WriteFile(file, []byte("echo :v;"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"\\set v 1\necho :v, :'v', :\"v\", ':v', v::v;":     "\"echo 1, '1', \"\"1\"\", ':v', v::v\"\n",
		"\\set v it''s\necho :'v';":                         "echo 'its'\n",
		"\\set v 'it''s'  ' x' y\necho :'v';":               "echo 'it''s xy'\n",
		"\\set v 'a\\tb'\n\\echo x:v :nobody '':v":          "xa\tb :nobody a\tb\n",
		"\\set v a\n\\set w :v:v\n\\echo :w :'w' ':w'":      "aa 'aa' :w\n",
		"\\set v a\n\\unset v\necho :v;":                    "echo :v\n",
		"\\set v\n\\echo [:v] -n;":                          "[] -n;\n",
		"\\set v `printf 'a b'`\n\\echo -n :v":              "a b",
		"\\set v 'echo a;'\n:v\n;":                          "echo a\n",
		"\\set v '('\necho :v\n);":                          "\"echo (\n)\"\n",
		"\\set v x\necho :v \\g\n\\set v y\n\\g":            "echo x\necho y\n",
		"\\set v p.s\n\\dt :v":                              "SHOW RESOURCES IN p.s\n",
		"\\set v 1\n\\set f '" + file + "'\n\\i :'f'":       "echo 1\n",
		"\\set page_limit 5\necho :page_limit;":             "echo 5\n",
		".print a  b":                                       "a b\n",
		"\\set v 1\n\\! echo ':v' > " + dir + "/out\necho;": "echo\n",
	} {
		out, said, _, err := script(t, text+"\n")
		if err != nil || out != want {
			t.Errorf("%s: got %q, said %q, %v; want %q", text, out, said, err, want)
		}
	}
	out, said, _, err := script(t, "\\set b 'x y'\n\\set a\n\\set\n\\warn :b")
	if err != nil || out != "" || said != "a = ''\nb = 'x y'\nx y\n" {
		t.Errorf("got %q, said %q, %v", out, said, err)
	}
}

// TestCommandErrors shows that a faulty command runs nothing.
func TestCommandErrors(t *testing.T) {
	for line, want := range map[string]string{
		`\dt a;b`:             `\dt needs provider.service, and "a;b" is no name`,
		`\dn x; DROP TABLE t`: `\dn needs a provider, and "x; DROP TABLE t" is no name`,
		`\df`:                 `\df needs provider.service.resource, and "" is no name`,
		`\d a..b`:             `\d needs a name, and "a..b" is no name`,
		`\tables`:             `unknown command "\\tables"`,
		`.nothing`:            `unknown command ".nothing"`,
		`\g`:                  "there is no statement to run again",
		`\watch x`:            `"x" is no number of seconds above 0`,
		`\watch`:              "there is no statement to run again",
		`\i`:                  `\i needs the path of a file`,
		`\i /does/not/exist`:  "read the statements: open /does/not/exist: no such file or directory",
		`\copy t TO`:          `\copy needs a query and a file`,
		`\copy (x) TO a.xyz`:  `unknown output format "xyz"`,
		`\timing maybe`:       `"maybe" is no way to print times`,
		`\set a-b 1`:          `"a-b" is no name of a variable`,
		`\set a 'b`:           "the quote ' is not closed",
		"\\set a `false`":     "the command in backquotes failed: exit status 1",
		`\unset`:              `\unset needs the name of a variable`,
		`\l x`:                `\l takes no arguments`,
		`\o parquet`:          "parquet is not for a terminal",
	} {
		out, _, _, err := script(t, line+"\n")
		if err == nil || err.Error() != want || out != "" || provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: got %q, %v; want the error %s", line, out, err, want)
		}
	}
	if _, _, _, err := script(t, `\dtt`+"\n"); provider.HintOf(err) != `\? lists the commands` {
		t.Errorf("hint %q", provider.HintOf(err))
	}
	if _, _, _, err := script(t, `.ta`+"\n"); !strings.HasPrefix(provider.HintOf(err), "did you mean .tables?") {
		t.Errorf("hint %q", provider.HintOf(err))
	}
}

// TestFiles reads statements from files, and writes rows to files.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	inner := write("inner.sql", "\ufeffecho\n b;\n\n\\pset jsonl\necho c")
	outer := write("outer.sql", "echo a;\n\\i "+inner+"\necho d;\n")
	if out, _, _, err := script(t, ".read '"+outer+"'\n"); err != nil || out != "echo a\n\"echo\n b\"\n{\"n\":\"echo c\"}\n{\"n\":\"echo d\"}\n" {
		t.Errorf("got %q, %v", out, err)
	}
	failing := write("failing.sql", "echo a;\nfail;\necho b;\n")
	if out, _, _, err := script(t, `\i `+failing+"\n"); provider.CodeOf(err) != provider.API || out != "echo a\n" {
		t.Errorf("got %q, %v", out, err)
	}
	endless := write("endless.sql", `\i `+filepath.Join(dir, "endless.sql")+"\n")
	if _, _, _, err := script(t, `\i `+endless+"\n"); err == nil || err.Error() != "the files read each other, more than 16 deep" {
		t.Errorf("got %v", err)
	}
	out, said, _, err := script(t, `\copy (three) to '`+filepath.Join(dir, "a.csv")+"'\n"+
		`\copy (three) TO `+filepath.Join(dir, "b.txt")+" with (format json)\n"+
		`\copy (three) to `+filepath.Join(dir, "c.md")+"\n")
	if err != nil || out != "" || strings.Count(said, "3 rows to ") != 3 {
		t.Errorf("got %q, said %q, %v", out, said, err)
	}
	for name, want := range map[string]string{"a.csv": "n\n1\n2\n3\n", "b.txt": "[{\"n\":1},\n{\"n\":2},\n{\"n\":3}]\n", "c.md": "| n |\n| --- |\n| 1 |\n| 2 |\n| 3 |\n\n"} {
		if got := read(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	write("kept.csv", "old")
	if _, _, _, err := script(t, `\copy (half) to '`+filepath.Join(dir, "kept.csv")+"'\n"); err == nil || read("kept.csv") != "old" {
		t.Errorf("a failed query: %v, the file has %q", err, read("kept.csv"))
	}
	if out, _, _, err := script(t, `\o `+filepath.Join(dir, "o.csv")+"\necho a;\nthree;\n\\o\necho b;\n"); err != nil || out != "echo b\n" || read("o.csv") != "echo a\n1\n2\n3\n" {
		t.Errorf("got %q, %v, the file has %q", out, err, read("o.csv"))
	}
}
