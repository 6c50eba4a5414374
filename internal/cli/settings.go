package cli

import (
	"fmt"
	"os"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lakeql/lakeql/provider"
)

// startFlags adds the flags that take effect before a command runs, under StackQL's names.
func (c *command) startFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.auth, "auth", "", `credentials as StackQL has them: {"databricks_workspace": {"type": "bearer", "credentialsenvvar": "MY_TOKEN"}}`)
	f.StringVar(&c.configFile, "configfile", "", "file with flag = value lines; the command line goes before it")
	f.StringVar(&c.envFile, "env.file", "", "file with NAME=value lines for the environment")
	f.StringVar(&c.cpuProfile, "cpuprofile", "", "write a CPU profile to this file")
	f.StringVar(&c.logLevel, "loglevel", "fatal", "log level; debug and trace log each request to standard error, as --verbose does")
	f.BoolVar(&c.httpLog, "http.log.enabled", false, "log each request to standard error, as --verbose does")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error { return c.start(cmd.Flags()) }
}

// start carries out the flags of startFlags. stop ends what it has begun.
func (c *command) start(flags *pflag.FlagSet) error {
	if c.configFile != "" {
		if err := readConfigFile(c.configFile, flags); err != nil {
			return err
		}
	}
	if c.envFile != "" {
		if err := readEnvironment(c.envFile); err != nil {
			return err
		}
	}
	levels := []string{"panic", "fatal", "error", "warn", "warning", "info", "debug", "trace"}
	at := slices.Index(levels, strings.ToLower(c.logLevel))
	if at < 0 {
		return provider.Usagef("--loglevel is none of %s", strings.Join(levels, ", "))
	}
	c.verbose = c.verbose || c.httpLog || levels[at] == "debug" || levels[at] == "trace"
	if err := c.useAuth(); err != nil {
		return err
	}
	if c.cpuProfile != "" {
		f, err := os.Create(c.cpuProfile)
		if err != nil {
			return provider.Usagef("write --cpuprofile: %v", err).Because(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			_ = f.Close() // it is empty
			return fmt.Errorf("start the CPU profile: %w", err)
		}
		c.stopProfile = func() error { pprof.StopCPUProfile(); return f.Close() }
	}
	return nil
}

// stop ends what start has begun.
func (c *command) stop() error {
	if c.stopProfile == nil {
		return nil
	}
	return c.stopProfile()
}

// settingLines calls read with each setting of a file, in which a # begins a comment. isEnd finds the
// end of the name.
func settingLines(flag, name, isEnd string, read func(name, value string) error) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return provider.Usagef("read %s: %v", flag, err).Because(err)
	}
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' && isEnd != "=" {
			continue
		}
		at := strings.IndexAny(line, isEnd)
		if at <= 0 {
			return provider.Usagef("%s %s: line %d is not name = value", flag, provider.Printable(name), i+1)
		}
		if err := read(strings.TrimSpace(line[:at]), strings.TrimSpace(line[at+1:])); err != nil {
			return provider.Usagef("%s %s: line %d: %v", flag, provider.Printable(name), i+1, err).Because(err)
		}
	}
	return nil
}

// readConfigFile sets the flags that a file names and the command line does not.
func readConfigFile(name string, flags *pflag.FlagSet) error {
	given := map[string]bool{"configfile": true}
	flags.Visit(func(flag *pflag.Flag) { given[flag.Name] = true })
	return settingLines("--configfile", name, "=:", func(key, value string) error {
		switch {
		case flags.Lookup(key) == nil:
			return fmt.Errorf("there is no flag %s", provider.Quote(key))
		case given[key]:
			return nil
		}
		if err := flags.Set(key, value); err != nil {
			return fmt.Errorf("%s", flagFault(err))
		}
		return nil
	})
}

// readEnvironment sets the variables that a file names, in place of those that there are. As in StackQL, a
// variable without a value stays as it is, and a file may be written later.
func readEnvironment(name string) error {
	if _, err := os.Stat(name); os.IsNotExist(err) {
		return nil
	}
	return settingLines("--env.file", name, "=", func(key, value string) error {
		key = strings.TrimSpace(strings.TrimPrefix(key, "export "))
		if n := len(value); n >= 2 && value[0] == value[n-1] && (value[0] == '"' || value[0] == '\'') {
			value = value[1 : n-1]
		}
		if value == "" {
			return nil
		}
		return os.Setenv(key, value)
	})
}
