package docgen

import (
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/lakeql/lakeql/provider"
)

// Markdown writes pages for a Git host: plain Markdown, with tables and relative links. The pages are those of a
// provider, or of one of its services or resources where these are not empty. A page links to pages that are
// written with it alone. The paths are those of [Generate].
func Markdown(cat *provider.Catalogue, providerName, service, resource string, opts Options, write func(path string, page []byte) error) error {
	p, err := cat.Provider(providerName)
	if err != nil {
		return err
	}
	g := &generator{cat: cat, provider: p, order: newOrder(), extended: opts.Extended, write: write}
	if service == "" {
		if err := g.page(markdown(g.plainProvider(), "")); err != nil {
			return err
		}
	}
	for _, info := range p.Services {
		if service != "" && info.Name != service {
			continue
		}
		if err := g.markdownService(info.Name, resource, service == ""); err != nil {
			return err
		}
	}
	return nil
}

func (g *generator) markdownService(name, resource string, withProvider bool) error {
	s, err := g.cat.Service(g.provider.Name, name)
	if err != nil {
		return err
	}
	if resource == "" {
		page, err := g.plainService(s)
		if err != nil {
			return fmt.Errorf("page of %s.%s: %w", s.Provider, s.Name, err)
		}
		up := ""
		if withProvider {
			up = link(g.provider.Name, "../../index.md") + "\n\n"
		}
		if err := g.page(markdown(page, up), servicesFolder, s.Name); err != nil {
			return err
		}
	}
	for _, info := range s.Resources {
		if resource != "" && info.Name != resource || resource == "" && info.ID == "" {
			continue
		}
		r, err := g.cat.Resource(s.Provider, s.Name, info.Name)
		if err != nil {
			return err
		}
		g.examples = map[*provider.Method]*example{}
		page, err := g.plainResource(r, "")
		if err != nil {
			return fmt.Errorf("page of %s: %w", r.FullName(), err)
		}
		var up []string
		if withProvider {
			up = append(up, link(g.provider.Name, "../../../index.md"))
		}
		if resource == "" {
			up = append(up, link(s.Name, "../index.md"))
		}
		above := ""
		if len(up) > 0 {
			above = strings.Join(up, " / ") + "\n\n"
		}
		if err := g.page(markdown(page, above), servicesFolder, s.Name, r.Name); err != nil {
			return err
		}
	}
	return nil
}

// markdown writes a page as GitHub's Markdown. Above it stand links.
func markdown(p *plainPage, above string) string {
	var b strings.Builder
	b.WriteString(above)
	for i, block := range p.blocks {
		if i > 0 {
			b.WriteByte('\n')
		}
		switch {
		case block.level > 0:
			b.WriteString(strings.Repeat("#", block.level) + " " + escaped(block.text) + "\n")
		case block.language != "":
			fence := strings.Repeat("`", max(3, longestRun(block.text)+1))
			b.WriteString(fence + block.language + "\n" + block.text + "\n" + fence + "\n")
		case block.head != nil:
			writeTable(&b, block)
		default:
			b.WriteString(strings.Join(paragraphs(block.text), "\n\n") + "\n")
		}
	}
	return b.String()
}

func writeTable(b *strings.Builder, t block) {
	b.WriteString("| " + strings.Join(t.head, " | ") + " |\n|" + strings.Repeat(" --- |", len(t.head)) + "\n")
	for _, row := range t.rows {
		b.WriteByte('|')
		for _, c := range row {
			text := strings.Join(paragraphs(c.text), " ")
			if c.text == "" {
				marked := make([]string, len(c.names))
				for i, name := range c.names {
					marked[i] = span(name)
				}
				text = strings.Join(marked, ", ")
			}
			text = strings.ReplaceAll(text, "|", `\|`)
			if c.link != "" {
				text = "[" + text + "](" + target(c.link) + ")"
			}
			b.WriteString(" " + text + " |")
		}
		b.WriteByte('\n')
	}
}

func link(text, to string) string { return "[" + escaped(text) + "](" + target(to) + ")" }

// target writes a path as the target of a link. The names in it are those of folders.
func target(to string) string {
	return strings.NewReplacer("%", "%25", " ", "%20", "(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "#", "%23", "?", "%3F", "|", "%7C", `\`, "%5C").Replace(path.Clean(to))
}

// paragraphs returns the paragraphs of a description, each on a line of its own on which nothing is markup but
// inline code.
func paragraphs(text string) []string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	text = withoutTags(text)
	var all []string
	for part := range strings.SplitSeq(text, "\n\n") {
		line := strings.Join(strings.FieldsFunc(part, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
		if line == "" {
			continue
		}
		var b strings.Builder
		for _, p := range inlineCode(line) {
			if p.code {
				b.WriteString(p.text)
				continue
			}
			b.WriteString(escaped(p.text))
		}
		all = append(all, literalStart(b.String()))
	}
	return all
}

// withoutTags writes the tags that descriptions use as Markdown does: code between backticks, a line end for br,
// a blank line for p.
func withoutTags(text string) string {
	if !strings.Contains(text, "<") {
		return text
	}
	pieces := inlineCode(text)
	tags := balanced(pieces)
	var b strings.Builder
	for _, p := range pieces {
		for i := p.from; i < p.to; i++ {
			tag, isTag := tags[i]
			if !isTag {
				b.WriteByte(text[i])
				continue
			}
			switch tag {
			case "<code>", "</code>":
				b.WriteByte('`')
			case "<br />":
				b.WriteByte('\n')
			case "<p>", "</p>":
				b.WriteString("\n\n")
			}
			i += strings.IndexByte(text[i:], '>')
		}
	}
	return b.String()
}

// escaped writes text so that Markdown takes every character for itself. An underscore within a word is one.
func escaped(text string) string {
	if !strings.ContainsAny(text, "\\`*_[]<>&~!$") {
		return text
	}
	word := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] >= '0' && text[i] <= '9' || text[i] >= 'a' && text[i] <= 'z' || text[i] >= 'A' && text[i] <= 'Z' || text[i] >= 0x80)
	}
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == '<':
			b.WriteString("&lt;")
			continue
		case c == '>':
			b.WriteString("&gt;")
			continue
		case c == '&':
			b.WriteString("&amp;")
			continue
		case c == '_' && word(i-1) && word(i+1):
		case strings.IndexByte("\\`*_[]~$", c) >= 0, c == '!' && i+1 < len(text) && text[i+1] == '[':
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// literalStart keeps the beginning of a paragraph from being a heading, a list, or a table.
func literalStart(line string) string {
	switch digits := strings.TrimLeft(line, "0123456789"); {
	case strings.IndexByte("#-+=|:", line[0]) >= 0:
		return `\` + line
	case digits != line && digits != "" && (digits[0] == '.' || digits[0] == ')'):
		return line[:len(line)-len(digits)] + `\` + digits
	}
	return line
}

// span writes a name as inline code.
func span(name string) string {
	name = strings.Join(strings.Fields(name), " ")
	fence := strings.Repeat("`", longestRun(name)+1)
	if strings.HasPrefix(name, "`") || strings.HasSuffix(name, "`") {
		name = " " + name + " "
	}
	return fence + name + fence
}

// longestRun is the length of the longest run of backticks.
func longestRun(text string) int {
	longest, run := 0, 0
	for i := range len(text) {
		if text[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
