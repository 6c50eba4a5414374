package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

// command is a line for the shell itself. Most have the names of psql's; those with a dot are for users
// of SQLite and DuckDB.
type command struct {
	names []string
	args  string // for help; empty: it takes none
	help  string // empty: it is another spelling of the one before
	run   func(s *session, ctx context.Context, name, args string) error
}

// commands lists all commands in the order of the help.
func commands() []command {
	return []command{
		{[]string{`\?`, "help", "?", `\h`, ".help"}, "", "print this help", (*session).printHelp},
		{[]string{`\q`, "exit", "quit", ".quit", ".exit"}, "", "exit; Ctrl-D does the same", func(*session, context.Context, string, string) error { return errLeave }},
		{[]string{`\conninfo`}, "", "print the workspace and the credential", (*session).printConnection},

		{[]string{`\l`, ".databases"}, "", "list providers", showing("SHOW PROVIDERS")},
		{[]string{`\dn`}, "[PROVIDER]", "list services", (*session).services},
		{[]string{`\dt`, ".tables"}, "[NAME|PATTERN]", "list resources of a provider or service, or like *branch*; or your tables", (*session).tables},
		{[]string{`\dv`}, "", "list your views", showing("SHOW VIEWS")},
		{[]string{`\dm`}, "", "list your materialized views", showing("SHOW MATERIALIZED VIEWS")},
		{[]string{`\df`}, "RESOURCE", "list the methods of a resource", (*session).methods},
		{[]string{`\d`, `\d+`, ".schema"}, "[NAME]", `describe a resource, method, or table; \d+ with descriptions`, (*session).describe},

		{[]string{`\x`}, "[on|off|auto]", "write a value a line; auto does so for rows that are too wide", (*session).setExpanded},
		{[]string{`\pset`, ".mode"}, "[FORMAT]", "set or print the output format", (*session).setFormat},
		{[]string{`\o`, ".output"}, "[FILE|FORMAT]", "write rows to a file, or again to the terminal", (*session).setOutput},
		{[]string{`\copy`}, "(QUERY) TO FILE", "write the rows of a query to a file; its extension is the format", (*session).copyTo},
		{[]string{`\timing`, ".timer"}, "[on|off]", "print how long statements take", (*session).setTiming},
		{[]string{`\set`}, "[NAME [VALUE]]", `set a variable for :NAME, :'NAME' and :"NAME", or list all`, (*session).setVariable},
		{[]string{`\unset`}, "NAME", "remove a variable", (*session).unset},
		{[]string{`\echo`, `\warn`, ".print"}, "[TEXT]", `print a text; \warn to standard error`, (*session).echo},

		{[]string{`\g`, `\gx`}, "", `run the last statement again; \gx with a value a line`, (*session).again},
		{[]string{`\watch`}, "[SECONDS]", "run the last statement again and again", (*session).watch},
		{[]string{`\p`}, "", "print the last statement", (*session).printLast},
		{[]string{`\e`}, "", "edit the last statement with the program in EDITOR, and run it", (*session).edit},
		{[]string{`\i`, ".read"}, "FILE", "run the statements of a file", (*session).readFile},
		{[]string{`\!`, ".shell"}, "[COMMAND]", "run a command of the system", (*session).system},
	}
}

// find returns the command that a line begins with, the name that the line has, and the rest.
func find(line string) (found command, name, args string, ok bool) {
	line = strings.TrimSpace(line)
	name, args, _ = strings.Cut(line, " ")
	if args = strings.TrimSpace(args); args == "" {
		name = strings.TrimRight(name, ";") // a habit
	}
	name = strings.ToLower(name)
	for _, c := range commands() {
		if slices.Contains(c.names, name) {
			return c, name, args, true
		}
	}
	return command{}, name, args, false
}

// isLeaving reports whether a line is a command that ends the session.
func isLeaving(line string) bool {
	c, _, _, ok := find(line)
	return ok && slices.Contains(c.names, `\q`)
}

