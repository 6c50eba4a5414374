package cli

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

// report prints an error: the failure and its place, the line of the statement with a caret below the
// place, and the hint.
func (c *command) report(err error) {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return // who reads our output has left
	}
	if _, ok := errors.AsType[exited](err); ok {
		return
	}
	for _, line := range c.held {
		c.note("%s", line)
	}
	c.held = nil
	_, _ = fmt.Fprintf(c.stderr, "error: %s\n", err)
	if e, ok := errors.AsType[*provider.Error](err); ok && e.Position.Line > 0 && c.shown != nil {
		c.excerpt(e.Position)
	}
	if hint := provider.HintOf(err); hint != "" {
		_, _ = fmt.Fprintf(c.stderr, "hint: %s\n", hint)
	}
}

// excerptWidth is how much of a long line is shown around the place.
const excerptWidth = 100

// excerpt shows the line of the statement that a position is in, as far as it may be shown.
func (c *command) excerpt(pos provider.Position) {
	shownBefore, shownAfter, ok := c.shown.Line(pos)
	if !ok {
		return
	}
	line, column := []rune(shownBefore+shownAfter), utf8.RuneCountInString(shownBefore)
	from := 0
	if len(line) > excerptWidth {
		from = max(0, min(column-excerptWidth/2, len(line)-excerptWidth))
		line = line[from:min(len(line), from+excerptWidth)]
	}
	before := provider.Printable(strings.ReplaceAll(string(line[:column-from]), "\t", " "))
	after := provider.Printable(strings.ReplaceAll(string(line[column-from:]), "\t", " "))
	number := fmt.Sprint(pos.Line)
	_, _ = fmt.Fprintf(c.stderr, "  %s | %s%s\n  %s | %s^\n", number, before, after,
		strings.Repeat(" ", len(number)), strings.Repeat(" ", utf8.RuneCountInString(before)))
}

// note prints a message that is not an error.
func (c *command) note(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stderr, "note: "+format+"\n", args...)
}

// notesFlag adds the flag of the commands whose notes programs do not expect.
func (c *command) notesFlag(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&c.notes, "notes", terminal.Is(c.stdout), "print notes, such as how many rows changed, to standard error; default: only if standard output is a terminal, or with --verbose, or before an error")
	f.Lookup("notes").DefValue = "" // which depends on the terminal
}

// mostHeld is how many notes are kept for an error.
const mostHeld = 100

// sessionNote prints a note of a session, or keeps it in case an error follows.
func (c *command) sessionNote(line string) {
	switch {
	case c.notes || c.verbose:
		c.note("%s", line)
	case len(c.held) < mostHeld:
		c.held = append(c.held, line)
	}
}

// noteLine prints a message that is not an error.
func (c *command) noteLine(line string) { c.note("%s", line) }
