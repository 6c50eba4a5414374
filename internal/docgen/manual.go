package docgen

import (
	"slices"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"

	"github.com/lakeql/lakeql/provider"
)

// Manual returns what the pages say about a provider, a service, a resource or a method, for a terminal of a
// width in characters. The name has one to four parts. bold marks headings with escape sequences.
func Manual(cat *provider.Catalogue, name []string, opts Options, width int, bold bool) (string, error) {
	name = slices.Concat(name, make([]string, 4))[:4]
	p, err := cat.Provider(name[0])
	if err != nil {
		return "", err
	}
	g := &generator{cat: cat, provider: p, order: newOrder(), extended: opts.Extended, examples: map[*provider.Method]*example{}}
	page := &plainPage{}
	switch {
	case name[1] == "":
		page = g.plainProvider()
	case name[2] == "":
		s, err := cat.Service(p.Name, name[1])
		if err != nil {
			return "", err
		}
		if page, err = g.plainService(s); err != nil {
			return "", err
		}
	default:
		r, err := cat.Resource(p.Name, name[1], name[2])
		if err != nil {
			return "", err
		}
		if name[3] != "" {
			if _, err := cat.Method(p.Name, name[1], name[2], name[3]); err != nil {
				return "", err
			}
		}
		if page, err = g.plainResource(r, name[3]); err != nil {
			return "", err
		}
	}
	return page.manual(width, bold), nil
}

// manualIndent is how far text stands behind headings, as in manual pages.
const manualIndent = 4

func (p *plainPage) manual(width int, bold bool) string {
	var b strings.Builder
	indent := strings.Repeat(" ", manualIndent)
	for i, block := range p.blocks {
		if i > 0 {
			b.WriteByte('\n')
		}
		switch {
		case block.level > 0:
			text := visible(block.text)
			if block.level == 2 {
				text = strings.ToUpper(text)
			} else if block.level > 2 {
				text = "  " + text
			}
			if bold {
				text = "\x1b[1m" + text + "\x1b[0m"
			}
			b.WriteString(text + "\n")
		case block.language != "":
			for line := range strings.Lines(block.text) {
				b.WriteString(indent + visible(strings.TrimRight(line, "\r\n")) + "\n")
			}
		case block.head != nil:
			writeManualTable(&b, block, width)
		default:
			for j, part := range plainParagraphs(block.text) {
				if j > 0 {
					b.WriteByte('\n')
				}
				writeWrapped(&b, part, indent, width)
			}
		}
	}
	return b.String()
}

// writeManualTable writes each row as a manual lists options: the names first, then the rest below them.
func writeManualTable(b *strings.Builder, t block, width int) {
	first, below := strings.Repeat(" ", manualIndent), strings.Repeat(" ", 2*manualIndent)
	for _, row := range t.rows {
		head := ""
		var rest []string
		for i, c := range row {
			text := visible(strings.Join(c.names, ", "))
			switch {
			case t.head[i] == "Required" && c.text != "":
				head += "  (required)"
			case c.text != "":
				rest = append(rest, strings.Join(plainParagraphs(c.text), " "))
			case i == 0:
				head = text
			case text == "":
			case len(c.names) == 1 && t.head[i] != "Required" && t.head[i] != "Optional":
				head += "  " + text
			default:
				rest = append(rest, t.head[i]+": "+text)
			}
		}
		writeWrapped(b, head, first, width)
		for _, text := range rest {
			writeWrapped(b, text, below, width)
		}
	}
}

// plainParagraphs returns the paragraphs of a description as they are read.
func plainParagraphs(text string) []string {
	var all []string
	for part := range strings.SplitSeq(withoutTags(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)), "\n\n") {
		if line := strings.Join(strings.Fields(visible(part)), " "); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// visible puts a blank in place of what a terminal would not show, but act upon.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

// writeWrapped writes a line of text in lines of at most width characters, longer words alone on a line.
func writeWrapped(b *strings.Builder, text, indent string, width int) {
	used := 0
	for word := range strings.FieldsSeq(text) {
		n := runewidth.StringWidth(word)
		switch {
		case used == 0:
			b.WriteString(indent)
			used = len(indent)
		case used+1+n > width:
			b.WriteString("\n" + indent)
			used = len(indent)
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	if used > 0 {
		b.WriteByte('\n')
	}
}
