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
	// Unfinished reports whether text wants another line: its last statement has no semicolon
	// yet, or a string or comment is still open.
	Unfinished(text string) bool
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
	// PrintError shows an error after which the session goes on.
	PrintError func(err error)
}

const (
	prompt       = "lakeql> "
	continuation = "     -> "
)

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
	for {
		text, err := s.read(ctx)
		switch {
		case errors.Is(err, errCleared):
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		err = s.handle(ctx, text)
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

// read returns a command, or one or more complete statements with their line ends. At the end of the
// input it returns io.EOF.
func (s *session) read(ctx context.Context) (string, error) {
	s.earlier = ""
	for {
		asking := prompt
		if s.earlier != "" {
			asking = continuation
		}
		line, err := s.ask(ctx, asking)
		switch {
		case errors.Is(err, io.EOF) && s.person:
			s.say("\n") // the cursor stands behind the prompt
			return "", err
		case errors.Is(err, io.EOF) && s.earlier != "":
			return strings.TrimSuffix(s.earlier, "\n"), nil
		case err != nil:
			return "", err
		case s.earlier == "" && isBlank(line):
			continue
		}
		text := s.earlier + line
		if s.earlier == "" && isCommand(text) || !s.opts.Runner.Unfinished(text) {
			return text, nil
		}
		s.earlier = text + "\n"
	}
}

// handle runs a command or statements.
func (s *session) handle(ctx context.Context, text string) error {
	if !isCommand(text) {
		s.keep(text)
		return s.run(ctx, text)
	}
	err := s.command(text)
	if err == nil && s.history != nil { // one that leaves would stand first in every next session
		if err := s.history.add(text); err != nil {
			s.opts.PrintError(err)
		}
	}
	return err
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
