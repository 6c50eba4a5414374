package render

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"

	"github.com/lakeql/lakeql/provider"
)

// Screen describes the terminal that a table is written to. On a terminal a table fits the width, NULL
// differs from texts, and numbers are on the right.
type Screen struct {
	Width int  // in characters
	Color bool // whether to use colours
	// Expanded selects rows with a value a line.
	Expanded Expanded
}

// Expanded selects between a line for each row and a line for each value.
type Expanded string

// The values of Expanded, which are those of psql's \x.
const (
	// ExpandedAuto writes a value a line if the columns are too narrow side by side, or if a single row
	// would be shortened.
	ExpandedAuto Expanded = "auto"
	ExpandedOn   Expanded = "on"
	ExpandedOff  Expanded = "off"
)

// ParseExpanded reads a value of Expanded, without regard to case.
func ParseExpanded(text string) (Expanded, error) {
	e := Expanded(strings.ToLower(text))
	if slices.Contains([]Expanded{ExpandedAuto, ExpandedOn, ExpandedOff}, e) {
		return e, nil
	}
	return "", provider.Usagef("%s is not a way to show rows", provider.Quote(text)).Hintf("use on, off or auto")
}

const (
	// protected is the width up to which a column is not shortened: that of a time with microseconds.
	protected = 27
	// narrowest is the width below which a shortened column is of no use.
	narrowest = 12
	ellipsis  = "…"

	bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	reset = "\x1b[0m"
)

// screenEncoder writes a table that fits a terminal.
type screenEncoder struct {
	w      *bufio.Writer
	screen Screen
	names  []string
	header bool
	width  runewidth.Condition

	held     [][]any // while the layout is not settled
	settled  bool
	expanded bool
	widths   []int
	right    []bool // columns of numbers
	rows     int
}

func newScreenEncoder(w *bufio.Writer, columns []provider.Column, opts Options) *screenEncoder {
	return &screenEncoder{
		w:      w,
		screen: *opts.Screen,
		names:  names(columns),
		header: opts.Header,
		width:  runewidth.Condition{StrictEmojiNeutral: true},
	}
}

func (e *screenEncoder) begin() error { return nil }

func (e *screenEncoder) row(values []any) error {
	if !e.settled {
		e.held = append(e.held, values)
		if len(e.held) < measured {
			return nil
		}
		return e.settle(false)
	}
	return e.write(values)
}

// end draws the last rule. Rows that broke off do not get one.
func (e *screenEncoder) end(complete bool) error {
	if !e.settled {
		if err := e.settle(complete); err != nil {
			return err
		}
	}
	if !complete || e.rows == 0 || e.expanded {
		return nil
	}
	return e.rule()
}

// settle chooses the layout, and writes the header and the held rows. last is set if there are no
// further rows.
func (e *screenEncoder) settle(last bool) error {
	e.settled = true
	if last && e.isPassage() {
		e.expanded = true             // without a frame
		text := e.held[0][0].(string) //nolint:forcetypeassert // isPassage has looked
		e.rows++
		_, err := e.w.WriteString(strings.TrimSuffix(text, "\n") + "\n")
		return err
	}
	values := make([]int, len(e.names)) // the widest value of each column
	e.right = make([]bool, len(e.names))
	for i := range e.names {
		for _, row := range e.held {
			text, _, err := shown(row[i])
			if err != nil {
				return err
			}
			values[i] = max(values[i], e.width.StringWidth(text))
		}
		e.right[i] = isNumeric(e.held, i)
	}
	fits, shortened := e.fit(values)
	switch e.screen.Expanded {
	case ExpandedOn:
		e.expanded = true
	case ExpandedAuto, "":
		e.expanded = len(e.held) > 0 && (!fits || shortened && last && len(e.held) == 1)
	case ExpandedOff:
	}
	if err := e.top(); err != nil {
		return err
	}
	for _, row := range e.held {
		if err := e.write(row); err != nil {
			return err
		}
	}
	e.held = nil
	return nil
}

