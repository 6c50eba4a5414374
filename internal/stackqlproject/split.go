package stackqlproject

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// piece is one statement of a file.
type piece struct {
	anchor string // lower case, empty without one
	text   string // without the anchor and the semicolon
	line   int    // of its first word, from 1
}

// anchors are the words with which stackql-deploy heads the statements of a file.
func anchors() []string {
	return []string{"exists", "create", "createorupdate", "update", "statecheck", "exports", "delete", "command"}
}

var anchorWord = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^/\*\+\s*(\w+)`)
})

// split divides a file into its statements. They end with a semicolon, or where the next anchor begins: many
// files of stackql-deploy have no semicolons. A quote within {{ }} does not end a string.
func split(text string) []piece {
	var all []piece
	current := piece{}
	begin := 0
	end := func(at int) {
		current.text, current.line = trimmed(text, begin, at)
		if current.text != "" {
			all = append(all, current)
			current = piece{}
		}
	}
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, "/*"):
			length := through(rest, "*/")
			if found := anchorWord().FindStringSubmatch(rest[:length]); found != nil && slices.Contains(anchors(), strings.ToLower(found[1])) {
				end(i)
				current = piece{anchor: strings.ToLower(found[1])}
				begin = i + length
			}
			i += length
		case strings.HasPrefix(rest, "--"):
			i += through(rest, "\n")
		case strings.HasPrefix(rest, "{{"):
			i += through(rest, "}}")
		case rest[0] == '\'' || rest[0] == '"' || rest[0] == '`':
			i += quoted(rest)
		case rest[0] == ';':
			end(i)
			current, begin = piece{}, i+1
			i++
		default:
			i++
		}
	}
	end(len(text))
	return all
}

// through is the length of a text to the end of a mark in it; all of it, without the mark.
func through(text, mark string) int {
	if at := strings.Index(text, mark); at >= 0 {
		return at + len(mark)
	}
	return len(text)
}

// quoted is the length of the string that a text begins with.
func quoted(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "{{"):
			i += through(text[i:], "}}") - 1
		case text[i] == text[0]:
			return i + 1
		}
	}
	return len(text)
}

// trimmed is the part of a text without blanks and comments before it, and its line.
func trimmed(text string, begin, end int) (string, int) {
	part := text[begin:end]
	for {
		part = strings.TrimLeft(part, " \t\r\n")
		switch {
		case strings.HasPrefix(part, "--"):
			part = part[through(part, "\n"):]
		case strings.HasPrefix(part, "/*"):
			part = part[through(part, "*/"):]
		default:
			line := 1 + strings.Count(text[:end-len(part)], "\n")
			return strings.TrimRight(part, " \t\r\n"), line
		}
	}
}
