package shell

import (
	"errors"
	"io"
	"maps"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"
	"github.com/reeflective/readline"
	"github.com/reeflective/readline/inputrc"
	"github.com/rivo/uniseg"
	"golang.org/x/term"

	"github.com/lakeql/lakeql/internal/terminal"
)

// canEdit reports whether statements can be edited: the editor knows the process's own input and output
// only, and needs a terminal that moves its cursor.
func canEdit(in io.Reader) bool {
	if in != os.Stdin || !terminal.Is(os.Stdin) || !terminal.Is(os.Stdout) {
		return false
	}
	switch os.Getenv("TERM") {
	case "", "dumb", "cons25":
		return runtime.GOOS == "windows"
	}
	return true
}

// editor reads texts of one or more lines from a terminal, with editing, completion, search and history.
//
// The library edits lines and draws them. This layer draws the prompts of all lines, completes, and
// searches. It replaces the library's menus, which need to ask the terminal for the position of the
// cursor: a terminal that does not answer would block the prompt, and every key would wait for the answer.
type editor struct {
	shell     *readline.Shell
	history   *history
	completer *completer
	runner    Runner
	before    *term.State // of the terminal; nil if it is unknown
	search    *search     // nil when there is none
	open      []openLine  // what the lines of the last drawing waited for
	begun     time.Time   // when the reading began; zero after its first key
}

func newEditor(runner Runner, history *history) *editor {
	e := &editor{runner: runner, history: history, completer: &completer{runner: runner}}
	e.before, _ = term.GetState(int(os.Stdin.Fd()))
	e.shell = readline.NewShell(inputrc.WithApp("lakeql"))
	e.shell.History.Delete()
	e.shell.History.Add("history", history)
	e.shell.Prompt.Primary(e.prompt)
	e.shell.SyntaxHighlighter = e.draw
	e.shell.PasteTransformer = printable
	e.shell.AcceptMultiline = func(line []rune) bool {
		e.completer.begin()
		_, rest := split(runner, string(line))
		return isBlank(rest)
	}
	e.configure()
	return e
}

// configure sets the library's options and commands. The user's inputrc may bind any key to them.
func (e *editor) configure() {
	for name, value := range map[string]any{
		"cursor-position-probe":  false,
		"enable-bracketed-paste": true,
		"multiline-column":       false,
		"blink-matching-paren":   false, // would count the characters of the prompts
		"history-autosuggest":    false,
		"autocomplete":           false,
		"convert-meta":           false,       // letters like é are no keys
		"revert-all-at-newline":  true,        // what was recalled stays as it was written
		"comment-begin":          "[^\\s\\S]", // no color for comments, which the library cannot tell from texts
	} {
		_ = e.shell.Config.Set(name, value) // fails for no name
	}
	if e.shell.Config.GetString("cursor-emacs") == "" {
		_ = e.shell.Config.Set("cursor-emacs", "default") // not the library's block
	}
	for _, keymap := range []string{"emacs", "vi-insert"} {
		// The library has a key with Alt as a letter with the eighth bit. Letters come as UTF-8.
		maps.DeleteFunc(e.shell.Config.Binds[keymap], func(keys string, bind inputrc.Bind) bool {
			return bind.Action == "self-insert" && keys >= "\u0080"
		})
		for keys, name := range boundKeys() {
			if e.shell.Config.Binds[keymap][inputrc.Unescape(keys)].Action == "" {
				_ = e.shell.Config.Bind(keymap, inputrc.Unescape(keys), name, false)
			}
		}
	}
	own := map[string]func(){
		"self-insert":      e.insert,
		"insert-line":      func() { e.shell.Cursor().InsertAt('\n') },
		"previous-history": func() { e.up(func() { e.walk(1) }) },
		"next-history":     func() { e.down(func() { e.walk(-1) }) },
		"insert-comment":   func() {},
	}
	commands := e.shell.Keymap.Commands()
	setMark, leave := commands["set-mark"], commands["end-of-file"]
	own["set-mark"] = func() {
		if e.isEarlyEnd() {
			leave()
			return
		}
		setMark()
	}
	own["up-line-or-history"], own["down-line-or-history"] = own["previous-history"], own["next-history"]
	for name, prefixed := range map[string]string{"history-search-backward": "up-line-or-search", "history-search-forward": "down-line-or-search"} {
		own[name] = commands[prefixed]
	}
	for _, name := range []string{"complete", "menu-complete", "menu-complete-backward", "possible-completions", "insert-completions", "delete-char-or-list", "menu-incremental-search"} {
		own[name] = e.complete
	}
	for _, name := range []string{"reverse-search-history", "incremental-reverse-search-history", "non-incremental-reverse-search-history"} {
		own[name] = func() { e.startSearch(older) }
	}
	for _, name := range []string{"forward-search-history", "incremental-forward-search-history", "non-incremental-forward-search-history"} {
		own[name] = func() { e.startSearch(newer) }
	}
	for _, name := range []string{"edit-command-line", "edit-and-execute-command", "vi-edit-command-line", "vi-edit-and-execute-command"} {
		own[name] = e.editOutside // the library's own file could be read by others
	}
	all := map[string]func(){}
	for name, run := range commands {
		if mine, ok := own[name]; ok {
			run = mine
		}
		all[name] = func() { e.run(name, run) }
	}
	for name, run := range own {
		if all[name] == nil {
			all[name] = func() { e.run(name, run) }
		}
	}
	e.shell.Keymap.Register(all)
}

