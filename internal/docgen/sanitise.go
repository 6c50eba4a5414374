package docgen

import "strings"

// sanitise makes a description safe in MDX, where braces begin an expression and angle brackets
// a component. What stays markup is <code>, <br> and <p>, and angle brackets in inline code;
// <nobr> is dropped. Line ends become <br />, as a table cell is one line.
func sanitise(text string) string {
	if !strings.ContainsAny(text, "{}<>\r\n") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + len(text)/4)
	for text != "" {
		plain, rest, opened := strings.Cut(text, "`")
		code, after, closed := strings.Cut(rest, "`")
		if !opened || !closed { // a backtick without a second one is only a character
			sanitisePlain(&b, text)
			break
		}
		sanitisePlain(&b, plain)
		b.WriteByte('`')
		replaced(&b, code, false)
		b.WriteByte('`')
		text = after
	}
	return b.String()
}

// sanitisePlain writes text outside inline code.
func sanitisePlain(b *strings.Builder, text string) { replaced(b, text, true) }

// replaced writes text with entities for braces and, where wanted, for angle brackets.
func replaced(b *strings.Builder, text string, brackets bool) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n':
			// The line end is written for its second character.
		case c == '\r', c == '\n':
			b.WriteString("<br />")
		case strings.HasPrefix(text[i:], "}_{"):
			// The underscores of two names side by side would be taken for emphasis.
			b.WriteString("&#125;&#95;&#123;")
			i += len("_{")
		case c == '{':
			b.WriteString("&#123;")
		case c == '}':
			b.WriteString("&#125;")
		case c == '<' && brackets:
			if tag, kept := tagAt(text[i:]); tag != "" {
				if kept {
					b.WriteString(tag)
				}
				i += len(tag) - 1
				continue
			}
			b.WriteString("&lt;")
		case c == '>' && brackets:
			b.WriteString("&gt;")
		default:
			b.WriteByte(c)
		}
	}
}

// tagAt returns the tag that text begins with, if it is one of those that are treated as tags, and
// whether it is kept.
func tagAt(text string) (tag string, kept bool) {
	end := strings.IndexByte(text, '>')
	if end < 0 {
		return "", false
	}
	name := strings.TrimPrefix(text[1:end], "/")
	switch strings.TrimSpace(strings.TrimSuffix(name, "/")) {
	case "code", "br", "p":
		return text[:end+1], true
	case "nobr":
		return text[:end+1], false
	default:
		return "", false
	}
}

// oneLine puts text on one line.
func oneLine(text string) string {
	return strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ").Replace(text)
}
