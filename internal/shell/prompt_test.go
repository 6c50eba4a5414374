//go:build unix

package shell_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

func historyFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "state", "history")
}

func readHistory(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestRowsAndTheirNumber(t *testing.T) {
	term := start(t, "")
	term.send("three;" + enter)
	term.expect("|---|\r\n| n |\r\n|---|\r\n| 1 |\r\n| 2 |\r\n| 3 |\r\n|---|\r\n(3 rows, ")
	term.expect(" ms)\r\nlakeql> ")
	term.answers("echo x; none;", "(1 row, ")
	term.send("none;" + enter)
	term.expect("(done, ")
	term.expect("lakeql> ")
	term.send(ctrlD)
	term.exits(0)
}

func TestErrorsDoNotEndTheSession(t *testing.T) {
	term := start(t, "")
	term.answers("fail;", fmt.Sprintf("error %d: it failed\r\n", provider.API))
	term.answers("half; echo x;", "| 1 |\r\nerror 0: it broke off\r\n")
	term.answers("three;", "(3 rows, ")
	term.send("exit" + enter)
	term.exits(0)
}

func TestInterruptStopsTheStatementNotTheShell(t *testing.T) {
	term := start(t, "")
	for range 3 {
		term.send("block;" + enter)
		term.expect("blocked now\r\n")
		term.send(ctrlC)
		term.expect(fmt.Sprintf("error %d: canceled: not all rows were written\r\n", provider.Canceled))
		term.expect("lakeql> ")
	}
	term.answers("three;", "(3 rows, ")
	term.send("block; three;" + enter)
	term.expect("blocked now\r\n")
	term.send(ctrlC)
	if between := term.expect("lakeql> "); strings.Contains(between, "(3 rows") {
		t.Errorf("a statement after the interrupted one ran: %q", between)
	}
	term.send(ctrlD)
	term.exits(0)
}

func TestInterruptAtThePromptClearsTheInput(t *testing.T) {
	path := historyFile(t)
	term := start(t, path)
	term.clears("garbage")
	term.send("echo more" + enter)
	term.expect("     -> ")
	term.clears("garbage")
	term.answers("echo good;", "| echo good |\r\n")
	if got := readHistory(t, path); !slices.Equal(got, []string{"echo good;"}) {
		t.Errorf("the history is %q", got)
	}
	term.send(ctrlD)
	term.exits(0)
}

func TestStatementsOverSeveralLines(t *testing.T) {
	path := historyFile(t)
	term := start(t, path)
	for _, line := range [][2]string{{"echo 'a", "     '> "}, {"", "     '> "}, {"  b' -- why", "     -> "}} {
		term.send(line[0] + enter)
		term.expect(line[1])
	}
	const shown = `| echo 'a\n\n  b' -- why |` // as the table has it
	term.answers(";", shown)
	if got := readHistory(t, path); !slices.Equal(got, []string{"echo 'a␤␤  b' -- why␤;"}) {
		t.Errorf("the history is %q", got)
	}
	// Recalled, it is the same statement, in this session and in the next.
	term.answers(up, shown)
	term.send(`\q` + enter)
	term.exits(0)

	term = start(t, path)
	term.answers(up, shown)
	if got := readHistory(t, path); len(got) != 1 {
		t.Errorf("the history is %q: a statement that was repeated stands there twice", got)
	}
	term.send("quit;" + enter)
	term.exits(0)
}

func TestPastedText(t *testing.T) {
	term := start(t, "")
	long := "echo " + strings.Repeat("0123456789 ", 60)
	term.send("echo" + enter + "a\tb" + enter + "; three;" + enter + long + ";" + enter)
	term.expect(`| echo\na b |`)
	term.expect("(3 rows, ")
	term.expect("| " + strings.TrimSpace(long) + " |\r\n")
	term.expect("lakeql> ")
	term.send(ctrlD)
	term.exits(0)
}

func TestHistoryIsTheOwnersAndHoldsNoSecrets(t *testing.T) {
	path := historyFile(t)
	term := start(t, path)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("the history was made before there was a statement")
	}
	term.answers("echo first;", "| echo first |")
	term.answers("echo 'hunter2';", "| echo 'hunter2' |")
	term.send("echo" + enter)
	term.expect("     -> ")
	term.answers("'hunter2';", `| echo\n'hunter2' |`)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the history has mode %v (%v), want 0600", info.Mode(), err)
	}
	if got := readHistory(t, path); !slices.Equal(got, []string{"echo first;", "echo '****';", "echo␤'****';"}) {
		t.Errorf("the history is %q", got)
	}
	term.answers(up, `| echo\n'****' |`) // the secret cannot be recalled either
	term.send(ctrlD)
	term.exits(0)
}

func TestHistoryFileThatOthersCanRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(path, []byte("old;\n\x1b[2J\n\xff\n\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	term := start(t, path)
	term.answers(up, "| old |") // the lines after it are damaged
	term.answers("three;", "(3 rows, ")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the history has mode %v (%v), want 0600", info.Mode(), err)
	}
	term.send(ctrlD)
	term.exits(0)
}

