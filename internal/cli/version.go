package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/engine"
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
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of lakeql and Go, and the platform",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.stdout, "lakeql %s (%s, %s/%s)\n", versionNumber(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
