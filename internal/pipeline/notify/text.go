package notify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// oneLine makes one line of a text. Characters that control the screen, or that change the direction of what
// stands around them, become U+FFFD.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// short cuts a text to so many characters.
func short(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// fitLines joins lines to a text of at most so many characters. size returns the size of a line in the form
// that it is sent in. If some do not fit, the last line counts them.
func fitLines(lines []string, most int, size func(string) int) []string {
	const room = 30 // for the line that counts
	total := 0
	for i, line := range lines {
		n := size(line) + 1
		if total+n > most-room && (i < len(lines)-1 || total+n > most) {
			return append(lines[:i:i], plural(len(lines)-i, "line")+" more")
		}
		total += n
	}
	return lines
}