func TestLongHistoryIsShortened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	var text strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&text, "echo %d;\n", i)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	term := start(t, path)
	if got := readHistory(t, path); len(got) != 1000 || got[999] != "echo 2499;" {
		t.Errorf("the history has %d lines", len(got))
	}
	term.answers(up, "| echo 2499 |")
	term.send(ctrlD)
	term.exits(0)
}

func TestHistoryThatCannotBeKeptIsSaidOnce(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	term := start(t, filepath.Join(blocked, "history"))
	term.send("echo a;" + enter)
	term.expect("error 0: statements are not kept: ")
	term.expect("| echo a |")
	term.expect("lakeql> ")
	if before := term.answers("echo b;", "| echo b |"); strings.Contains(before, "not kept") {
		t.Error("said twice")
	}
	term.answers(up, "| echo b |")
	term.send(ctrlD)
	term.exits(0)
}

// TestThePromptShowsWhatUseChose in the first line and, by its width, in further ones.
func TestThePromptShowsWhatUseChose(t *testing.T) {
	t.Parallel()
	term := start(t, "")
	term.send("USE one.two;" + enter)
	term.expect("one.two> ")
	term.send("echo (" + enter)
	term.expect("      -> ")
	term.send(";" + enter)
	term.expect("one.two> ")
}

func TestCommands(t *testing.T) {
	path := historyFile(t)
	term := start(t, path)
	term.answers(`\o json`, enter)
	term.answers("three;", "[{\"n\":1},\r\n{\"n\":2},\r\n{\"n\":3}]\r\n(3 rows, ")
	term.answers(`\o`, "rows go to the terminal, as json\r\n")
	term.answers(`\o yaml`, fmt.Sprintf("error %d: unknown output format \"yaml\"", provider.Usage))
	term.answers(`\nonsense`, fmt.Sprintf("error %d: unknown command \"\\\\nonsense\"", provider.Usage))
	term.answers("help;", "Ctrl-C clears")
	term.answers(`\?`, "Ctrl-C clears")
	term.send("EXIT;" + enter)
	term.exits(0)
	if got := readHistory(t, path); slices.Contains(got, "EXIT;") || !slices.Contains(got, `\o json`) {
		t.Errorf("the history is %q", got)
	}
}

func TestCompletion(t *testing.T) {
	term := start(t, "")
	term.types("se"+tab, "SELECT")
	term.answers("x;", "| SELECTx |")
	term.types("echo lake.po"+tab, "lake.postgres")
	term.answers(";", "| echo lake.postgres |")
	term.types("echo lake.P"+tab, "lake.P") // two begin so
	term.answers(";", "| echo lake.P |")
	term.types("echo 1"+tab, "1 ")
	term.answers("2;", "| echo 1 2 |")
	term.types("echo lake.p"+tab, "lake.p")
	term.types(tab, "\r\n")
	if shown := term.expect("pipelines"); strings.Contains(shown, "evil") {
		t.Errorf("a name that does not print was shown: %q", shown)
	}
	term.types("i"+tab, "lake.pipelines")
	term.answers(";", "| echo lake.pipelines |")
	term.send("echo" + enter)
	term.expect("     -> ")
	term.types("s"+tab, "second_line")
	term.answers(";", `| echo\nsecond_line |`)
	term.types(`\o js`+tab, `\o json`)
	term.answers("l", enter)
	term.answers("three;", "{\"n\":1}\r\n{\"n\":2}\r\n")
	term.send(ctrlD)
	term.exits(0)
}

func TestTheEndOfTheContextGivesTheTerminalBack(t *testing.T) {
	for name, begin := range map[string]func(*terminal){
		// Wait for the echo: a change that liner makes just after the prompt would stay.
		"at the prompt": func(term *terminal) {
			term.send("typed")
			term.expect("typed")
		},
		"in a statement": func(term *terminal) {
			term.send("block;" + enter)
			term.expect("blocked now")
		},
	} {
		t.Run(name, func(t *testing.T) {
			term := start(t, "")
			begin(term)
			if err := term.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			term.expect(fmt.Sprintf("Run: error %d: ", provider.Canceled))
			term.exits(1)
		})
	}
}

func TestTerminalWithoutEditing(t *testing.T) {
	term := start(t, "", "TERM=dumb")
	term.answers("echo a;", "| echo a |")
	term.send("echo more\n")
	term.expect("     -> ")
	term.send("garbage" + ctrlC)
	term.expect("\nlakeql> ")
	term.answers("echo good;", "| echo good |")
	term.send("block;\n")
	term.expect("blocked now")
	term.send(ctrlC)
	term.expect("canceled")
	term.expect("lakeql> ")
	term.send(ctrlD)
	term.exits(0)
}

func TestInterruptEndsAScript(t *testing.T) {
	cmd := shellCommand(t, "")
	cmd.Stdin = strings.NewReader("block;\nthree;\n")
	var out bytes.Buffer
	cmd.Stdout = &out
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	b := make([]byte, 256)
	for !strings.Contains(said.String(), "\n") {
		n, err := stderr.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		said.Write(b[:n])
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, err := said.ReadFrom(stderr); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("got %v, want exit status 1", err)
	}
	if out.String() != "" || !strings.Contains(said.String(), fmt.Sprintf("Run: error %d: canceled", provider.Canceled)) {
		t.Errorf("got %q and said %q", out.String(), said.String())
	}
}
