package shell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"unicode"

	"github.com/lakeql/lakeql/provider"
)

// variables is a Runner for statements with references to variables.
type variables struct {
	Runner
	values map[string]string
}

// Waits is the Runner's, once variables have their values.
func (v *variables) Waits(text string) string { return v.Runner.Waits(v.interpolate(text)) }

// interpolate puts the values of variables into a text.
func (v *variables) interpolate(text string) string {
	if len(v.values) == 0 {
		return text
	}
	return v.Interpolate(text, v.value)
}

func (v *variables) value(name string) (value string, ok bool) {
	value, ok = v.values[name]
	return value, ok
}

// kept is a text as the history keeps it.
func (v *variables) kept(text string) string {
	return v.Kept(text, func(name string) bool { _, ok := v.values[name]; return ok })
}

// setVariable is \set: it lists the variables, or sets one to its arguments without blanks between them.
func (s *session) setVariable(ctx context.Context, _, args string) error {
	if args == "" {
		for _, name := range slices.Sorted(maps.Keys(s.variables.values)) {
			s.say("%s = '%s'\n", name, provider.Printable(s.variables.values[name]))
		}
		return nil
	}
	words, err := s.words(ctx, args)
	if err != nil {
		return err
	}
	name := words[0]
	if err := checkVariable(name); err != nil {
		return err
	}
	s.variables.values[name] = strings.Join(words[1:], "")
	if s.person && s.opts.Runner.HasSetting(name) {
		s.say(":%s is a variable now; the setting %s is as before, and SET %s = … changes that\n", name, name, name)
	}
	return nil
}

func checkVariable(name string) error {
	if strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) || name == "" {
		return provider.Usagef("%s is no name of a variable", provider.Quote(name)).Hintf("a name has letters, digits, and underscores")
	}
	return nil
}

func (s *session) unset(ctx context.Context, name, args string) error {
	words, err := s.words(ctx, args)
	if err != nil {
		return err
	}
	if len(words) != 1 {
		return provider.Usagef("%s needs the name of a variable", name)
	}
	delete(s.variables.values, words[0])
	return checkVariable(words[0])
}

// echo prints its arguments with blanks between them: \echo where the rows go, \warn where messages go.
func (s *session) echo(ctx context.Context, name, args string) error {
	words, err := s.words(ctx, args)
	if err != nil {
		return err
	}
	end := "\n"
	if len(words) > 0 && words[0] == "-n" {
		words, end = words[1:], ""
	}
	text := strings.Join(words, " ") + end
	if name == `\warn` {
		s.say("%s", text)
		return nil
	}
	_, err = fmt.Fprint(s.opts.Out, text)
	return err
}

// words splits the arguments of a command as psql does: at blanks outside of quotes. Single quotes go, and in them
// a backslash escapes; in backquotes is a command of the system, whose output counts. Variables have their values
// outside of single quotes.
func (s *session) words(ctx context.Context, args string) ([]string, error) {
	var words []string
	var word strings.Builder
	inside := false
	for rest := args; rest != ""; {
		switch c := rest[0]; c {
		case ' ', '\t':
			if inside {
				words = append(words, word.String())
				word.Reset()
			}
			inside, rest = false, rest[1:]
		case '\'':
			text, behind, ok := singleQuoted(rest)
			if !ok {
				return nil, unclosed(c)
			}
			word.WriteString(text)
			inside, rest = true, behind
		case '`':
			end := strings.IndexByte(rest[1:], '`')
			if end < 0 {
				return nil, unclosed(c)
			}
			text, err := output(ctx, rest[1:end+1])
			if err != nil {
				return nil, err
			}
			word.WriteString(text)
			inside, rest = true, rest[end+2:]
		case '"':
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return nil, unclosed(c)
			}
			word.WriteString(rest[:end+2])
			inside, rest = true, rest[end+2:]
		case ':':
			length := referenceLength(rest)
			word.WriteString(s.variables.interpolate(rest[:length]))
			inside, rest = true, rest[length:]
		default:
			word.WriteByte(c)
			inside, rest = true, rest[1:]
		}
	}
	if inside {
		words = append(words, word.String())
	}
	return words, nil
}

func unclosed(quote byte) error {
	return provider.Usagef("the quote %c is not closed", quote)
}

// referenceLength is the length of :name, :'name' or :"name" at the beginning of a text, and of the colons before
// anything else.
func referenceLength(text string) int {
	if strings.HasPrefix(text, "::") {
		return 2 //nolint:mnd // both
	}
	rest, quote := text[1:], ""
	if rest != "" && (rest[0] == '\'' || rest[0] == '"') {
		quote = rest[:1]
		rest = rest[1:]
	}
	name := strings.IndexFunc(rest, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if name < 0 {
		name = len(rest)
	}
	if name == 0 || quote != "" && !strings.HasPrefix(rest[name:], quote) {
		return 1
	}
	return 1 + name + 2*len(quote)
}

// singleQuoted reads a text between single quotes: ” is a quote, and a backslash escapes as in C.
func singleQuoted(rest string) (text, behind string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\' && i+1 < len(rest):
			i++
			b.WriteString(unescaped(rest[i]))
		case c != '\'':
			b.WriteByte(c)
		case i+1 < len(rest) && rest[i+1] == '\'':
			i++
			b.WriteByte(c)
		default:
			return b.String(), rest[i+1:], true
		}
	}
	return "", "", false
}

func unescaped(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 'r':
		return "\r"
	}
	return string(c)
}

// output runs a command of the system and returns what it prints, without the last line end.
func output(ctx context.Context, command string) (string, error) {
	ctx, stop := interruptible(ctx)
	defer stop()
	text, err := exec.CommandContext(ctx, "sh", "-c", command).Output() //nolint:gosec // the user's own command
	if err != nil {
		e := provider.Usagef("the command in backquotes failed: %v", err).Because(err)
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
			return "", e.Hintf("%s", provider.Printable(strings.TrimSpace(string(exit.Stderr))))
		}
		return "", e
	}
	return strings.TrimSuffix(string(text), "\n"), nil
}
