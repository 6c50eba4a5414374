//go:build unix

package shell_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/internal/shell"
	"github.com/lakeql/lakeql/provider"
)

// historyVariable makes the test binary run the shell itself, with the history file it names.
const historyVariable = "LAKEQL_TEST_SHELL_HISTORY"

func TestMain(m *testing.M) {
	if history, ok := os.LookupEnv(historyVariable); ok {
		os.Exit(runShell(history))
	}
	os.Exit(m.Run())
}

func runShell(history string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err := shell.Run(ctx, shell.Options{
		Runner:  &fakeRunner{err: os.Stderr, pause: pause},
		In:      os.Stdin,
		Out:     os.Stdout,
		Err:     os.Stderr,
		Render:  render.Options{Format: render.Table, Header: true},
		History: history,
		PrintError: func(err error) {
			fmt.Fprintf(os.Stderr, "error %d: %v\n", provider.CodeOf(err), err)
		},
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "Run: error %d: %v\n", provider.CodeOf(err), err)
		return 1
	}
	return 0
}

// pause reports that it waits, and waits for the signal USR1.
func pause() {
	going := make(chan os.Signal, 1)
	signal.Notify(going, syscall.SIGUSR1)
	_, _ = fmt.Fprintln(os.Stderr, "paused now")
	<-going
}

func shellCommand(t *testing.T, history string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), append([]string{historyVariable + "=" + history, "TERM=xterm", "INPUTRC=" + os.DevNull, "GORACE=atexit_sleep_ms=0"}, env...)...)
	return cmd
}

// terminal is a shell at a pseudo-terminal, with its output.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	file   *os.File
	before *term.State
	output chan []byte // closed when the terminal is
	raw    string      // the beginning of a sequence
	seen   string      // what has come and is not consumed by expect, without the sequences
	exited bool
}

const (
	enter = "\r"
	tab   = "\t"
	up    = "\x1b[A"
	down  = "\x1b[B"
	left  = "\x1b[D"
	home  = "\x1b[H"
	end   = "\x1b[F"
	erase = "\x7f"
	ctrlR = "\x12"
	paste = "\x1b[200~"
	ends  = "\x1b[201~" // pasted text
	ctrlC = "\x03"
	ctrlD = "\x04"
)

// start runs the shell at a terminal of 80 columns and waits for its prompt.
func start(t *testing.T, history string, env ...string) *terminal {
	t.Helper()
	file, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	if err := pty.Setsize(file, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, cmd: shellCommand(t, history, env...), file: file, before: before, output: make(chan []byte, 16)}
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = tty, tty, tty
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The test keeps its end of the terminal open, to look at its state when the shell is gone.
	t.Cleanup(func() {
		if !term.exited {
			_ = term.cmd.Process.Kill()
			_ = term.cmd.Wait()
		}
		_ = tty.Close()
		for range term.output { // until the reader ends
		}
		_ = file.Close()
	})
	go func() {
		defer close(term.output)
		for {
			b := make([]byte, 4096)
			n, err := file.Read(b)
			if err != nil {
				return
			}
			term.output <- b[:n]
		}
	}()
	term.expect("lakeql> ")
	return term
}

func (t *terminal) send(text string) {
	t.t.Helper()
	if _, err := t.file.WriteString(text); err != nil {
		t.t.Fatal(err)
	}
}

// expect reads until the text appears, consumes the output up to the end of the text, and returns the
// output before the text.
func (t *terminal) expect(text string) string {
	t.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		if before, after, ok := strings.Cut(t.seen, text); ok {
			t.seen = after
			return before
		}
		select {
		case b, ok := <-t.output:
			if !ok {
				t.t.Fatalf("the terminal closed without %q; it had %q", text, t.seen)
			}
			t.take(string(b))
		case <-deadline:
			t.t.Fatalf("no %q; the terminal has %q", text, t.seen)
		}
	}
}

var sequence = regexp.MustCompile(`^\x1b(?:D|\[[0-?]*[ -/]*[@-~])`)

// take adds output without the sequences that move the cursor.
func (t *terminal) take(output string) {
	output = t.raw + output
	var text strings.Builder
	for t.raw = ""; output != ""; {
		escape := strings.IndexByte(output, '\x1b')
		if escape < 0 {
			text.WriteString(output)
			break
		}
		text.WriteString(output[:escape])
		output = output[escape:]
		found := sequence.FindString(output)
		if found == "" { // the rest of it has not come
			t.raw = output
			break
		}
		output = output[len(found):]
	}
	// The library writes \r\n, and the terminal makes \r\n of the \n.
	t.seen = strings.ReplaceAll(t.seen+text.String(), "\r\r\n", "\r\n")
}

// answers sends a line, and waits for its output and for the next prompt.
func (t *terminal) answers(line, text string) string {
	t.t.Helper()
	t.send(line + enter)
	before := t.expect(text)
	t.expect("lakeql> ")
	return before
}

// clears types text and takes it back.
func (t *terminal) clears(text string) {
	t.t.Helper()
	t.send(text)
	t.expect(text)
	t.send(ctrlC)
	t.expect("^C\r\n")
	t.expect("lakeql> ")
}

// types sends keys at the pace of a person, slower than pasted text, and waits for their effect.
func (t *terminal) types(keys, text string) {
	t.t.Helper()
	<-time.After(150 * time.Millisecond)
	t.send(keys)
	t.expect(text)
}

// exits waits for the shell to end and checks that it leaves the terminal as it was.
func (t *terminal) exits(status int) {
	t.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = t.cmd.Wait() // its exit status is looked at below
	}()
	select {
	case <-done:
		t.exited = true
	case <-time.After(20 * time.Second):
		t.t.Fatal("the shell does not end")
	}
	if got := t.cmd.ProcessState.ExitCode(); got != status {
		t.t.Errorf("exit status %d, want %d", got, status)
	}
	after, err := term.GetState(int(t.file.Fd()))
	if err != nil {
		t.t.Fatal(err)
	}
	if !reflect.DeepEqual(after, t.before) {
		t.t.Errorf("the terminal is left as %+v, and was %+v", after, t.before)
	}
}
