//go:build unix

package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/lakeql/lakeql/internal/emulator"
)

// console is the command at a pseudo-terminal.
type console struct {
	t    *testing.T
	cmd  *exec.Cmd
	file *os.File
	all  bytes.Buffer
	at   int // the beginning of the output that expect has not consumed
	more chan []byte
}

// atTerminal starts the command at a terminal of a size.
func (r run) atTerminal(t *testing.T, width, height uint16) *console {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := r.command(ctx, t)
	cmd.Stdin = nil
	cmd.Env = append(cmd.Env, "TERM=xterm", "PATH="+os.Getenv("PATH"))
	file, err := pty.StartWithAttrs(cmd, &pty.Winsize{Rows: height, Cols: width}, &syscall.SysProcAttr{Setsid: true, Setctty: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	c := &console{t: t, cmd: cmd, file: file, more: make(chan []byte, 16)}
	go func() {
		defer close(c.more)
		for {
			b := make([]byte, 4096)
			n, err := file.Read(b)
			if n > 0 {
				c.more <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	return c
}

// expect reads until the output has the text.
func (c *console) expect(text string) {
	c.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		if i := strings.Index(c.all.String()[c.at:], text); i >= 0 {
			c.at += i + len(text)
			return
		}
		select {
		case b, ok := <-c.more:
			if !ok {
				c.t.Fatalf("the command ended without %q; it wrote %q", text, c.all.String())
			}
			c.all.Write(b)
		case <-deadline:
			c.t.Fatalf("no %q in %q", text, c.all.String())
		}
	}
}

func (c *console) send(keys string) {
	c.t.Helper()
	if _, err := io.WriteString(c.file, keys); err != nil {
		c.t.Fatal(err)
	}
}

// ends reads to the end of the command, and returns all of its output with plain line ends.
func (c *console) ends(status int) string {
	c.t.Helper()
	for b := range c.more {
		c.all.Write(b)
	}
	err := c.cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		c.t.Fatal(err)
	}
	if got := c.cmd.ProcessState.ExitCode(); got != status {
		c.t.Errorf("exit status %d, want %d; it wrote %q", got, status, c.all.String())
	}
	return strings.ReplaceAll(c.all.String(), "\r\n", "\n")
}

const selectProjects = "SELECT name, uid, create_time FROM databricks_workspace.postgres.postgres_projects ORDER BY name"

// TestTerminalTable writes a table that fits the terminal, in colours unless NO_COLOR is set. The same
// rows in a pipe stay whole.
func TestTerminalTable(t *testing.T) {
	_, env := workspace(t, emulator.Options{})
	rows := "SELECT 'projects/inventory/branches/production' AS name, NULL AS nothing, 'NULL' AS text, '' AS empty, 12 AS n, 'a longer text with several words' AS t UNION ALL SELECT 'b', NULL, '', 'x', 3, 'u'"
	plain := run{args: []string{"exec", rows}, env: append(env, "NO_COLOR=1", "PAGER=cat")}.atTerminal(t, 80, 24).ends(0)
	want := strings.Join([]string{
		"|-----------------------|---------|--------|-------|----|----------------------|",
		"| name                  | nothing | text   | empty |  n | t                    |",
		"|-----------------------|---------|--------|-------|----|----------------------|",
		"| projects/i…production | NULL    | 'NULL' | ''    | 12 | a longer text with … |",
		"| b                     | NULL    | ''     | x     |  3 | u                    |",
		"|-----------------------|---------|--------|-------|----|----------------------|",
		"",
	}, "\n")
	if plain != want {
		t.Errorf("got\n%s\nwant\n%s", plain, want)
	}
	colored := run{args: []string{"exec", rows}, env: append(env, "PAGER=cat")}.atTerminal(t, 80, 24).ends(0)
	if !strings.Contains(colored, "\x1b[1mname\x1b[0m") || regexp.MustCompile("\x1b\\[[0-9]m").ReplaceAllString(colored, "") != plain {
		t.Errorf("got %q", colored)
	}
	if piped := (run{args: []string{"exec", rows}, env: env}).do(t); !strings.Contains(piped.stdout, "| projects/inventory/branches/production | null    | NULL |") {
		t.Errorf("in a pipe: %s", piped.stdout)
	}
}

// TestTerminalPager gives rows to the pager if the screen is too small for them, and only then.
func TestTerminalPager(t *testing.T) {
	_, env := workspace(t, emulator.Options{})
	kept := filepath.Join(t.TempDir(), "kept")
	env = append(env, "NO_COLOR=1", "PAGER=cat > "+kept+"; echo paged")
	if out := (run{args: []string{"exec", selectProjects}, env: env}).atTerminal(t, 120, 24).ends(0); strings.Contains(out, "paged") || !strings.Contains(out, "projects/web-shop") {
		t.Errorf("a short table: got %s", out)
	}
	if out := (run{args: []string{"exec", selectProjects}, env: env}).atTerminal(t, 120, 6).ends(0); out != "paged\n" {
		t.Errorf("a long table: got %s", out)
	}
	if paged, err := os.ReadFile(kept); err != nil || !strings.Contains(string(paged), "projects/web-shop") {
		t.Errorf("the pager got %q, %v", paged, err)
	}
	// A user who leaves the pager early has seen enough: no error.
	many := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n"
	out := run{args: []string{"exec", many}, env: append(env, "PAGER=head -n 5 >/dev/null; echo left")}.atTerminal(t, 120, 6).ends(0)
	if out != "left\n" {
		t.Errorf("got %q", out)
	}
}

// TestTerminalStatus shows a line while calls take long, and removes it.
func TestTerminalStatus(t *testing.T) {
	_, env := workspace(t, emulator.Options{Faults: faults(t, "GET /api/2.0/postgres/projects: slow=1200ms")})
	c := run{args: []string{"exec", selectProjects}, env: append(env, "NO_COLOR=1", "PAGER=cat")}.atTerminal(t, 100, 24)
	c.expect("databricks_workspace.postgres.postgres_projects.list: 1 call under way, ")
	c.expect("(Ctrl-C stops)")
	out := c.ends(0)
	// Each state of the line ends with a return and the code that erases the line.
	last := out[strings.LastIndex(out, "\r\x1b[K")+len("\r\x1b[K"):]
	if !strings.HasPrefix(last, "|---") || strings.Contains(last, "Ctrl-C") {
		t.Errorf("the line is not removed: %q", out)
	}
	// In a pipe nothing but rows appears.
	if got := (run{args: []string{"exec", selectProjects}, env: env}).do(t); got.stderr != "" {
		t.Errorf("standard error: %q", got.stderr)
	}
}

// TestTerminalStatusOfFailure leaves nothing of the line before an error.
func TestTerminalStatusOfFailure(t *testing.T) {
	_, env := workspace(t, emulator.Options{Faults: faults(t, "GET /api/2.0/postgres/projects: slow=5s")})
	c := run{args: []string{"exec", selectProjects}, env: env}.atTerminal(t, 100, 24)
	c.expect("(Ctrl-C stops)")
	c.send("\x03")
	out := c.ends(1)
	last := out[strings.LastIndex(out, "\r\x1b[K")+len("\r\x1b[K"):]
	if !strings.HasPrefix(last, "error: ") {
		t.Errorf("got %q", last)
	}
}

// TestShellExpanded switches the layout of rows, as in psql.
func TestShellExpanded(t *testing.T) {
	_, env := workspace(t, emulator.Options{})
	c := run{args: []string{"shell"}, env: append(env, "NO_COLOR=1", "PAGER=cat")}.atTerminal(t, 80, 24)
	c.expect("lakeql> ")
	c.send("\\x on\r")
	c.expect("a value a line: on\r\n")
	c.send("SELECT 1 AS one, NULL AS nothing;\r")
	c.expect("-[ 1 ]")
	c.expect("one     | 1\r\nnothing | NULL\r\n")
	c.send("\\x off\r")
	c.expect("a value a line: off\r\n")
	c.send("SELECT 1 AS one;\r")
	c.expect("| one |\r\n")
	c.send("\\x sideways\r")
	c.expect("use on, off or auto")
	c.send("\x04")
	c.ends(0)
}

// TestParquetFile writes a file, and refuses to write one to a terminal.
func TestParquetFile(t *testing.T) {
	_, env := workspace(t, emulator.Options{})
	path := filepath.Join(t.TempDir(), "projects.parquet")
	if got := (run{args: []string{"exec", "-o", "parquet", "-f", path, selectProjects}, env: env}).do(t); got.status != 0 || got.stderr != "" || got.stdout != "" {
		t.Fatalf("%+v", got)
	}
	if data, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(data, []byte("PAR1")) || !bytes.HasSuffix(data, []byte("PAR1")) {
		t.Errorf("no Parquet file: %d bytes, %v", len(data), err)
	}
	out := run{args: []string{"exec", "-o", "parquet", selectProjects}, env: env}.atTerminal(t, 80, 24).ends(2)
	if !strings.Contains(out, "a Parquet file is not for a terminal") {
		t.Errorf("got %q", out)
	}
}

// TestShellHabits follows a user of psql: banner, editor, system, \\watch, and words that begin no
// statement.
func TestShellHabits(t *testing.T) {
	server, env := workspace(t, emulator.Options{})
	c := run{args: []string{"shell", "--store", ":memory:"}, env: append(env, "NO_COLOR=1", "PAGER=cat", "EDITOR=sed -i s/one/two/")}.atTerminal(t, 100, 40)
	c.expect("lakeql 1.2.3-test\r\nworkspace " + server.URL() + ", credential pat (environment)\r\ntables and views in memory, until the shell ends\r\n\\? lists the commands")
	c.expect("lakeql> ")
	if n := len(server.Requests()); n != 0 {
		t.Errorf("the banner cost %d requests", n)
	}
	c.send("hello\r")
	c.expect(`found "hello", expected a statement`)
	c.send(".tables\r")
	c.expect("| name |\r\n")
	c.expect("lakeql> ")
	c.send("SELECT ('one'\r")
	c.expect("     (> ")
	c.send(") AS n;\r")
	c.expect("| one |\r\n")
	c.expect("lakeql> ")
	c.send("\\e\r")
	c.expect("| two |\r\n")
	c.expect("lakeql> ")
	c.send("\\! stty -a | grep -o -w -- '-\\?icanon' | sed 's/^/mode /'; exit 7\r")
	c.expect("mode icanon\r\n") // the terminal is as a program expects it
	c.expect("exit status 7\r\n")
	c.expect("lakeql> ")
	c.send("\\watch 0.05\r")
	for range 3 {
		c.expect(", every 50ms, Ctrl-C ends\r\n")
		c.expect("| two |\r\n")
	}
	c.send("\x03")
	c.expect("lakeql> ")
	c.send("USE databricks_workspace.postgres;\r")
	c.expect("databricks_workspace.postgres> ")
	c.send("SHOW INSERT /*+ REQUIRED */ INTO postgres_projects;\r")
	c.expect("INSERT INTO databricks_workspace.postgres.postgres_projects (\r\n  deployment_name,\r\n  project_id\r\n)\r\nSELECT\r\n")
	c.expect("> ")
	c.send("\\conninfo\r")
	c.expect("workspace " + server.URL())
	c.expect("short names belong to databricks_workspace.postgres\r\n")
	c.send("\\timing off\r")
	c.expect("timing: off\r\n")
	c.send("SELECT 1 AS n \\gx\r")
	c.expect("n | 1\r\n(1 row)\r\n")
	c.send("\\q\r")
	c.ends(0)
}
