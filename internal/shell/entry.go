package shell

import (
	"regexp"
	"strings"
	"sync"
)

// entry is statements, a command, or statements and the command that ends them.
type entry struct {
	statements string // with their line ends
	command    string
	untyped    bool // a key stands for the command, which the history leaves out
}

// split returns the entries of a text that are complete, and the rest, which goes on in a further line.
func split(runner Runner, text string) (done []entry, rest string) {
	for line := range strings.Lines(text) {
		line, ends := strings.CutSuffix(line, "\n")
		line = strings.TrimSuffix(line, "\r")
		if rest == "" && isBlank(line) {
			continue
		}
		if rest != "" && leaves(runner, rest, line) {
			return append(done, entry{command: `\q`}), ""
		}
		if rest == "" || mayEnd(line) {
			if complete, ok := whole(runner, rest+line, rest == ""); ok {
				done, rest = append(done, complete), ""
				continue
			}
		}
		rest += line
		if ends {
			rest += "\n"
		}
	}
	return done, rest
}

// mayEnd reports whether a line can end what earlier lines began. It saves a reading of all of them.
func mayEnd(line string) bool {
	return strings.ContainsAny(line, `;\`) || strings.Contains(line, "*/")
}

// leaves reports whether a line inside a statement is \q, and not a part of a text or comment.
func leaves(runner Runner, above, line string) bool {
	if strings.TrimSpace(line) != `\q` {
		return false
	}
	open := runner.Waits(above)
	return open == ";" || open == "("
}

// ending matches a command behind a statement, in place of a semicolon.
var ending = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)^(.*\S)\s*(\\(?:g|gx|watch(?:\s+[0-9.]+)?))\s*$`)
})

// whole returns the entry of a text; false if it goes on in the next line. first is set if the text has
// no earlier lines.
func whole(runner Runner, text string, first bool) (entry, bool) {
	if first && isCommand(text) {
		return entry{command: text}, true
	}
	if runner.Waits(text) == "" {
		return entry{statements: text}, true
	}
	if parts := ending().FindStringSubmatch(text); parts != nil {
		if statements := strings.TrimRight(parts[1], "; ") + ";"; runner.Waits(statements) == "" {
			return entry{statements: statements, command: parts[2]}, true
		}
	}
	return entry{}, false
}
