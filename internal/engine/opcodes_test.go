package engine

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/statement"
)

// TestOpcodesAreKnown compiles every statement that stands in a test of this repository, and fails
// if SQLite's program for it has an instruction that the package bytecode has no entry for. Add the
// opcode to its table, with the way it goes on (https://sqlite.org/opcode.html).
func TestOpcodesAreKnown(t *testing.T) {
	texts := append(statementsOfTests(t, filepath.Join("..", "..")), statementsOfScripts(t, filepath.Join("..", "cli", "testdata", "script"))...)
	programs := 0
	unknown := map[string]string{} // a statement by opcode
	for _, text := range texts {
		programs += opcodesOf(t, text, unknown)
	}
	for code, text := range unknown {
		t.Errorf("the opcode %s is unknown; a statement with it: %s", code, text)
	}
	if programs < 300 {
		t.Errorf("only %d statements were compiled", programs)
	}
}

// opcodesOf compiles the statements of a text, adds unknown opcodes, and counts the programs. It makes the
// tables and views that an earlier CREATE of the text makes.
func opcodesOf(t *testing.T, text string, unknown map[string]string) (programs int) {
	t.Helper()
	statements, err := statement.Parse(text)
	if err != nil {
		return 0
	}
	s := planning(t)
	s.args = bind.NewArgs([]Arg{{Ordinal: 1, Value: "a"}, {Ordinal: 2, Value: "b"}, {Ordinal: 3, Value: "c"}})
	for _, st := range statements {
		p, err := s.planner().plan(st)
		if err != nil {
			continue
		}
		if p.program != nil {
			code, err := p.program.Bytecode()
			if err != nil {
				t.Fatal(err)
			}
			programs++
			for _, opcode := range code.Unknown() {
				unknown[opcode] = text
			}
		}
		if _, ok := st.(*statement.Create); !ok {
			p.discard()
			continue
		}
		rows, err := p.run(t.Context())
		if err == nil {
			err = rows.Close()
		}
		if err != nil {
			t.Logf("%s: %v", text, err)
		}
	}
	return programs
}

// statementsOfTests lists the string constants of all tests below a folder that may be statements.
func statementsOfTests(t *testing.T, root string) []string {
	t.Helper()
	seen := map[string]bool{}
	var texts []string
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		constants := constantsOf(file)
		ast.Inspect(file, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			text, ok := constants.text(e)
			if ok && !seen[text] && mayBeStatement(text) {
				seen[text] = true
				texts = append(texts, text)
			}
			return !ok
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// statementsOfScripts reads the SQL files of the command's stories.
func statementsOfScripts(t *testing.T, folder string) []string {
	t.Helper()
	scripts, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts in %s, %v", len(scripts), folder, err)
	}
	var texts []string
	for _, name := range scripts {
		script, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range script.Files {
			if strings.HasSuffix(file.Name, ".sql") {
				texts = append(texts, string(file.Data))
			}
		}
	}
	return texts
}

func mayBeStatement(text string) bool {
	words := strings.Fields(text)
	if len(words) == 0 {
		return false
	}
	switch strings.ToUpper(words[0]) {
	case "SELECT", "WITH", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE", "CREATE", "NATIVEQUERY", "EXPLAIN":
		return true
	}
	return false
}

// constants are the texts of a file's constants, by name.
type constants map[string]string

func constantsOf(file *ast.File) constants {
	all := constants{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if i < len(spec.Values) {
				if text, ok := all.text(spec.Values[i]); ok {
					all[name.Name] = text
				}
			}
		}
		return true
	})
	return all
}

// text works out an expression of literals, constants and +.
func (c constants) text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		text, ok := c[e.Name]
		return text, ok
	case *ast.BinaryExpr:
		before, ok := c.text(e.X)
		if !ok || e.Op != token.ADD {
			return "", false
		}
		after, ok := c.text(e.Y)
		return before + after, ok
	}
	return "", false
}