// isPassage reports whether the result is one text of several lines, such as a statement or a file. A frame would
// be in the way of its reader, and would be copied with it.
func (e *screenEncoder) isPassage() bool {
	if len(e.held) != 1 || len(e.names) != 1 || e.screen.Expanded != ExpandedAuto && e.screen.Expanded != "" {
		return false
	}
	text, ok := e.held[0][0].(string)
	return ok && strings.Contains(strings.TrimSuffix(text, "\n"), "\n") &&
		!strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) })
}

// fit shares the width among the columns. It reports whether each gets a useful width, and whether a
// value is shortened.
func (e *screenEncoder) fit(values []int) (fits, shortened bool) {
	e.widths = make([]int, len(values))
	left := e.screen.Width - 3*len(values) - 1 // the rest is the frame
	total := 0
	for i, width := range values {
		if e.header {
			width = max(width, e.width.StringWidth(e.names[i]))
		}
		e.widths[i] = width
		total += width
	}
	if total <= left {
		return true, false
	}
	// Names make room first, then long values.
	var long []int
	for i, width := range values {
		e.widths[i] = width
		if e.header {
			e.widths[i] = max(width, min(e.width.StringWidth(e.names[i]), narrowest))
		}
		if width > protected && !e.right[i] {
			long = append(long, i)
		} else {
			left -= e.widths[i]
		}
	}
	// The narrowest get what they need, and the others share the rest.
	slices.SortFunc(long, func(a, b int) int { return e.widths[a] - e.widths[b] })
	for n, i := range long {
		if share := max(left/(len(long)-n), narrowest); e.widths[i] > share {
			e.widths[i], shortened = share, true
		}
		left -= e.widths[i]
	}
	return left >= 0, shortened
}

// isNumeric reports whether the values of a column are numbers, apart from NULL.
func isNumeric(rows [][]any, column int) bool {
	numeric := false
	for _, row := range rows {
		switch value := row[column].(type) {
		case nil:
		case int64, float64:
			numeric = true
		case json.RawMessage:
			if raw := bytes.TrimSpace(value); len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
				return false
			}
			numeric = true
		default:
			return false
		}
	}
	return numeric
}

