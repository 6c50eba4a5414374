package shell_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/internal/shell"
	"github.com/lakeql/lakeql/provider"
)

// script runs the shell over input that is no terminal.
func script(t *testing.T, input string) (out, said string, runner *fakeRunner, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	runner = &fakeRunner{err: &stderr}
	history := filepath.Join(t.TempDir(), "history")
	err = shell.Run(t.Context(), shell.Options{
		Runner:  runner,
		In:      strings.NewReader(input),
		Out:     &stdout,
		Err:     &stderr,
		Render:  render.Options{Format: render.CSV},
		History: history,
		PrintError: func(err error) {
			t.Errorf("error %v was printed: it is the caller's to print", err)
		},
	})
	if _, statErr := os.Stat(history); !errors.Is(statErr, os.ErrNotExist) {
		t.Error("a script left a history")
	}
	return stdout.String(), stderr.String(), runner, err
}

func TestScriptsRunWithoutPrompts(t *testing.T) {
	for name, test := range map[string]struct{ input, out string }{
		"nothing":                      {"", ""},
		"blank lines":                  {"\n \n\n", ""},
		"a statement":                  {"three;\n", "1\n2\n3\n"},
		"several on a line":            {"echo a; echo b;\n", "echo a\necho b\n"},
		"one on several lines":         {"echo\n\n  a;\n", "\"echo\n\n  a\"\n"},
		"line ends of Windows":         {"echo a\r\nb;\r\n", "\"echo a\nb\"\n"},
		"the last without a semicolon": {"echo a;\necho b\n", "echo a\necho b\n"},
		"the last without a line end":  {"echo a;\necho b", "echo a\necho b\n"},
		"what follows exit":            {"echo a;\nexit\necho b;\n", "echo a\n"},
		"exit inside a statement":      {"echo\nexit\n;\n", "\"echo\nexit\"\n"},
		"\\q inside a statement":       {"echo a;\necho\n\\q\n;\n", "echo a\n"},
		"\\q inside a text":            {"echo 'a\n\\q\n';\n", "\"echo 'a\n\\q\n'\"\n"},
		"another format":               {"\\o JSONL\necho a;\n", "{\"n\":\"echo a\"}\n"},
		"a stand-in for a line end":    {"echo ␤;\n", "echo ␤\n"},
	} {
		t.Run(name, func(t *testing.T) {
			out, said, runner, err := script(t, test.input)
			if err != nil {
				t.Fatal(err)
			}
			if out != test.out || said != "" {
				t.Errorf("got %q and said %q, want %q and nothing", out, said, test.out)
			}
			if runner.closed != runner.opened {
				t.Errorf("%d of %d rows were closed", runner.closed, runner.opened)
			}
		})
	}
}

func TestScriptsEndAtTheFirstError(t *testing.T) {
	for input, want := range map[string]struct {
		out  string
		code provider.Code
	}{
		"echo a;\nfail;\necho b;\n": {"echo a\n", provider.API},
		"echo a; half; echo b;\n":   {"echo a\n1\n", provider.Internal},
		"echo a;\n\\o yaml\necho b": {"echo a\n", provider.Usage},
		"echo a;\n\\x\necho b":      {"echo a\n", provider.Usage},
	} {
		out, _, runner, err := script(t, input)
		if err == nil || provider.CodeOf(err) != want.code || out != want.out {
			t.Errorf("%q: got %q and error %v, want %q and code %d", input, out, err, want.out, want.code)
		}
		if runner.closed != runner.opened {
			t.Errorf("%q: %d of %d rows were closed", input, runner.closed, runner.opened)
		}
	}
}

func TestHelpIsNotAResult(t *testing.T) {
	out, said, _, err := script(t, "\\?\n\\o\n")
	if err != nil || out != "" || !strings.Contains(said, "table, json, jsonl, csv, text, pptext") || !strings.HasSuffix(said, "\nrows go to the terminal, as csv\n") {
		t.Errorf("got %q, said %q, %v", out, said, err)
	}
	for line := range strings.Lines(said) {
		if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("a line of the help does not fit 80 columns: %s", line)
		}
	}
}

// endless is an input that never returns a line.
type endless struct{ done <-chan struct{} }

func (e endless) Read([]byte) (int, error) {
	<-e.done
	return 0, errors.New("closed")
}

func TestTheEndOfTheContextEndsTheWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := shell.Run(ctx, shell.Options{Runner: &fakeRunner{}, In: endless{t.Context().Done()}, Out: &bytes.Buffer{}, Err: &bytes.Buffer{}})
	if provider.CodeOf(err) != provider.Canceled || !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want that it was canceled", err)
	}
}
