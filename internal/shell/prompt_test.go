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

	"github.com/creack/pty"

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

// TestKeysTypedAhead types statements and Ctrl-D while another statement runs.
func TestKeysTypedAhead(t *testing.T) {
	term := start(t, "")
	term.send("pause;" + enter)
	term.expect("paused now\r\n")
	term.send("echo ahead;" + enter + "echo again;" + enter + ctrlD)
	term.expect("echo again;")
	if err := term.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	term.expect("| echo ahead |")
	term.expect("| echo again |")
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

// TestPastedText shows that pasted text runs at Enter and not before, and that Tab is a part of it.
func TestPastedText(t *testing.T) {
	term := start(t, "")
	script := "echo a" + tab + "b;\r\nthree;\necho 'c\rd';\x1b[2J"
	term.send(paste + script + ends)
	if before := term.expect("     '> d';[2J"); strings.Contains(before, "rows") || strings.Contains(before, "| echo") {
		t.Errorf("a statement ran before Enter: %q", before)
	}
	term.send(strings.Repeat(erase, 3))
	term.answers("", `| echo a\tb |`)
	term.send(up)
	term.expect("     '> d';")
	term.send(enter)
	term.expect(`| echo a\tb |`)
	term.expect("(3 rows, ")
	term.expect(`| echo 'c\nd' |`)
	term.expect("lakeql> ")
	term.send(paste + "echo e;\nfail;\necho f;" + ends + enter)
	term.expect("| echo e |")
	if after := term.expect("lakeql> "); !strings.Contains(after, "it failed") || strings.Contains(after, "| echo f") {
		t.Errorf("after a failed statement of a script: %q", after)
	}
	term.send(ctrlD)
	term.exits(0)
}

// TestPastedTextWithoutBrackets pastes to a terminal that does not mark pasted text.
func TestPastedTextWithoutBrackets(t *testing.T) {
	term := start(t, "")
	long := "echo " + strings.Repeat("0123456789 ", 60)
	term.send("echo" + enter + "a\tb" + enter + "; three;" + enter + long + ";" + enter)
	term.expect(`| echo\na\tb |`)
	term.expect("(3 rows, ")
	term.expect("| " + strings.TrimSpace(long) + " |\r\n")
	term.expect("lakeql> ")
	term.send(ctrlD)
	term.exits(0)
}

// TestEditingLinesOfAStatement goes up to a line of a statement, corrects it, and runs the whole. A new
// session recalls it as it was written.
func TestEditingLinesOfAStatement(t *testing.T) {
	path := historyFile(t)
	term := start(t, path)
	for _, line := range []string{"echo", "  wrong", "\tlast line"} {
		term.send(line + enter)
		term.expect("     -> ")
	}
	const statement = `| echo\n  right!\n\tlast line |`
	term.send(up + up + end + strings.Repeat(erase, 5) + "righ")
	term.expect("     ->   righ")
	term.send("t" + home + end + "!" + down + down)
	term.answers(";", statement)
	// The arrow keys move inside the recalled statement before they leave it.
	term.send("echo other;" + enter)
	term.expect("| echo other |")
	term.expect("lakeql> ")
	term.send("typed" + up + up)
	term.expect("     -> ;")
	term.send(up + up + end + erase + "?" + enter)
	term.expect(`| echo\n  right?\n\tlast line |`)
	term.expect("lakeql> ")
	term.send("typed" + up + down)
	term.answers(";", "| typed |")
	term.send(ctrlD)
	term.exits(0)

	term = start(t, path)
	term.send(up + up) // "typed;" is the last
	term.expect("     -> ;")
	term.answers("", `| echo\n  right?\n\tlast line |`)
	term.send(ctrlD)
	term.exits(0)
}

// TestALineInsideOfACompleteStatement begins one with Alt-Enter.
func TestALineInsideOfACompleteStatement(t *testing.T) {
	term := start(t, "")
	term.send("echo ab;" + left + left + "\x1b" + enter)
	term.expect("     -> b;")
	term.answers("", `| echo a\nb |`)
	term.send("echo" + enter)
	term.expect("     -> ")
	term.send(`\q` + enter)
	term.exits(0)
}

func TestSearchInTheHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(path, []byte("echo one␤  Two;\necho three;\necho two;\necho four;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	term := start(t, path)
	search := func(keys, shown, answer string) {
		t.Helper()
		term.send("typed" + ctrlR + keys)
		term.expect(shown)
		term.answers("", answer)
	}
	search("two", "search two: echo two;", "| echo two |")
	search("TWo"+erase+erase+"w", "search Tw: echo one", `| echo one\n  Two |`)
	search("echo"+ctrlR+ctrlR, "search echo: echo four;", "| echo four |")
	term.send("typed" + ctrlR + "nowhere")
	term.expect("no match for nowhere: ")
	term.send(ctrlC)
	term.expect("lakeql> typed")
	term.answers(";", "| typed |")
	term.send(ctrlR + "thr" + end + erase)
	term.expect("lakeql> echo three")
	term.answers("s;", "| echo threes |")
	term.send(ctrlD)
	term.exits(0)
}

// TestWideCharacters shows that the cursor moves over whole characters.
func TestWideCharacters(t *testing.T) {
	term := start(t, "")
	term.send("echo 日本 👩‍👩‍👧é" + left + left + "-" + left + left + erase)
	term.answers(end+";", "| echo 日 -👩‍👩‍👧é |")
	term.send("echo 👩‍👩‍👧" + erase)
	term.answers("x;", "| echo x |")
	term.send(ctrlD)
	term.exits(0)
}

// TestResize edits on in a window that is narrower than the statement.
func TestResize(t *testing.T) {
	term := start(t, "")
	term.send("echo 0123456789 0123456789" + enter)
	term.expect("     -> ")
	for _, width := range []uint16{20, 5, 200} {
		if err := pty.Setsize(term.file, &pty.Winsize{Rows: 6, Cols: width}); err != nil {
			t.Fatal(err)
		}
		term.send("x")
		term.expect("x")
	}
	term.answers(";", `| echo 0123456789 0123456789\nxxx |`)
	term.send(ctrlD)
	term.exits(0)
}

// TestEditOutside gives the statement that is being written to the program in EDITOR, by \e or its key.
func TestEditOutside(t *testing.T) {
	path := historyFile(t)
	term := start(t, path, "VISUAL=", `EDITOR=f() { stat -c %a "$1"; cat "$1"; printf 'echo edited\n;' >"$1"; }; f`)
	term.send("echo first" + enter)
	term.expect("     -> ")
	term.send("x\x18\x05")
	term.expect("600\r\necho first\r\nx\r\n")
	term.expect("echo edited\r\n;\r\n") // as it was written
	term.answers("", "| echo edited |")
	term.answers(up, "| echo edited |")
	term.answers(`\p`, "\r\necho edited\r\n;\r\n")
	if got := readHistory(t, path); !slices.Equal(got, []string{"echo edited␤;", `\p`}) {
		t.Errorf("the history is %q", got)
	}
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
	term.answers(up, `| echo\n'hunter2' |`) // who wrote it may write it again
	term.send(ctrlD)
	term.exits(0)

	term = start(t, path)
	term.answers(up, `| echo\n'****' |`)
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

// TestSetOfASetting says how to change the setting, because that was not its variable.
func TestSetOfASetting(t *testing.T) {
	t.Parallel()
	term := start(t, "")
	term.send("\\set page_limit 5" + enter)
	term.expect("SET page_limit = … changes that")
	term.expect("lakeql> ")
	term.send("echo :page_limit;" + enter)
	term.expect("echo 5")
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
	term.types("echo 1"+tab, "1")
	term.answers("2;", "| echo 12 |")
	term.types("echo lake.P"+tab, "\r\n") // two begin so
	if shown := term.expect("postgres   pipelines"); strings.Contains(shown, "evil") {
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
