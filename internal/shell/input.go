package shell

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// input returns lines without their ends, or texts of several lines from the editor, and io.EOF after the
// last.
type input interface {
	line(prompt string) (string, error)
	close()
}

type answer struct {
	line string
	err  error
}

// ask reads a line or text. It returns errCleared if Ctrl-C clears the input.
//
// A read from a terminal cannot be interrupted, so a separate goroutine makes it. When ctx ends, this
// goroutine stays blocked until the process ends. After an interrupt, the next call takes over the
// pending read.
func (s *session) ask(ctx context.Context, prompt string) (string, error) {
	// Without editing, Ctrl-C is a signal.
	interrupts := make(chan os.Signal, 1)
	if s.person && s.editor == nil {
		signal.Notify(interrupts, os.Interrupt)
		defer signal.Stop(interrupts)
	}
	if s.reading == nil {
		reading := make(chan answer, 1)
		s.reading = reading
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
