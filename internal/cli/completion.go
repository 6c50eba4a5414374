package cli

import (
	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/render"
)

// completeFlags lets a shell complete the values of flags, for a command and those below it.
func completeFlags(cmd *cobra.Command) {
	for name, values := range map[string]func() []string{
		"output":   func() []string { return append([]string{"ndjson"}, render.FormatNames()...) },
		"on-error": func() []string { return []string{string(engine.Fail), string(engine.Partial)} },
		"profile":  auth.Profiles,
		"loglevel": func() []string { return []string{"trace", "debug", "info", "warn", "error"} },
	} {
		if cmd.Flags().Lookup(name) == nil {
			continue
		}
		_ = cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return values(), cobra.ShellCompDirectiveNoFileComp
		}) // fails for an unknown flag only
	}
	for _, below := range cmd.Commands() {
		completeFlags(below)
	}
}
