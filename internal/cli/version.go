package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/provider"
)

// version is set by the build; see the Makefile.
var version string

// versionNumber returns the version without a leading v: that of the build, else that of the module.
func versionNumber() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "" {
		v = info.Main.Version
	}
	if v == "" || v == "(devel)" {
		return "0.0.0-dev"
	}
	if v[0] == 'v' {
		v = v[1:]
	}
	return v
}

// build describes this build for SHOW VERSION.
func build() engine.Version {
	v := engine.Version{Number: versionNumber(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Commit = setting.Value
		case "vcs.time":
			v.BuildDate = setting.Value
		}
	}
	return v
}

// shortVersion is the line of --version. pystackql takes its second word for the version and the fourth,
// in parentheses, for the commit.
func shortVersion() string {
	v := build()
	commit := "unknown"
	if len(v.Commit) >= 7 {
		commit = v.Commit[:7]
	}
	return fmt.Sprintf("lakeql v%s %s (%s)", v.Number, v.Platform, commit)
}

func (c *command) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of lakeql and Go, and the platform",
		Long: `Print the version of lakeql and Go, and the platform. With --json, print also the commit
that it was built from, and what the documents of each provider were made of.`,
		Example: "  lakeql version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return c.writeVersion()
			}
			_, err := fmt.Fprintf(c.stdout, "lakeql %s (%s, %s/%s)\n", versionNumber(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// writeVersion prints what is known of this build, for programs.
func (c *command) writeVersion() error {
	catalogue, err := connect.Catalogue()
	if err != nil {
		return err
	}
	providers, err := catalogue.Providers()
	if err != nil {
		return err
	}
	sources := map[string]*provider.Source{}
	for _, p := range providers {
		sources[p.Name] = p.Source
	}
	b := build()
	encoder := json.NewEncoder(c.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Version   string                      `json:"version"`
		Commit    string                      `json:"commit,omitempty"`
		Date      string                      `json:"date,omitempty"` // of the commit
		Go        string                      `json:"go"`
		Platform  string                      `json:"platform"`
		Documents map[string]*provider.Source `json:"documents"` // by provider
	}{b.Number, b.Commit, b.BuildDate, runtime.Version(), b.Platform, sources})
}