// boundKeys returns the keys that terminals send and that the library leaves to the user's inputrc.
func boundKeys() map[string]string {
	return map[string]string{
		`\e\C-m`:  "insert-line",       // Alt-Enter
		`\e[1~`:   "beginning-of-line", // Home, in three ways
		`\e[7~`:   "beginning-of-line",
		`\eOH`:    "beginning-of-line",
		`\e[4~`:   "end-of-line", // End
		`\e[8~`:   "end-of-line",
		`\eOF`:    "end-of-line",
		`\e[3~`:   "delete-char",
		`\e[5~`:   "previous-history", // page up
		`\e[6~`:   "next-history",
		`\e[1;5C`: "forward-word", // with Ctrl
		`\e[1;5D`: "backward-word",
		`\e[1;3C`: "forward-word", // with Alt
		`\e[1;3D`: "backward-word",
		`\e[2~`:   "skip-csi-sequence",
	}
}

// run carries out a command of the library, or one of this layer in its place.
func (e *editor) run(name string, command func()) {
	if e.search != nil && e.searching(name) {
		return
	}
	if name != "set-mark" {
		e.begun = time.Time{}
	}
	before := e.shell.Cursor().Pos()
	var whole int // the number of code points that the character before the cursor has
	if name == "backward-delete-char" {
		whole = before - boundary(*e.shell.Line(), before, false)
	}
	command()
	if name == "backward-delete-char" {
		for ; whole > 1 && e.shell.Cursor().Pos() > 0; whole-- {
			e.shell.Cursor().Dec()
			e.shell.Line().CutRune(e.shell.Cursor().Pos())
		}
		return
	}
	// The library moves by code points. The cursor must not stay inside of a character.
	pos, line := e.shell.Cursor().Pos(), *e.shell.Line()
	if pos != before && pos > 0 && pos < len(line) && boundary(line, pos+1, false) < pos {
		e.shell.Cursor().Set(boundary(line, pos, pos > before))
	}
}

// isEarlyEnd reports whether the key with the code zero is a Ctrl-D: the terminal makes that of one that
// was typed while a statement ran. Typed at the prompt it is Ctrl-Space.
func (e *editor) isEarlyEnd() bool {
	early := e.shell.Line().Len() == 0 && time.Since(e.begun) < time.Second
	e.begun = time.Time{}
	return early
}

// boundary returns where the character (a grapheme cluster) begins that the code point before pos is a
// part of, or where it ends.
func boundary(line []rune, pos int, end bool) int {
	start := pos
	for start > 0 && line[start-1] != '\n' {
		start--
	}
	at, state := start, -1
	rest := string(line[start:])
	for rest != "" {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		next := at + len([]rune(cluster))
		if next >= pos {
			if end {
				return next
			}
			return at
		}
		at = next
	}
	return pos
}

// insert adds the character that was typed. The library would add its first code point.
func (e *editor) insert() {
	e.shell.History.SkipSave()
	e.shell.Cursor().InsertAt([]rune(printable(string(e.shell.Keys.Caller())))...)
}

// up moves to the line above, or calls above in the first line.
func (e *editor) up(above func()) {
	if e.shell.Cursor().LinePos() > 0 {
		e.shell.Cursor().LineMove(-1)
		return
	}
	above()
}

// walk shows the text that is a number of places older in the history.
func (e *editor) walk(places int) {
	e.shell.History.Save()
	before := string(*e.shell.Line())
	e.shell.History.Walk(places)
	if string(*e.shell.Line()) != before { // the library may leave the cursor before the last character
		e.shell.Cursor().Set(e.shell.Line().Len())
	}
}

// down moves to the line below, or calls below in the last line.
func (e *editor) down(below func()) {
	if e.shell.Cursor().LinePos() < e.shell.Line().Lines() {
		e.shell.Cursor().LineMove(1)
		return
	}
	below()
}

// editOutside ends the reading, so that the session can give the text to the program in EDITOR.
func (e *editor) editOutside() {
	e.shell.History.Accept(false, false, errOutside)
	e.shell.Display.AcceptLine()
}

// errOutside says that the text goes to the program in EDITOR.
var errOutside = errors.New("edit elsewhere")

