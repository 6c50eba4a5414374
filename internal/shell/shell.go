// Package shell is the prompt: it reads statements from a terminal, or from a file or pipe in a
// terminal's place, runs them one after another and shows their rows.
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"regexp"
	"strings"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

// Runner is the part of an engine that the shell needs. It is called from one goroutine at a time.
type Runner interface {
	// Run carries out the statements of text in order and yields the rows of each, which the
	// shell closes before it asks for the next. An error is yielded once, as the last thing.
	Run(ctx context.Context, text string) iter.Seq2[provider.Rows, error]
	// Waits returns what the end of text waits for: a quote, "$", "/*", "(", or ";" if only that is
	// missing. It is empty if the statements can run, or if no further line can make them right.
	Waits(text string) string
	// Used returns what USE chose to complete short names, for the prompt; empty if it chose nothing.
	Used() string
	// Shown returns text with a mask in place of possible credentials, for the history. It is empty
	// if nothing else is left of the text.
	Shown(text string) string
	// Suggest returns the candidates for the word that ends at the cursor, a byte offset in text. Words
	// consist of letters, digits, _, $ and @; a dot ends a word, so that the suggestions for
	// provider.ser are names of services without the provider's name. The shell drops suggestions that
	// do not begin with the word, and ignores case.
	Suggest(text string, cursor int) []string
}

// Options are the parts that the shell uses. Only History may be empty.
type Options struct {
	Runner Runner
	// In is where statements come from. Lines are edited when it is [os.Stdin] and that and
	// [os.Stdout] are a terminal.
	In io.Reader
	// Out takes the rows only; Err takes all messages.
	Out, Err io.Writer
	// Render is how rows are written at first.
	Render render.Options
	// Show writes the rows of a statement to Out, and returns their number. Nil means [render.Write].
	Show func(ctx context.Context, out io.Writer, rows provider.Rows, opts render.Options) (int64, error)
	// Begin, if set, is called before each statement. The returned function is called at its end.
	Begin func() (end func())
	// History is the file that keeps statements from one session to the next. It is made when
	// there is something to keep, readable by its owner alone. Empty: nothing is kept.
	History string
	// Connection describes the workspace and the credential.
	Connection string
	// Banner is printed above the first prompt, if a person sits at the terminal.
	Banner string
	// PrintError shows an error after which the session goes on.
	PrintError func(err error)
}

// prompts returns the prompts of a statement's first line and of its further lines.
func (s *session) prompts() (first, further string) {
	name := "lakeql"
	if used := s.opts.Runner.Used(); used != "" {
		name = used
	}
	return name + "> ", strings.Repeat(" ", max(len(name)-1, 0)) + "-> "
}

// Run reads and runs statements until the input ends, or until exit, quit or \q.
//
// If In is a terminal, Run shows prompts and prints the errors of statements. An interrupt stops the
// running statement, never the shell; Run fails only if ctx ends or the terminal fails. Otherwise the
// input is a script: the first error or interrupt ends it, the last statement needs no semicolon, and Run
// returns the error without printing it.
//
// Run listens for interrupts itself: an interrupt must not end ctx.
func Run(ctx context.Context, opts Options) error {
	s := newSession(opts)
	defer s.in.close()
	if s.person {
		// Between a statement and the next prompt nothing waits for interrupts. An interrupt must not end the
		// process at that time, because the terminal would stay without echo.
		unheard := make(chan os.Signal, 1)
		signal.Notify(unheard, os.Interrupt)
		defer signal.Stop(unheard)
	}
	if s.person && opts.Banner != "" {
		s.say("%s\n", opts.Banner)
	}
	defer func() {
		if err := s.closeFile(); err != nil {
			opts.PrintError(err)
		}
	}()
	for {
		entry, err := s.read(ctx)
		switch {
		case errors.Is(err, errCleared):
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		err = s.handle(ctx, entry)
		switch {
		case errors.Is(err, errLeave):
			return nil
		case err != nil && (!s.person || ctx.Err() != nil):
			return err
		case err != nil:
			opts.PrintError(err)
		}
	}
}

// closeFile closes the file of \o, if there is one.
func (s *session) closeFile() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	if err != nil {
		return render.FileError(err)
	}
	return nil
}

var (
	errCleared = errors.New("input cleared") // by Ctrl-C
	errLeave   = errors.New("leave")
)

