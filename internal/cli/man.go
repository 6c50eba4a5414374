package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lakeql/lakeql/provider"
)

func (c *command) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man <folder>",
		Short: "Write the manual pages",
		Long: `Write a manual page for each command to a folder: lakeql.1, lakeql-exec.1, and so on.
The program man finds them in a folder man1 of its path.`,
		Example: "  lakeql man ~/.local/share/man/man1 && man lakeql-exec",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			root.InitDefaultHelpCmd()
			root.InitDefaultCompletionCmd()
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // for all to read
				return manError(err)
			}
			if err := writeManual(root, args[0]); err != nil {
				return manError(err)
			}
			c.note("wrote the manual to %s", provider.Printable(args[0]))
			return nil
		},
	}
}

func manError(err error) error { return provider.Usagef("write the manual: %v", err).Because(err) }

// writeManual writes the page of a command, and those of the commands below it.
func writeManual(cmd *cobra.Command, dir string) error {
	name := filepath.Join(dir, manName(cmd)+".1")
	if err := os.WriteFile(name, []byte(manPage(cmd)), 0o644); err != nil { //nolint:gosec // for all to read
		return err
	}
	for _, below := range cmd.Commands() {
		if below.IsAvailableCommand() {
			if err := writeManual(below, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// manName is the name of a command's page: lakeql-pipeline-run.
func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage is the page of a command in roff. The texts of the help are laid out by blanks, so lines that
// begin with blanks stay as they are.
func manPage(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	date, _, _ := strings.Cut(build().BuildDate, "T")
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		date = ""
	}
	line(`.TH "%s" "1" "%s" "lakeql %s" "lakeql"`, strings.ToUpper(roff(manName(cmd))), date, roff(versionNumber()))
	line(".SH NAME\n%s \\- %s", roff(manName(cmd)), roff(cmd.Short))
	line(".SH SYNOPSIS\n.B %s", roff(cmd.UseLine()))
	line(".SH DESCRIPTION")
	if cmd.Long == "" {
		line("%s.", roff(cmd.Short))
	}
	begin := "" // of a paragraph: the first one follows the heading at once
	for paragraph := range strings.SplitSeq(strings.TrimSpace(cmd.Long), "\n\n") {
		if paragraph = strings.Trim(paragraph, "\n"); paragraph == "" {
			continue
		}
		if isLaidOut(paragraph) {
			line("%s.nf\n%s\n.fi", begin, roff(paragraph))
		} else {
			line("%s%s", begin, roff(paragraph))
		}
		begin = ".PP\n"
	}
	if cmd.HasAvailableSubCommands() {
		line(".SH COMMANDS")
		for _, below := range cmd.Commands() {
			if below.IsAvailableCommand() {
				line(".TP\n.B %s\n%s", roff(below.Name()), roff(below.Short))
			}
		}
	}
	manFlags(line, "OPTIONS", cmd.NonInheritedFlags())
	manFlags(line, "OPTIONS OF ALL COMMANDS", cmd.InheritedFlags())
	if cmd.Example != "" {
		line(".SH EXAMPLES\n.nf\n%s\n.fi", roff(cmd.Example))
	}
	if parent := cmd.Parent(); parent != nil {
		line(".SH SEE ALSO\n.BR %s (1)", roff(manName(parent)))
	}
	return b.String()
}

// isLaidOut reports whether a paragraph has lines that begin with blanks, or with the tabs of cobra's own help.
func isLaidOut(paragraph string) bool {
	for line := range strings.SplitSeq(paragraph, "\n") {
		if strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t") {
			return true
		}
	}
	return false
}

// manFlags writes the section of a command's flags.
func manFlags(line func(string, ...any), title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	line(".SH %s", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := `\-\-` + roff(f.Name)
		if f.Shorthand != "" {
			name = `\-` + roff(f.Shorthand) + ", " + name
		}
		name = `\fB` + name + `\fP`
		value, usage := pflag.UnquoteUsage(f)
		if value != "" {
			name += ` \fI` + roff(value) + `\fP`
		}
		switch f.DefValue {
		case "", "false", "0", "0s", "[]":
		default:
			usage += " (default: " + f.DefValue + ")"
		}
		line(".TP\n%s\n%s", name, roff(usage))
	})
}

// roff writes a text so that it shows as it is: a backslash, and a dot or quote at the start of a line, mean
// something else there. A hyphen is a minus, so that what is copied from a page works.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\t", "  ").Replace(text)
	var b strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else { // troff reads bytes
			fmt.Fprintf(&b, `\[u%04X]`, r)
		}
	}
	lines := strings.Split(b.String(), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
