package render

import (
	"bufio"
	"html"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// markdownEncoder writes a table of GitHub Flavored Markdown.
type markdownEncoder struct {
	w       *bufio.Writer
	columns []provider.Column
	escape  *strings.Replacer
}

// newMarkdownEncoder makes an encoder that shows texts as they are: it escapes the characters of
// Markdown's and HTML's markup, and writes a line end as a break.
func newMarkdownEncoder(w *bufio.Writer, columns []provider.Column) *markdownEncoder {
	return &markdownEncoder{w: w, columns: columns, escape: strings.NewReplacer(
		`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "~", `\~`, "[", `\[`, "]", `\]`, "!", `\!`, "#", `\#`,
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "\r\n", "<br>", "\n", "<br>", "\r", "<br>", "\t", " ")}
}

func (e *markdownEncoder) begin() error {
	if len(e.columns) == 0 {
		return nil
	}
	line := make([]string, len(e.columns))
	rule := make([]string, len(e.columns))
	for i, c := range e.columns {
		line[i], rule[i] = e.cell(c.Name), "---"
		if isNumber(c) {
			rule[i] = "--:"
		}
	}
	if err := e.line(line); err != nil {
		return err
	}
	return e.line(rule)
}

func isNumber(c provider.Column) bool { return c.Type == "integer" || c.Type == "number" }

// cell returns a text for a cell, with control characters as escapes.
func (e *markdownEncoder) cell(text string) string { return printable(e.escape.Replace(text)) }

func (e *markdownEncoder) row(values []any) error {
	line := make([]string, len(values))
	for i, v := range values {
		text, _, err := plain(v) // null is an empty cell
		if err != nil {
			return err
		}
		line[i] = e.cell(text)
	}
	return e.line(line)
}

func (e *markdownEncoder) line(cells []string) error {
	if len(cells) == 0 {
		return nil
	}
	_, err := e.w.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	return err
}

// end leaves a blank line behind the table, so that a further one does not continue it.
func (e *markdownEncoder) end(complete bool) error {
	if !complete || len(e.columns) == 0 {
		return nil
	}
	return e.w.WriteByte('\n')
}

// htmlEncoder writes a table element.
type htmlEncoder struct {
	w       *bufio.Writer
	columns []provider.Column
	header  bool
}

func (e *htmlEncoder) begin() error {
	if len(e.columns) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("<table>\n")
	if e.header {
		b.WriteString("<thead>\n<tr>")
		for _, c := range e.columns {
			b.WriteString("<th scope=\"col\">" + htmlText(c.Name) + "</th>")
		}
		b.WriteString("</tr>\n</thead>\n")
	}
	b.WriteString("<tbody>\n")
	_, err := e.w.WriteString(b.String())
	return err
}

func (e *htmlEncoder) row(values []any) error {
	if len(values) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("<tr>")
	for i, v := range values {
		text, ok, err := plain(v)
		switch {
		case err != nil:
			return err
		case !ok:
			b.WriteString("<td class=\"null\"></td>")
		case isNumber(e.columns[i]):
			b.WriteString("<td align=\"right\">" + htmlText(text) + "</td>")
		default:
			b.WriteString("<td>" + htmlText(text) + "</td>")
		}
	}
	b.WriteString("</tr>\n")
	_, err := e.w.WriteString(b.String())
	return err
}

// htmlText returns a text for an element, with control characters as escapes and line ends as breaks.
func htmlText(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = html.EscapeString(printable(line))
	}
	return strings.Join(lines, "<br>")
}

// end closes the table, unless rows are missing.
func (e *htmlEncoder) end(complete bool) error {
	if !complete || len(e.columns) == 0 {
		return nil
	}
	_, err := e.w.WriteString("</tbody>\n</table>\n")
	return err
}