// session is one run of the shell.
type session struct {
	opts      Options
	person    bool // somebody sits at the terminal
	in        input
	completer *completer
	history   *history    // nil where lines are not edited
	earlier   string      // lines of a statement that goes on
	last      string      // the statements that ran last
	file      *os.File    // that takes the rows; nil: Out does
	untimed   bool        // no durations
	nested    int         // how many files are being read
	reading   chan answer // of the read under way; nil when there is none
}

func newSession(opts Options) *session {
	if opts.Show == nil {
		opts.Show = render.Write
	}
	if opts.Begin == nil {
		opts.Begin = func() func() { return func() {} }
	}
	s := &session{opts: opts, person: terminal.Is(opts.In), completer: &completer{runner: opts.Runner}}
	if s.person && canEdit(opts.In) {
		editor := newEditor(s.completer.complete)
		s.in, s.history = editor, openHistory(opts.History, editor.state)
		return s
	}
	asking := func(string) {}
	if s.person {
		asking = func(prompt string) { s.say("%s", prompt) }
	}
	s.in = newLines(opts.In, asking)
	return s
}

// entry is what a person typed: statements, a command, or statements and the command that ends them.
type entry struct {
	statements string // with their line ends
	command    string
}

// read returns the next entry. At the end of the input it returns io.EOF.
func (s *session) read(ctx context.Context) (entry, error) {
	s.earlier = ""
	for {
		line, err := s.ask(ctx, s.prompt())
		switch {
		case errors.Is(err, io.EOF) && s.person:
			s.say("\n") // the cursor stands behind the prompt
			return entry{}, err
		case errors.Is(err, io.EOF) && s.earlier != "":
			return entry{statements: strings.TrimSuffix(s.earlier, "\n")}, nil
		case err != nil:
			return entry{}, err
		case s.earlier == "" && isBlank(line):
			continue
		}
		text := s.earlier + line
		if s.earlier != "" && strings.TrimSpace(line) == `\q` && !s.isQuoted() {
			return entry{command: `\q`}, nil
		}
		if complete, ok := s.complete(text, s.earlier == ""); ok {
			return complete, nil
		}
		s.earlier = text + "\n"
	}
}

// isQuoted reports whether the lines so far end inside of a text or comment.
func (s *session) isQuoted() bool {
	open := s.opts.Runner.Waits(s.earlier)
	return open != ";" && open != "("
}

// prompt shows what the lines so far wait for: a quote, a bracket or the end of a comment.
func (s *session) prompt() string {
	first, further := s.prompts()
	if s.earlier == "" {
		return first
	}
	open := s.opts.Runner.Waits(s.earlier)
	switch open {
	case "", ";":
		return further
	case "/*":
		open = "*"
	}
	return strings.Replace(further, "-", open, 1)
}

// ending matches a command behind a statement, in place of a semicolon.
var ending = regexp.MustCompile(`(?s)^(.*\S)\s*(\\(?:g|gx|watch(?:\s+[0-9.]+)?))\s*$`)

// complete returns the entry of a text; false if it goes on in the next line. first is set if the text
// has no earlier lines.
func (s *session) complete(text string, first bool) (entry, bool) {
	if first && isCommand(text) {
		return entry{command: text}, true
	}
	if s.opts.Runner.Waits(text) == "" {
		return entry{statements: text}, true
	}
	if parts := ending.FindStringSubmatch(text); parts != nil {
		if statements := strings.TrimRight(parts[1], "; ") + ";"; s.opts.Runner.Waits(statements) == "" {
			return entry{statements, parts[2]}, true
		}
	}
	return entry{}, false
}

// handle runs a command or statements.
func (s *session) handle(ctx context.Context, e entry) error {
	if e.statements == "" {
		err := s.command(ctx, e.command)
		if err == nil && s.history != nil && s.nested == 0 { // one that leaves would stand first in every next session
			if err := s.history.add(e.command); err != nil {
				s.opts.PrintError(err)
			}
		}
		return err
	}
	s.last = e.statements
	if s.nested == 0 {
		s.keep(e.statements)
	}
	if e.command != "" {
		return s.command(ctx, e.command)
	}
	return s.run(ctx, e.statements)
}

// keep adds a text to the history, without possible credentials.
func (s *session) keep(text string) {
	if s.history == nil {
		return
	}
	if text = s.opts.Runner.Shown(text); text == "" {
		return
	}
	if err := s.history.add(text); err != nil {
		s.opts.PrintError(err)
	}
}

// say prints a message. It ignores write errors, because the message is not essential.
func (s *session) say(format string, args ...any) { _, _ = fmt.Fprintf(s.opts.Err, format, args...) }

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }
