package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// arranged returns the arguments in the form that cobra reads.
func arranged(root *cobra.Command, args []string) []string {
	return joinObjects(commandFirst(root, protectComments(args)))
}

// protectComments keeps a statement that begins with a comment from being taken for a flag. No
// flag has a blank behind its dashes.
func protectComments(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if rest, ok := strings.CutPrefix(arg, "--"); ok && rest != "" && strings.ContainsRune(" \t\r\n", rune(rest[0])) {
			args[i] = " " + arg
		}
	}
	return args
}

// commandFirst moves flags behind the name of their command: StackQL takes those of exec and shell
// before it too.
func commandFirst(root *cobra.Command, args []string) []string {
	for _, cmd := range root.Commands() {
		at := 0
		for at < len(args) && strings.HasPrefix(args[at], "-") {
			width := flagWidth(cmd.Flags(), args[at])
			if width == 0 {
				break
			}
			at += width
		}
		if at > 0 && at < len(args) && args[at] == cmd.Name() {
			return slices.Concat(args[at:at+1], args[:at], args[at+1:])
		}
	}
	return args
}

// flagWidth returns how many arguments a flag takes with its value; 0: it is none of the flags.
func flagWidth(flags *pflag.FlagSet, arg string) int {
	var flag *pflag.Flag
	inside := false // the value is part of the argument
	if name, isLong := strings.CutPrefix(arg, "--"); isLong {
		name, _, inside = strings.Cut(name, "=")
		flag = flags.Lookup(name)
	} else if len(arg) > 1 {
		flag = flags.ShorthandLookup(arg[1:2])
		inside = len(arg) > 2
	}
	switch {
	case flag == nil:
		return 0
	case inside || flag.NoOptDefVal != "":
		return 1
	}
	return 2
}

// joinObjects joins the words of an object that a shell has split: pystackql passes
// --sqlBackend {"dsn": "file:stackql.db"} to the shell without quotes, and the shell takes the quotes
// inside for its own. What is left is an object of YAML.
func joinObjects(args []string) []string {
	const most = 100 // words
	for i := 0; i+1 < len(args); i++ {
		if !slices.Contains([]string{"--auth", "--registry", "--sqlBackend"}, args[i]) || !strings.HasPrefix(args[i+1], "{") || isObject(args[i+1]) {
			continue
		}
		for end := i + 3; end <= min(len(args), i+1+most); end++ {
			if joined := strings.Join(args[i+1:end], " "); isObject(joined) {
				args = slices.Concat(args[:i+1], []string{joined}, args[end:])
				break
			}
		}
	}
	return args
}
