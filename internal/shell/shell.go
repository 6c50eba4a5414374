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

	"github.com/mattn/go-runewidth"

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
	// Kept returns text with a mask in place of possible credentials, and with its references to
	// variables, for the history. It is empty if nothing else is left of the text.
	Kept(text string, isVariable func(name string) bool) string
	// Interpolate puts values in place of references to variables, such as :name, in text.
	Interpolate(text string, value func(name string) (string, bool)) string
	// HasSetting reports whether SET knows a name.
	HasSetting(name string) bool
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
	// Out takes the rows, and what \echo prints; Err takes all messages.
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

// firstPrompt returns the prompt of a statement's first line.
func firstPrompt(runner Runner) string {
	if used := runner.Used(); used != "" {
		return used + "> "
	}
	return "lakeql> "
}

// furtherPrompt returns the prompt of a further line, as wide as the first one. It shows what the lines
// above wait for.
func furtherPrompt(first, open string) string {
	mark := open
	switch open {
	case "", ";":
		mark = "-"
	case "/*":
		mark = "*"
	}
	return runewidth.FillLeft(mark+"> ", runewidth.StringWidth(first))
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
		entries, err := s.read(ctx)
		switch {
		case errors.Is(err, errCleared):
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		s.keep(entries)
		err = s.handleAll(ctx, entries)
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
	opts    Options
	person  bool // somebody sits at the terminal
	in      input
	editor  *editor     // in, where texts are edited; else nil
	earlier string      // lines of a statement that goes on, without an editor
	last    string      // the statements that ran last
	file    *os.File    // that takes the rows; nil: Out does
	untimed bool        // no durations
	nested  int         // how many files are being read
	reading chan answer // of the read under way; nil when there is none

	variables *variables // which is opts.Runner
}

func newSession(opts Options) *session {
	if opts.Show == nil {
		opts.Show = render.Write
	}
	if opts.Begin == nil {
		opts.Begin = func() func() { return func() {} }
	}
	vars := &variables{opts.Runner, map[string]string{}}
	opts.Runner = vars
	s := &session{opts: opts, person: terminal.Is(opts.In), variables: vars}
	if s.person && canEdit(opts.In) {
		s.editor = newEditor(opts.Runner, openHistory(opts.History))
		s.in = s.editor
		return s
	}
	asking := func(string) {}
	if s.person {
		asking = func(prompt string) { s.say("%s", prompt) }
	}
	s.in = newLines(opts.In, asking)
	return s
}

// read returns the next entries. At the end of the input it returns io.EOF.
func (s *session) read(ctx context.Context) ([]entry, error) {
	if s.editor != nil {
		return s.readText(ctx)
	}
	s.earlier = ""
	for {
		line, err := s.ask(ctx, s.prompt())
		switch {
		case errors.Is(err, io.EOF) && s.person:
			s.say("\n") // the cursor stands behind the prompt
			return nil, err
		case errors.Is(err, io.EOF) && s.earlier != "":
			return []entry{{statements: strings.TrimSuffix(s.earlier, "\n")}}, nil
		case err != nil:
			return nil, err
		case s.earlier == "" && isBlank(line):
			continue
		}
		if s.earlier != "" && leaves(s.opts.Runner, s.earlier, line) {
			return []entry{{command: `\q`}}, nil
		}
		if complete, ok := whole(s.opts.Runner, s.earlier+line, s.earlier == ""); ok {
			return []entry{complete}, nil
		}
		s.earlier += line + "\n"
	}
}

// readText returns the entries of a text from the editor.
func (s *session) readText(ctx context.Context) ([]entry, error) {
	text, err := s.ask(ctx, "") // the editor has its prompts
	if errors.Is(err, errOutside) {
		if !isBlank(text) {
			s.last = text
		}
		return []entry{{command: `\e`, untyped: true}}, nil
	}
	if err != nil {
		return nil, err
	}
	done, _ := split(s.opts.Runner, text)
	return done, nil
}

// prompt shows what the lines so far wait for: a quote, a bracket or the end of a comment.
func (s *session) prompt() string {
	first := firstPrompt(s.opts.Runner)
	if s.earlier == "" {
		return first
	}
	return furtherPrompt(first, s.opts.Runner.Waits(s.earlier))
}

// handleAll runs entries in order. The first error ends it.
func (s *session) handleAll(ctx context.Context, entries []entry) error {
	for _, e := range entries {
		if err := s.handle(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// handle runs a command or statements.
func (s *session) handle(ctx context.Context, e entry) error {
	if e.statements == "" {
		return s.command(ctx, e.command)
	}
	s.last = e.statements
	if e.command != "" {
		return s.command(ctx, e.command)
	}
	return s.run(ctx, s.variables.interpolate(e.statements))
}

// keep adds entries to the history as one text: as it was written for this session, and without possible
// credentials for later ones. It leaves out a command that ends the session, which would stand first in
// every next one.
func (s *session) keep(entries []entry) {
	if s.editor == nil {
		return
	}
	var written, shown []string
	for _, e := range entries {
		if e.statements == "" {
			if !e.untyped && !isLeaving(e.command) {
				written = append(written, e.command)
				if !strings.HasPrefix(strings.TrimSpace(e.command), `\set`) { // a value may be a secret
					shown = append(shown, e.command)
				}
			}
			continue
		}
		written = append(written, joined(e.statements, e.command))
		if text := s.variables.kept(e.statements); text != "" {
			shown = append(shown, joined(text, e.command))
		}
	}
	if err := s.editor.history.add(strings.Join(written, "\n"), strings.Join(shown, "\n")); err != nil {
		s.opts.PrintError(err)
	}
}

// joined returns statements with the command that ends them.
func joined(statements, command string) string {
	if command == "" {
		return statements
	}
	return strings.TrimSuffix(statements, ";") + " " + command
}

// say prints a message. It ignores write errors, because the message is not essential.
func (s *session) say(format string, args ...any) { _, _ = fmt.Fprintf(s.opts.Err, format, args...) }

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }
