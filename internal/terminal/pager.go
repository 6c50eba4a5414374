package terminal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/mattn/go-runewidth"
)

// Pager writes to a terminal. Output that is longer than the screen goes to the program in PAGER, or to
// less. Output is held until it is known to be longer, or until Close.
type Pager struct {
	out     *os.File
	command string
	width   int
	rows    int // that still fit the screen

	held    bytes.Buffer
	program *exec.Cmd
	input   io.WriteCloser // of program
	direct  bool           // there is no pager

	// OnOutput, if set, is called before anything appears on the screen.
	OnOutput func()
}

// ErrPagerLeft is returned by Write when the user has left the pager before the end of the output.
var ErrPagerLeft = errors.New("the user has left the pager")

// NewPager makes a pager for a terminal.
func NewPager(out *os.File) *Pager {
	width, height := Size(out)
	p := &Pager{out: out, command: pagerCommand(), width: width, rows: height - 1}
	p.direct = p.command == ""
	return p
}

// pagerCommand returns the command line of the pager; empty without one.
func pagerCommand() string {
	if command, ok := os.LookupEnv("PAGER"); ok {
		if command = strings.TrimSpace(command); command == "cat" {
			return ""
		}
		return command
	}
	if path, err := exec.LookPath("less"); err == nil {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return ""
}

// Write writes to the pager, or holds the output.
func (p *Pager) Write(b []byte) (int, error) {
	switch {
	case p.input != nil:
		return p.send(b)
	case p.direct:
		return p.print(b)
	}
	p.held.Write(b)
	for line := range bytes.Lines(b) {
		p.rows -= 1 + max(0, visibleWidth(line)-1)/p.width
	}
	if p.rows >= 0 {
		return len(b), nil
	}
	if err := p.start(); err != nil {
		p.direct = true
		_, err := p.print(p.held.Bytes())
		p.held.Reset()
		return len(b), err
	}
	if _, err := p.send(p.held.Bytes()); err != nil {
		return 0, err
	}
	p.held.Reset()
	return len(b), nil
}

// visibleWidth is the width of a line without its escape sequences.
func visibleWidth(line []byte) int {
	text := strings.TrimRight(string(line), "\r\n")
	for {
		from := strings.Index(text, "\x1b[")
		if from < 0 {
			return runewidth.StringWidth(text)
		}
		to := strings.IndexByte(text[from:], 'm')
		if to < 0 {
			return runewidth.StringWidth(text)
		}
		text = text[:from] + text[from+to+1:]
	}
}

// print writes to the terminal itself.
func (p *Pager) print(b []byte) (int, error) {
	p.appears()
	return p.out.Write(b)
}

// appears calls OnOutput once.
func (p *Pager) appears() {
	if p.OnOutput != nil {
		p.OnOutput()
		p.OnOutput = nil
	}
}

func (p *Pager) start() error {
	program := exec.Command("sh", "-c", p.command) //nolint:gosec,noctx // the user's own choice; Close waits for its end
	program.Stdout, program.Stderr = p.out, os.Stderr
	program.Env = os.Environ()
	if _, ok := os.LookupEnv("LESS"); !ok {
		program.Env = append(program.Env, "LESS=FRSX")
	}
	input, err := program.StdinPipe()
	if err != nil {
		return err
	}
	p.appears()
	if err := program.Start(); err != nil {
		return err
	}
	p.program, p.input = program, input
	return nil
}

func (p *Pager) send(b []byte) (int, error) {
	n, err := p.input.Write(b)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
		err = ErrPagerLeft
	}
	return n, err
}

// Close writes the held output, or waits until the user leaves the pager.
func (p *Pager) Close() error {
	if p.input != nil {
		_ = p.input.Close()  // the user may have left already
		_ = p.program.Wait() // its exit status says nothing about the rows
		return nil
	}
	if p.held.Len() == 0 {
		return nil
	}
	_, err := p.print(p.held.Bytes())
	return err
}
