package shell

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/peterh/liner"

	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

// input returns lines without their ends, and io.EOF after the last.
type input interface {
	line(prompt string) (string, error)
	close()
}

type answer struct {
	line string
	err  error
}

// ask reads a line. It returns errCleared if Ctrl-C clears the input.
//
// A read from a terminal cannot be interrupted, so a separate goroutine makes it. When ctx ends, this
// goroutine stays blocked until the process ends. After an interrupt, the next call takes over the
// pending read.
func (s *session) ask(ctx context.Context, prompt string) (string, error) {
	// In a window too narrow for editing, and without editing, Ctrl-C is a signal.
	interrupts := make(chan os.Signal, 1)
	if s.person {
		signal.Notify(interrupts, os.Interrupt)
		defer signal.Stop(interrupts)
	}
	if s.reading == nil {
		reading := make(chan answer, 1)
		s.reading = reading
		s.completer.begin(s.earlier)
		go func() {
			line, err := s.in.line(prompt)
			reading <- answer{line, err}
		}()
	} else {
		s.say("%s", prompt)
	}
	select {
	case got := <-s.reading:
		s.reading = nil
		return got.line, got.err
	case <-interrupts:
		s.say("\n")
		return "", errCleared
	case <-ctx.Done():
		return "", provider.Errorf(provider.Canceled, "stopped").Because(context.Cause(ctx))
	}
}

// canEdit reports whether lines can be edited: liner knows the process's own input and output
// only, and leaves some terminals alone.
func canEdit(in io.Reader) bool {
	return in == os.Stdin && terminal.Is(os.Stdin) && terminal.Is(os.Stdout) && liner.TerminalSupported()
}

// editor reads lines from a terminal, with editing, completion and history.
type editor struct {
	state         *liner.State
	plain, edited liner.ModeApplier // the terminal's modes before, and while lines are edited
}

func newEditor(complete liner.WordCompleter) *editor {
	plain, _ := liner.TerminalMode() // nil if the terminal does not tell
	state := liner.NewLiner()
	edited, _ := liner.TerminalMode()
	state.SetCtrlCAborts(true)
	state.SetMultiLineMode(true) // a long statement wraps, instead of showing a part of itself
	state.SetTabCompletionStyle(liner.TabPrints)
	state.SetWordCompleter(complete)
	return &editor{state, plain, edited}
}

// suspend gives the terminal to another program, as it was before. The returned function takes it back.
func (e *editor) suspend() (resume func()) {
	if e.plain == nil || e.edited == nil {
		return func() {}
	}
	_ = e.plain.ApplyMode()
	return func() { _ = e.edited.ApplyMode() }
}

func (e *editor) line(prompt string) (string, error) {
	line, err := e.state.Prompt(prompt)
	switch {
	case errors.Is(err, liner.ErrPromptAborted):
		return "", errCleared
	case errors.Is(err, io.EOF):
		return "", io.EOF
	case err != nil:
		return "", readError(err)
	}
	return unfold(line), nil
}

// close returns the terminal back as it was.
func (e *editor) close() { _ = e.state.Close() }

// lines reads a file, a pipe, or a terminal that cannot do more.
type lines struct {
	in     *bufio.Reader
	asking func(prompt string)
}

func newLines(in io.Reader, asking func(prompt string)) *lines {
	return &lines{in: bufio.NewReader(in), asking: asking}
}

func (l *lines) line(prompt string) (string, error) {
	l.asking(prompt)
	line, err := l.in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", readError(err)
	}
	if err != nil && line == "" {
		return "", io.EOF
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

func (l *lines) close() {}

func readError(err error) error {
	return provider.Internalf("read statements: %v", err).Because(err)
}
