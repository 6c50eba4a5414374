package render

import (
	"bufio"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/lakeql/lakeql/provider"
)

// measured is the number of rows that decide how wide columns are. They are held back until
// then; a longer cell further down makes its own line longer.
const measured = 1000

// alignedEncoder writes columns below each other: between rules, as StackQL draws tables, or
// without any.
type alignedEncoder struct {
	w      *bufio.Writer
	names  []string
	header bool
	rules  bool
	rows   int

	held   [][]string // while the widths are not settled
	widths []int      // nil until then
	width  runewidth.Condition
}

func newAlignedEncoder(w *bufio.Writer, columns []provider.Column, header, rules bool) *alignedEncoder {
	return &alignedEncoder{
		w:      w,
		names:  names(columns),
		header: header,
		rules:  rules,
		// Its own condition: the package's follows the locale of the machine.
		width: runewidth.Condition{StrictEmojiNeutral: true},
	}
}

func (e *alignedEncoder) begin() error { return nil }

func (e *alignedEncoder) row(values []any) error {
	line, err := cells(values)
	if err != nil {
		return err
	}
	e.rows++
	if e.widths != nil {
		return e.line(line)
	}
	e.held = append(e.held, line)
	if len(e.held) < measured {
		return nil
	}
	return e.settle()
}

// end draws the last rule. Rows that broke off do not get one.
func (e *alignedEncoder) end(complete bool) error {
	if e.widths == nil {
		if err := e.settle(); err != nil {
			return err
		}
	}
	if !complete || e.rows == 0 {
		return nil
	}
	return e.rule()
}

// settle decides the widths and writes the header and the rows held back.
func (e *alignedEncoder) settle() error {
	e.widths = make([]int, len(e.names))
	if e.header {
		e.measure(e.names)
	}
	for _, line := range e.held {
		e.measure(line)
	}
	if err := e.top(); err != nil {
		return err
	}
	for _, line := range e.held {
		if err := e.line(line); err != nil {
			return err
		}
	}
	e.held = nil
	return nil
}

func (e *alignedEncoder) measure(line []string) {
	for i, cell := range line {
		e.widths[i] = max(e.widths[i], e.width.StringWidth(cell))
	}
}

func (e *alignedEncoder) top() error {
	if e.header {
		if err := e.rule(); err != nil {
			return err
		}
		if err := e.line(e.names); err != nil {
			return err
		}
	}
	if !e.header && e.rows == 0 {
		return nil
	}
	return e.rule()
}

func (e *alignedEncoder) rule() error {
	if !e.rules {
		return nil
	}
	return writeRule(e.w, e.widths)
}

// writeRule draws a line between rows of columns with these widths.
func writeRule(w *bufio.Writer, widths []int) error {
	if len(widths) == 0 {
		return nil
	}
	var b strings.Builder
	for _, width := range widths {
		b.WriteString("|" + strings.Repeat("-", width+2))
	}
	b.WriteString("|\n")
	_, err := w.WriteString(b.String())
	return err
}

func (e *alignedEncoder) line(cells []string) error {
	if len(cells) == 0 {
		return nil
	}
	var b strings.Builder
	for i, cell := range cells {
		last := i == len(cells)-1
		switch {
		case e.rules:
			b.WriteString("| ")
		case i > 0:
			b.WriteString("  ")
		}
		b.WriteString(cell)
		if e.rules || !last { // without rules a line does not end in blanks
			b.WriteString(strings.Repeat(" ", max(0, e.widths[i]-e.width.StringWidth(cell))))
		}
		if e.rules {
			b.WriteByte(' ')
		}
	}
	if e.rules {
		b.WriteByte('|')
	}
	b.WriteByte('\n')
	_, err := e.w.WriteString(b.String())
	return err
}
