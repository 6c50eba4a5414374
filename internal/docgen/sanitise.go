package docgen

import (
	"fmt"
	"strings"
)

// sanitise makes a description safe in MDX, where braces begin an expression and angle brackets
// a component. <code>, <br> and <p> stay markup, in the form that MDX takes: <br> closes itself, and
// the others stay if both of their tags are there. Angle brackets stay in inline code. <nobr> is
// dropped. Line ends become <br />, as a table cell is one line.
func sanitise(text string) string {
	if !strings.ContainsAny(text, "{}<>\r\n") {
		return text
	}
	pieces := inlineCode(text)
	tags := balanced(pieces)
	var b strings.Builder
	b.Grow(len(text) + len(text)/4)
	element := false // <code>: Markdown in it could end outside of it
	for _, p := range pieces {
		p.write(&b, text, tags, &element)
	}
	return b.String()
}

// piece is a part of a text from one byte to another: inline code with its backticks, or the text
// between.
type piece struct {
	from, to int
	text     string
	code     bool
}

// inlineCode finds the inline code of a text as Markdown does: it ends with as many backticks as it
// begins with (CommonMark 6.1). Backticks without such an end are only characters.
func inlineCode(text string) []piece {
	var pieces []piece
	add := func(from, to int, code bool) {
		if from < to {
			pieces = append(pieces, piece{from, to, text[from:to], code})
		}
	}
	plain := 0
	for i := 0; i < len(text); {
		switch {
		case text[i] == '\\':
			i += 2 // the next character is only a character
			continue
		case text[i] != '`':
			i++
			continue
		}
		run := backticks(text[i:])
		end := closing(text, i+run, run)
		if end < 0 {
			i += run
			continue
		}
		add(plain, i, false)
		add(i, end, true)
		plain, i = end, end
	}
	add(plain, len(text), false)
	return pieces
}

// backticks counts the backticks that a text begins with.
func backticks(text string) int { return len(text) - len(strings.TrimLeft(text, "`")) }

// closing returns where inline code ends that was opened by a run of backticks; less than 0: nowhere.
func closing(text string, from, run int) int {
	for i := from; i < len(text); {
		n := backticks(text[i:])
		if n == run {
			return i + n
		}
		i += max(n, 1)
	}
	return -1
}

// balanced returns the tags of a text that stay, by their positions, each with its form in MDX.
func balanced(pieces []piece) map[int]string {
	type opened struct {
		name string
		at   int
	}
	kept := map[int]string{}
	var open []opened
	for _, p := range pieces {
		if p.code {
			continue
		}
		for i := 0; i < len(p.text); i++ {
			if p.text[i] == '\\' {
				i++
				continue
			}
			tag, name, end := tagAt(p.text[i:])
			at := p.from + i
			switch {
			case tag == "":
				continue
			case name == "br":
				kept[at] = "<br />"
			case name == "nobr":
				kept[at] = ""
			case !end:
				open = append(open, opened{name, at})
			case len(open) > 0 && open[len(open)-1].name == name:
				kept[open[len(open)-1].at], kept[at] = "<"+name+">", "</"+name+">"
				open = open[:len(open)-1]
			}
			i += len(tag) - 1
		}
	}
	return kept
}

// tagAt returns the tag at the beginning of text if it is a known tag, its name, and whether it ends an
// element.
func tagAt(text string) (tag, name string, end bool) {
	if !strings.HasPrefix(text, "<") {
		return "", "", false
	}
	inner, _, closed := strings.Cut(text[1:], ">")
	if !closed {
		return "", "", false
	}
	name, end = strings.CutPrefix(inner, "/")
	name, alone := strings.CutSuffix(name, "/")
	name = strings.TrimSpace(name)
	switch {
	case name == "br", name == "nobr", (name == "code" || name == "p") && !alone:
		return text[:len(inner)+len("<>")], name, end
	}
	return "", "", false
}

// write writes a piece of text. Braces become entities, and so do angle brackets outside of code and
// tags, and inside of the element code what Markdown would take for markup.
func (p piece) write(b *strings.Builder, text string, tags map[int]string, element *bool) {
	for i := p.from; i < p.to; i++ {
		tag, isTag := tags[i]
		switch c := text[i]; {
		case isTag:
			*element = tag == "<code>" || *element && tag != "</code>"
			b.WriteString(tag)
			i += strings.IndexByte(text[i:], '>')
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n':
			// The line end is written for its second character.
		case c == '\r', c == '\n':
			b.WriteString("<br />")
		case strings.HasPrefix(text[i:], "}_{"):
			// The underscores of two names side by side would be taken for emphasis.
			b.WriteString("&#125;&#95;&#123;")
			i += len("_{")
		case c == '<' && p.code, c == '>' && p.code:
			b.WriteByte(c)
		case *element && !p.code && isMarkup(text, i):
			fmt.Fprintf(b, "&#%d;", c)
		default:
			b.WriteString(entity(c))
		}
	}
}

// entity returns a character as MDX takes it for a character.
func entity(c byte) string {
	switch c {
	case '{':
		return "&#123;"
	case '}':
		return "&#125;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	}
	return string([]byte{c})
}

// isMarkup reports whether Markdown may take a character for the mark of emphasis, of a line through text, of a
// link, or of code. An underscore inside of a word is none.
func isMarkup(text string, i int) bool {
	switch text[i] {
	case '*', '~', '[', ']', '`':
		return true
	case '_':
		return i == 0 || i == len(text)-1 || !isWordByte(text[i-1]) || !isWordByte(text[i+1])
	}
	return false
}

// isWordByte reports whether a byte is part of a word for Markdown. All letters beyond ASCII are taken for some.
func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= 0x80 || c == '_'
}

// word makes a name or type safe in MDX, as an attribute and as text. An underscore that begins a name stays: it has
// none to pair with, as one that ends a name is an entity.
func word(name string) string {
	safe := strings.NewReplacer("&", "&amp;", `"`, "&quot;", "{", "&#123;", "}", "&#125;", "<", "&lt;", ">", "&gt;",
		"*", "&#42;", "~", "&#126;", "](", "&#93;(", "`", "&#96;").Replace(name)
	if !strings.HasSuffix(safe, "_") {
		return safe
	}
	stem := strings.TrimRight(safe, "_")
	return stem + strings.Repeat("&#95;", len(safe)-len(stem))
}

// paragraph makes a description safe where a line begins with it: MDX would run an import or export,
// and a fence, or the marks of an admonition, would take in the rest of the page.
func paragraph(text string) string {
	text = sanitise(text)
	for mark, safe := range map[string]string{"import": "&#105;mport", "export": "&#101;xport", "```": "&#96;``", "~~~": "&#126;~~", ":::": "&#58;::"} {
		if rest, ok := strings.CutPrefix(strings.TrimLeft(text, " "), mark); ok {
			return safe + rest
		}
	}
	return text
}

// oneLine puts text on one line.
func oneLine(text string) string {
	return strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ").Replace(text)
}