// line returns a text whose statements are complete, with its line ends.
func (e *editor) line(string) (string, error) {
	e.search, e.open, e.begun = nil, nil, time.Now()
	e.completer.begin()
	text, err := e.shell.Readline()
	switch {
	case errors.Is(err, readline.ErrInterrupt):
		return "", errCleared
	case errors.Is(err, errOutside):
		return text, errOutside
	case errors.Is(err, io.EOF):
		return "", io.EOF
	case err != nil:
		return "", readError(err)
	}
	return text, nil
}

// close returns the terminal as it was, also if a text is being edited.
func (e *editor) close() {
	if e.before != nil {
		_ = term.Restore(int(os.Stdin.Fd()), e.before)
	}
	_, _ = os.Stdout.WriteString("\x1b[?2004l") // no brackets around pasted text
}

// printable takes what a terminal would obey out of pasted text.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}

// prompt returns the prompt of the first line.
func (e *editor) prompt() string {
	if e.search != nil {
		return e.search.prompt()
	}
	return firstPrompt(e.runner)
}

// openLine is a text of whole lines, and what its end waits for.
type openLine struct{ text, open string }

// mostOpen is the number of lines above which the prompts do not show what is open: every one costs a
// reading of all lines above.
const mostOpen = 100

// draw returns the text with a prompt before each line but the first, which has the library's. The
// prompts have the width of the first: the library indents the lines by it.
func (e *editor) draw(text []rune) string {
	lines := strings.Split(string(text), "\n")
	first := e.prompt()
	var b strings.Builder
	b.WriteString(lines[0])
	above := lines[0] + "\n"
	for i, line := range lines[1:] {
		open := ""
		if len(lines) <= mostOpen {
			open = e.waits(i, above)
			above += line + "\n"
		}
		b.WriteString("\n\r" + furtherPrompt(first, open) + clearLine + line)
	}
	// The library counts on a row below the text. At the end of the screen this makes one.
	if columns, _ := terminal.Size(os.Stdout); columns > 0 && (runewidth.StringWidth(first)+runewidth.StringWidth(lines[len(lines)-1]))%columns == 0 {
		return b.String() + indexDown + indexDown + cursorUp + cursorUp
	}
	return b.String() + indexDown + cursorUp
}

const (
	clearLine = "\x1b[K"
	indexDown = "\x1bD" // also scrolls
	cursorUp  = "\x1b[A"
)

// waits returns what the lines above a line wait for, after the statements and commands that are complete.
func (e *editor) waits(i int, above string) string {
	if i < len(e.open) && e.open[i].text == above {
		return e.open[i].open
	}
	_, rest := split(e.runner, above)
	open := e.runner.Waits(rest)
	e.open = append(e.open[:min(i, len(e.open))], openLine{above, open})
	return open
}

// complete completes the word before the cursor, or lists the candidates.
func (e *editor) complete() {
	line, cursor := e.shell.Line(), e.shell.Cursor()
	before, after := string((*line)[:cursor.Pos()]), string((*line)[cursor.Pos():])
	if e.completer.isPasted(!e.shell.Keys.Empty()) {
		cursor.InsertAt('\t')
		return
	}
	word, candidates := e.completer.complete(before, after)
	insert := extension(word, candidates)
	switch {
	case insert != word:
		from := cursor.Pos() - len([]rune(word))
		line.Cut(from, cursor.Pos())
		cursor.Set(from)
		cursor.InsertAt([]rune(insert)...)
	case len(candidates) == 1: // the word is whole
		cursor.InsertAt(' ')
	case len(candidates) > 1:
		columns, rows := terminal.Size(os.Stdout)
		e.shell.Hint.SetTemporary(strings.Join(listed(candidates, columns, rows-line.Lines()-3), "\r\n"))
	}
}

// listed lays candidates out in columns from top to bottom. It returns no more than a number of rows.
func listed(candidates []string, width, rows int) []string {
	widest := 0
	for _, candidate := range candidates {
		widest = max(widest, runewidth.StringWidth(candidate))
	}
	columns := max(1, (width-1)/(widest+2))
	rows = max(1, rows)
	height := (len(candidates) + columns - 1) / columns
	var left int
	if height > rows {
		height = max(1, rows-1)
		left = max(0, len(candidates)-height*columns)
		candidates = candidates[:len(candidates)-left]
	}
	lines := make([]string, height)
	for i, candidate := range candidates {
		row := i % height
		if i+height < len(candidates) {
			candidate = runewidth.FillRight(candidate, widest+2)
		}
		lines[row] += candidate
	}
	for i, line := range lines {
		lines[i] = runewidth.Truncate(line, max(1, width-1), "…")
	}
	if left > 0 {
		lines = append(lines, "… and "+strconv.Itoa(left)+" more")
	}
	return lines
}