// isCommand reports whether a line is for the shell itself.
func isCommand(line string) bool {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, `\`) {
		return true
	}
	if len(line) > 1 && line[0] == '.' && line[1] >= 'a' && line[1] <= 'z' {
		return true // no statement begins with a dot
	}
	c, name, args, ok := find(line)
	// Words that may begin a statement are commands only alone.
	return ok && (c.args != "" || args == "" || name == "help")
}

func (s *session) command(ctx context.Context, line string) error {
	c, name, args, ok := find(line)
	if !ok {
		return s.unknown(name)
	}
	if c.args == "" && args != "" && name != "help" && name != `\h` {
		return provider.Usagef("%s takes no arguments", name).Hintf("\\? lists the commands")
	}
	switch c.names[0] {
	case `\set`, `\unset`, `\echo`: // they read their arguments themselves
		return c.run(s, ctx, name, args)
	case `\!`, `\copy`: // of another grammar
	default:
		args = s.variables.interpolate(args)
	}
	return c.run(s, ctx, name, strings.TrimRight(args, "; \t"))
}

// unknown names commands with the same beginning.
func (s *session) unknown(name string) error {
	var near []string
	for _, c := range commands() {
		for _, known := range c.names {
			if len(name) > 1 && strings.HasPrefix(known, name) {
				near = append(near, known)
			}
		}
	}
	err := provider.Usagef("unknown command %s", provider.Quote(name))
	if len(near) > 0 {
		return err.Hintf("did you mean %s? \\? lists the commands", strings.Join(near, ", "))
	}
	return err.Hintf("\\? lists the commands")
}

// helpWidth is the width of a usual terminal, in characters.
const helpWidth = 80

func (s *session) printHelp(context.Context, string, string) error {
	var b strings.Builder
	b.WriteString("A semicolon ends a statement, and so does \\g. It may span several lines.\n\n")
	width := 0
	for _, c := range commands() {
		width = max(width, len(c.names[0]+" "+c.args))
	}
	for _, c := range commands() {
		others := ""
		if len(c.names) > 1 {
			others = " (" + strings.Join(c.names[1:], ", ") + ")"
		}
		line := fmt.Sprintf("  %-*s  ", width, c.names[0]+" "+c.args)
		for word := range strings.FieldsSeq(c.help + others) {
			if len(line)+len(word) >= helpWidth {
				b.WriteString(strings.TrimRight(line, " ") + "\n")
				line = strings.Repeat(" ", width+4)
			}
			line += word + " "
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	b.WriteString("\nFormats: " + strings.Join(render.FormatNames(), ", ") + ".\n" +
		"Enter runs a statement that is complete, and begins a line in one that is not;\n" +
		"Alt-Enter always begins one. The arrow keys move between the lines, and recall\n" +
		"earlier statements. Ctrl-R searches them. Tab completes names. Ctrl-C clears the\n" +
		"input, or cancels the running statement. Pasted text runs when you press Enter.\n" +
		"The history masks what may be a secret.\n")
	s.say("%s", b.String())
	return nil
}

func (s *session) printConnection(context.Context, string, string) error {
	s.say("%s\n", s.opts.Connection)
	if used := s.opts.Runner.Used(); used != "" {
		s.say("short names belong to %s\n", used)
	}
	return nil
}

// showing runs a statement that needs no argument.
func showing(statement string) func(*session, context.Context, string, string) error {
	return func(s *session, ctx context.Context, _, _ string) error { return s.run(ctx, statement+";") }
}

// isName reports whether an argument is a name, so that it can become a part of a statement.
func isName(text string) bool {
	for _, part := range strings.Split(text, ".") {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}) {
			return false
		}
	}
	return true
}

func notName(name, text, want string) error {
	return provider.Usagef("%s needs %s, and %s is no name", name, want, provider.Quote(text)).Hintf("\\? shows how it is written")
}

func (s *session) services(ctx context.Context, name, args string) error {
	switch {
	case args == "":
		return s.run(ctx, "SHOW SERVICES IN databricks_workspace; SHOW SERVICES IN databricks_account;")
	case !isName(args):
		return notName(name, args, "a provider")
	}
	return s.run(ctx, "SHOW SERVICES IN "+args+";")
}

func (s *session) tables(ctx context.Context, name, args string) error {
	switch {
	case args == "" && strings.Contains(s.opts.Runner.Used(), "."):
		return s.run(ctx, "SHOW RESOURCES; SHOW TABLES;")
	case args == "":
		return s.run(ctx, "SHOW TABLES;")
	case strings.ContainsAny(args, "*%"): // a pattern, which psql writes with *
		pattern := strings.ReplaceAll(strings.ReplaceAll(args, "*", "%"), "'", "''")
		return s.run(ctx, "SHOW RESOURCES LIKE '"+pattern+"';")
	case !isName(args):
		return notName(name, args, "provider.service")
	}
	return s.run(ctx, "SHOW RESOURCES IN "+args+";")
}

func (s *session) methods(ctx context.Context, name, args string) error {
	if !isName(args) {
		return notName(name, args, "provider.service.resource")
	}
	return s.run(ctx, "SHOW METHODS IN "+args+";")
}

func (s *session) describe(ctx context.Context, name, args string) error {
	if args == "" {
		return s.run(ctx, "SHOW TABLES; SHOW VIEWS; SHOW MATERIALIZED VIEWS;")
	}
	if !isName(args) {
		return notName(name, args, "a name")
	}
	extended := ""
	if name == `\d+` {
		extended = "EXTENDED "
	}
	switch parts := strings.Count(args, ".") + 1; {
	case parts == 2 && !s.isShort(ctx, args): // provider.service
		return s.run(ctx, "SHOW "+extended+"RESOURCES IN "+args+";")
	case parts == 4: //nolint:mnd // provider.service.resource.method
		return s.run(ctx, "DESCRIBE METHOD "+extended+args+";")
	}
	return s.run(ctx, "DESCRIBE "+extended+args+";")
}

// isShort reports whether USE completes a name of two parts, because the first one is no provider.
func (s *session) isShort(ctx context.Context, name string) bool {
	if s.opts.Runner.Used() == "" {
		return false
	}
	first, _, _ := strings.Cut(name, ".")
	for rows, err := range s.opts.Runner.Run(ctx, "SHOW PROVIDERS LIKE '"+first+"';") {
		if err != nil {
			return false // the statement that follows reports it
		}
		_, err = rows.Next(ctx)
		return errors.Join(rows.Close(), err) != nil
	}
	return false
}

// setFormat changes the format of rows, or prints it. psql writes \pset format csv.
func (s *session) setFormat(_ context.Context, _, args string) error {
	words := strings.Fields(args)
	if len(words) > 1 && strings.EqualFold(words[0], "format") {
		words = words[1:]
	}
	if len(words) == 0 {
		s.say("%s\n", s.opts.Render.Format)
		return nil
	}
	format, err := render.ParseFormat(strings.Join(words, " "))
	if err != nil {
		return err
	}
	if format == render.Parquet {
		return provider.Usagef("parquet is not for a terminal").Hintf("write a file: \\copy (SELECT …) TO rows.parquet")
	}
	s.opts.Render.Format = format
	return nil
}

// setExpanded changes the layout of rows on a terminal. Without a word, it turns it on or off.
func (s *session) setExpanded(_ context.Context, _, args string) error {
	screen := s.opts.Render.Screen
	if screen == nil {
		return provider.Usagef("\\x is for a terminal, and the rows do not go to one")
	}
	switch {
	case args != "":
		expanded, err := render.ParseExpanded(args)
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

func (s *session) setTiming(_ context.Context, _, args string) error {
	switch strings.ToLower(args) {
	case "":
		s.untimed = !s.untimed
	case "on":
		s.untimed = false
	case "off":
		s.untimed = true
	default:
		return provider.Usagef("%s is no way to print times", provider.Quote(args)).Hintf("use on or off")
	}
	state := "on"
	if s.untimed {
		state = "off"
	}
	s.say("timing: %s\n", state)
	return nil
}

// again runs the last statement.
func (s *session) again(ctx context.Context, name, _ string) error {
	if err := s.hasLast(); err != nil {
		return err
	}
	if screen := s.opts.Render.Screen; name == `\gx` && screen != nil {
		before := screen.Expanded
		screen.Expanded = render.ExpandedOn
		defer func() { screen.Expanded = before }()
	}
	return s.run(ctx, s.variables.interpolate(s.last))
}

func (s *session) hasLast() error {
	if s.last == "" {
		return provider.Usagef("there is no statement to run again")
	}
	return nil
}

func (s *session) printLast(context.Context, string, string) error {
	if err := s.hasLast(); err != nil {
		return err
	}
	s.say("%s\n", printable(s.last))
	return nil
}

// watch runs the last statement until an interrupt.
func (s *session) watch(ctx context.Context, _, args string) error {
	interval := 2 * time.Second //nolint:mnd // psql's
	if args != "" {
		seconds, err := strconv.ParseFloat(args, 64)
		if err != nil || seconds <= 0 || seconds > 86400 {
			return provider.Usagef("%s is no number of seconds above 0", provider.Quote(args))
		}
		interval = time.Duration(seconds * float64(time.Second))
	}
	if err := s.hasLast(); err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		s.say("%s, every %s, Ctrl-C ends\n", time.Now().Format(time.DateTime), interval)
		if err := s.run(ctx, s.variables.interpolate(s.last)); err != nil {
			return err
		}
		timer.Reset(interval)
		select {
		case <-ctx.Done():
			s.say("\n")
			return nil
		case <-timer.C:
		}
	}
}

func (s *session) readFile(ctx context.Context, name, args string) error {
	if args == "" {
		return provider.Usagef("%s needs the path of a file", name)
	}
	text, err := os.ReadFile(unquoted(args))
	if err != nil {
		return provider.Usagef("read the statements: %v", err).Because(err)
	}
	return s.runText(ctx, string(text))
}

// unquoted returns a path without the quotes around it.
func unquoted(path string) string {
	if len(path) > 1 && (path[0] == '\'' || path[0] == '"') && path[len(path)-1] == path[0] {
		return path[1 : len(path)-1]
	}
	return path
}

// mostNested is the limit of files that read each other.
const mostNested = 16

// runText runs the statements and commands of a file. The first error ends it.
func (s *session) runText(ctx context.Context, text string) error {
	if s.nested++; s.nested > mostNested {
		return provider.Usagef("the files read each other, more than %d deep", mostNested)
	}
	defer func() { s.nested-- }()
	done, rest := split(s.opts.Runner, strings.TrimPrefix(text, "\ufeff"))
	if !isBlank(rest) {
		done = append(done, entry{statements: rest})
	}
	return s.handleAll(ctx, done)
}
