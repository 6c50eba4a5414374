package shell

import (
	"strings"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

const help = `A semicolon ends a statement. A statement may span several lines.

  \o FORMAT        set the output format: %s
  \o               print the output format
  \x [on|off|auto] write a value a line; auto does so for rows that are too wide for a table
  \? or help       print this help
  \q, exit, quit   exit; Ctrl-D does the same

Ctrl-C clears the input, or cancels the running statement. Tab completes names. The arrow keys
recall statements, with ` + lineEnd + ` in place of line ends. The history masks what may be a secret.
`

// isCommand reports whether a line is for the shell itself.
func isCommand(line string) bool {
	words := commandWords(line)
	if len(words) == 0 {
		return false
	}
	switch words[0] {
	case "exit", "quit", "help":
		return len(words) == 1
	}
	return strings.HasPrefix(words[0], `\`)
}

// commandWords takes a line apart, in lower case. A semicolon at its end is a habit.
func commandWords(line string) []string {
	return strings.Fields(strings.ToLower(strings.TrimRight(line, "; \t")))
}

func (s *session) command(line string) error {
	words := commandWords(line)
	switch words[0] {
	case "exit", "quit", `\q`:
		return errLeave
	case "help", `\?`:
		s.say(help, strings.Join(formatNames(), ", "))
		return nil
	case `\o`:
		return s.setFormat(words[1:])
	case `\x`:
		return s.setExpanded(words[1:])
	}
	return provider.Usagef("unknown command %s", provider.Quote(words[0])).Hintf("\\? lists the commands")
}

func (s *session) setFormat(words []string) error {
	if len(words) == 0 {
		s.say("%s\n", s.opts.Render.Format)
		return nil
	}
	format, err := render.ParseFormat(strings.Join(words, " "))
	if err != nil {
		return err
	}
	if format == render.Parquet {
		return provider.Usagef("parquet is not for a terminal").Hintf("write a file with lakeql exec -o parquet -f FILE")
	}
	s.opts.Render.Format = format
	return nil
}

// setExpanded changes the layout of rows on a terminal. Without a word, it turns it on or off.
func (s *session) setExpanded(words []string) error {
	screen := s.opts.Render.Screen
	if screen == nil {
		return provider.Usagef("\\x is for a terminal, and the rows do not go to one")
	}
	switch {
	case len(words) > 0:
		expanded, err := render.ParseExpanded(strings.Join(words, " "))
		if err != nil {
			return err
		}
		screen.Expanded = expanded
	case screen.Expanded == render.ExpandedOn:
		screen.Expanded = render.ExpandedOff
	default:
		screen.Expanded = render.ExpandedOn
	}
	s.say("a value a line: %s\n", screen.Expanded)
	return nil
}

func formatNames() []string {
	formats := render.Formats()
	names := make([]string, len(formats))
	for i, format := range formats {
		names[i] = string(format)
	}
	return names
}