// shown returns a value as people see it in one line. A text that looks like NULL, or like nothing, is in
// quotes.
func shown(v any) (text string, null bool, err error) {
	text, ok, err := plain(v)
	if !ok {
		return "NULL", true, err
	}
	if _, isText := v.(string); isText && (text == "" || strings.EqualFold(text, "null") || isQuoted(text)) {
		text = "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return printable(text), false, nil
}

func isQuoted(text string) bool {
	return len(text) > 1 && text[0] == '\'' && text[len(text)-1] == '\''
}

func (e *screenEncoder) top() error {
	if e.expanded || !e.header && len(e.held) == 0 {
		return nil
	}
	if !e.header {
		return e.rule()
	}
	if err := e.rule(); err != nil {
		return err
	}
	if err := e.line(e.names, false, func(int) string { return bold }); err != nil {
		return err
	}
	return e.rule()
}

func (e *screenEncoder) rule() error { return writeRule(e.w, e.widths) }

func (e *screenEncoder) write(values []any) error {
	e.rows++
	if e.expanded {
		return e.record(values)
	}
	texts, nulls := make([]string, len(values)), make([]bool, len(values))
	for i, v := range values {
		var err error
		if texts[i], nulls[i], err = shown(v); err != nil {
			return err
		}
	}
	return e.line(texts, true, func(i int) string {
		if nulls[i] {
			return dim
		}
		return ""
	})
}

// line writes the cells of a row, each with its colour. numbers is set for values, and not for names.
func (e *screenEncoder) line(cells []string, numbers bool, color func(i int) string) error {
	if len(cells) == 0 {
		return nil
	}
	var b strings.Builder
	for i, cell := range cells {
		if !e.right[i] || !numbers { // a shortened number would be another one
			cell = e.shorten(cell, e.widths[i])
		}
		blanks := strings.Repeat(" ", max(0, e.widths[i]-e.width.StringWidth(cell)))
		cell = e.colored(cell, color(i))
		if e.right[i] {
			cell = blanks + cell
		} else {
			cell += blanks
		}
		b.WriteString("| " + cell + " ")
	}
	_, err := e.w.WriteString(b.String() + "|\n")
	return err
}

// shorten cuts a text to a width. A name or path without blanks keeps its end, which often says more than
// its beginning.
func (e *screenEncoder) shorten(text string, width int) string {
	whole := e.width.StringWidth(text)
	if whole <= width {
		return text
	}
	if strings.ContainsAny(text, " {[") {
		return e.width.Truncate(text, width, ellipsis)
	}
	end := (width - 1) / 2
	return e.width.Truncate(text, width-end, ellipsis) + e.width.TruncateLeft(text, whole-end, "")
}

func (e *screenEncoder) colored(text, color string) string {
	if !e.screen.Color || color == "" || text == "" {
		return text
	}
	return color + text + reset
}

// record writes a row with a value a line. Nothing of a value is left out.
func (e *screenEncoder) record(values []any) error {
	names := 0
	for _, name := range e.names {
		names = max(names, e.width.StringWidth(name))
	}
	title := fmt.Sprintf("-[ %d ]", e.rows)
	title += strings.Repeat("-", max(0, min(e.screen.Width, names+narrowest+protected)-len(title)))
	if _, err := e.w.WriteString(e.colored(title, dim) + "\n"); err != nil {
		return err
	}
	const between = " | "
	for i, v := range values {
		lines, null, err := e.lines(v, e.screen.Width-names-len(between))
		if err != nil {
			return err
		}
		name, color := e.names[i], ""
		if null {
			color = dim
		}
		for n, line := range lines {
			if n > 0 {
				name = ""
			}
			padded := e.colored(name, bold) + strings.Repeat(" ", names-e.width.StringWidth(name))
			text := strings.TrimRight(padded+between+e.colored(line, color), " ") + "\n"
			if _, err := e.w.WriteString(text); err != nil {
				return err
			}
		}
	}
	return nil
}

// lines returns a value in lines of a width: JSON is indented, and prose is wrapped between words. A long
// text without blanks, such as a token, stays whole, so that it can be copied.
func (e *screenEncoder) lines(v any, width int) (lines []string, null bool, err error) {
	one, null, err := shown(v)
	text, isText := v.(string)
	switch {
	case err != nil || null:
		return []string{one}, null, err
	case isText && strings.ContainsAny(text, "\n"):
		for line := range strings.Lines(text) {
			lines = append(lines, e.wrap(printable(strings.ReplaceAll(strings.TrimRight(line, "\r\n"), "\t", "    ")), width, "")...)
		}
		return lines, false, nil
	case e.width.StringWidth(one) <= width:
		return []string{one}, false, nil
	}
	if raw, ok := v.(json.RawMessage); ok {
		var b bytes.Buffer
		if json.Indent(&b, raw, "", "  ") == nil {
			for line := range strings.Lines(b.String()) {
				lines = append(lines, e.wrap(printable(strings.TrimRight(line, "\n")), width, "    ")...)
			}
			return lines, false, nil
		}
	}
	return e.wrap(one, width, ""), false, nil
}

// wrap breaks a line before words that would not fit. Continued lines have its indentation, and the
// further one.
func (e *screenEncoder) wrap(line string, width int, further string) []string {
	if e.width.StringWidth(line) <= width || width < narrowest {
		return []string{line}
	}
	body := strings.TrimLeftFunc(line, unicode.IsSpace)
	indent := line[:len(line)-len(body)]
	var lines []string
	current := ""
	for word := range strings.SplitSeq(body, " ") {
		switch {
		case current == "":
			current = indent + word
		case e.width.StringWidth(current)+1+e.width.StringWidth(word) > width:
			lines = append(lines, current)
			current = indent + further + word
		default:
			current += " " + word
		}
	}
	return append(lines, current)
}
