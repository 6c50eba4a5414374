package cli_test

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestScripts plays the stories of testdata/script. Each file is what one user does, in a home of its
// own, with the exact output and exit status of every command. -update rewrites the outputs.
//
// Beside the commands of testscript a story has these:
//
//	workspace [--scale N] [--create-on-use] [--workspaces a,b] [--fault RULE]...
//
// starts an account with workspaces at 03:04:05 on 2 January 2026, and directs lakeql to it. --fault
// replaces the faults if it is running.
//
//	lakeql ARGUMENT...
//	exits STATUS lakeql ARGUMENT...
//
// runs the built command. It must exit with 0, or with the status. Its output has names for what differs
// from run to run: see [story.settle].
//
//	calls
//
// prints the requests to the workspaces since the last one, sorted, as calls may run at once.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, stories("testdata/script"))
}

// stories are the scripts of a folder. The variables are in the environment of each.
func stories(dir string, variables ...string) testscript.Params {
	return testscript.Params{
		Dir:                dir,
		UpdateScripts:      *update,
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Values[storyKey{}] = &story{t: env.T().(testing.TB)} // as Run documents
			env.Setenv("HOME", filepath.Join(env.WorkDir, ".home"))
			env.Setenv("TZ", "UTC")
			env.Vars = append(env.Vars, variables...)
			bin := filepath.Join(env.WorkDir, ".bin") // for what a shell does in a story
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			if err := os.Mkdir(bin, 0o700); err != nil {
				return err
			}
			return os.Symlink(os.Getenv("LAKEQL_UNDER_TEST"), filepath.Join(bin, "lakeql"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"workspace": positive((*story).workspace),
			"lakeql":    positive(func(s *story, ts *testscript.TestScript, args []string) { s.lakeql(ts, 0, args) }),
			"exits": positive(func(s *story, ts *testscript.TestScript, args []string) {
				if len(args) < 2 || args[1] != "lakeql" {
					ts.Fatalf("usage: exits STATUS lakeql ARGUMENT...")
				}
				status, err := strconv.Atoi(args[0])
				ts.Check(err)
				s.lakeql(ts, status, args[2:])
			}),
			"calls": positive((*story).calls),
		},
	}
}

// story is one script, and the workspaces that it plays in.
type story struct {
	t      testing.TB
	server *emulator.Server // nil: none
}

type storyKey struct{}

// positive is a command of a story that takes no exclamation mark.
func positive(command func(*story, *testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, negated bool, args []string) {
		if negated {
			ts.Fatalf("use: exits STATUS lakeql ...")
		}
		command(ts.Value(storyKey{}).(*story), ts, args)
	}
}

func (s *story) workspace(ts *testscript.TestScript, args []string) {
	opts := emulator.Options{Clock: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }}
	flags := flag.NewFlagSet("workspace", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&opts.Scale, "scale", 0, "")
	flags.BoolVar(&opts.CreateOnUse, "create-on-use", false, "")
	names := flags.String("workspaces", "dbc-1,dbc-2", "")
	flags.Func("fault", "", func(text string) error {
		fault, err := emulator.ParseFault(text)
		opts.Faults = append(opts.Faults, fault)
		return err
	})
	ts.Check(flags.Parse(args))
	if s.server != nil {
		s.server.SetFaults(opts.Faults...)
		return
	}
	opts.Workspaces = strings.Split(*names, ",")
	s.server = testworld.StartEmulator(s.t, opts)
	ts.Setenv("DATABRICKS_HOST", s.server.URL())
	ts.Setenv("DATABRICKS_TOKEN", s.server.Token())
	ts.Setenv("DATABRICKS_ACCOUNT_ID", s.server.AccountID())
}

func (s *story) lakeql(ts *testscript.TestScript, want int, args []string) {
	err := ts.Exec(os.Getenv("LAKEQL_UNDER_TEST"), args...)
	status := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		status = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	here := strings.NewReplacer(ts.Getenv("WORK"), "$WORK", cmp.Or(ts.Getenv("STORE"), ts.Getenv("WORK")), "$STORE")
	stdout, stderr := s.settle(here.Replace(ts.ReadFile("stdout"))), s.settle(here.Replace(ts.ReadFile("stderr")))
	_, _ = io.WriteString(ts.Stdout(), stdout) // into memory
	_, _ = io.WriteString(ts.Stderr(), stderr)
	if status != want {
		ts.Fatalf("lakeql exited with %d, want %d", status, want)
	}
}

// settle replaces values that differ in each run by names: the port, random tokens and ids, the current time.
// The company's own times come from the workspace's clock, and stay.
func (s *story) settle(text string) string {
	address := `http://127\.0\.0\.1:\d+`
	if s.server != nil {
		address = regexp.QuoteMeta(s.server.URL())
	}
	for _, r := range []struct{ pattern, with string }{
		{address, "http://workspace"},
		{`\.localhost:\d+`, ".localhost"},
		{`eyJ[\w-]+\.[\w-]+\.[\w-]+`, "TOKEN"},
		{`operations/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`, "operations/ID"},
		{`request id [\w-]+`, "request id ID"},
		{`page token "[^"]+"`, `page token "TOKEN"`},
		{`; took [\w.]+`, "; took TIME"},
		{`(?m)(,http://[^,]*),[\w-]{36}$`, "$1,ID"}, // of SHOW ERRORS
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.with)
	}
	text = strings.Join(slices.DeleteFunc(strings.SplitAfter(text, "\n"), func(line string) bool { // how far a run has come
		return regexp.MustCompile(`^run \d+: `).MatchString(line) && !strings.Contains(line, "; took ")
	}), "")
	return regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`).ReplaceAllStringFunc(text, func(match string) string {
		at, err := time.Parse(time.RFC3339, match)
		if err == nil && time.Since(at).Abs() < 24*time.Hour {
			return "NOW"
		}
		return match
	})
}

func (s *story) calls(ts *testscript.TestScript, args []string) {
	if len(args) > 0 || s.server == nil {
		ts.Fatalf("usage: calls, after workspace")
	}
	count := map[string]int{}
	for _, r := range s.server.Requests() {
		call := fmt.Sprintf("%s: %s %s", r.Workspace, r.Method, r.Path)
		if r.Method != http.MethodGet { // those of lists hold tokens
			call = strings.TrimSpace(fmt.Sprintf("%s %s %s", call, r.Query, r.Body))
		}
		count[s.settle(call)]++
	}
	s.server.Reset()
	stdout := ts.Stdout()
	for _, call := range slices.Sorted(maps.Keys(count)) {
		if n := count[call]; n > 1 {
			call += fmt.Sprintf(" (%d times)", n)
		}
		_, _ = fmt.Fprintln(stdout, call) // into memory
	}
}
