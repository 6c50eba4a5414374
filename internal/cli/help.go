package cli

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/docgen"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

// helpCommand replaces cobra's command of that name: it also knows providers, services, resources and methods.
func (c *command) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command | name]",
		Short: "Show help for a command, a provider, a service, a resource, or a method",
		Long: `Show the help of a command, or what the documentation says about a name:
provider, provider.service, provider.service.resource, or
provider.service.resource.method. On a terminal, long texts go through a pager.`,
		Example: `  lakeql help exec
  lakeql help databricks_workspace.postgres.postgres_credentials.generate`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			below, _, err := cmd.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var all []string
			for _, sub := range below.Commands() {
				if sub.IsAvailableCommand() && strings.HasPrefix(sub.Name(), begun) {
					all = append(all, sub.Name()+"\t"+sub.Short)
				}
			}
			if len(args) > 0 {
				return all, cobra.ShellCompDirectiveNoFileComp
			}
			of, directive := completeNames(cmd, args, begun)
			return append(all, of...), directive
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, left, err := cmd.Root().Find(args)
			if err == nil && len(left) == 0 {
				about.InitDefaultHelpFlag()
				return about.Help()
			}
			if len(args) != 1 {
				return unknownCommand(cmd.Root(), errors.New("unknown command \""+args[0]+"\" for \"lakeql\""))
			}
			return c.helpAbout(cmd.Root(), args[0])
		},
	}
}

// helpAbout shows what the pages say about a name of the catalogue.
func (c *command) helpAbout(root *cobra.Command, name string) error {
	catalogue, err := connect.Catalogue()
	if err != nil {
		return err
	}
	parts, err := existing(catalogue, name, 4)
	if err != nil {
		if near := root.SuggestionsFor(name); len(near) > 0 && !strings.Contains(name, ".") {
			return provider.Usagef("%s is neither a command nor a provider", provider.Quote(name)).Hintf("did you mean %s?", strings.Join(near, " or "))
		}
		return err
	}
	width, _ := terminal.Size(c.stdout)
	text, err := docgen.Manual(catalogue, parts, docgen.Options{Extended: true}, width, terminal.Is(c.stdout) && terminal.HasColor())
	if err != nil {
		return err
	}
	if !terminal.Is(c.stdout) {
		_, err := io.WriteString(c.stdout, text)
		return err
	}
	pager := terminal.NewPager(c.stdout.(*os.File)) //nolint:forcetypeassert // a terminal is a file
	return paged(pager, func() error {
		_, err := io.WriteString(pager, text)
		return err
	})
}

// completeNames completes a full name a part at a time.
func completeNames(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	catalogue, err := connect.Catalogue()
	if err != nil || len(args) > 0 {
		return nil, directive
	}
	parts := strings.Split(begun, ".")
	above := strings.Join(parts[:len(parts)-1], ".")
	found, unknown, _ := catalogue.Lookup(parts[:len(parts)-1]...)
	var below []string
	switch {
	case unknown < len(parts)-1 || len(parts) > 4:
	case found.Resource != nil:
		for _, m := range found.Resource.Methods {
			below = append(below, m.Name)
		}
	case found.Service != nil:
		for _, r := range found.Service.Resources {
			below = append(below, r.Name)
		}
	case found.Provider != nil:
		for _, s := range found.Provider.Services {
			below = append(below, s.Name)
		}
	default:
		providers, err := catalogue.Providers()
		if err != nil {
			return nil, directive
		}
		for _, p := range providers {
			below = append(below, p.Name)
		}
	}
	if above != "" {
		above += "."
	}
	var all []string
	for _, name := range below {
		if full := above + name; strings.HasPrefix(full, begun) {
			all = append(all, full)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), directive
}
