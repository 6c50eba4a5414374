package cli

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// idleFlags adds the flags of StackQL that the command does not have. They are parsed, because a
// misspelled value is an error there too, and have no effect. docs/from-stackql.md lists them.
func idleFlags(cmd *cobra.Command) {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, name := range []string{"acid", "dbInternal", "gc", "mcp.config", "namespaces", "pgsrv.sundry", "preview", "registry", "session", "store.txn"} {
		all.Var(object{}, name, "")
	}
	for _, name := range []string{"approot", "colorscheme", "errorpresentation", "mcp.server.type", "pgsrv.address", "pgsrv.loglevel", "pgsrv.tls", "provider", "viperconfigfilename"} {
		all.String(name, "", "")
	}
	for _, name := range []string{"cachekeycount", "cachettl", "dataflow.components.max", "dataflow.dependency.max", "http.response.maxResults", "indirect.depth.max", "metadatattl", "pgsrv.port", "querycachesize"} {
		all.Int(name, 0, "")
	}
	for _, name := range []string{"pgsrv.debug.enable", "tls.allowInsecure", "usenonpreferredapis"} {
		all.Bool(name, false, "")
	}
	for _, name := range []string{"approotfilemode", "approotfilepermissions"} {
		all.Uint32(name, 0o755, "")
	}
	all.StringP("infile", "i", "", "")
	all.StringP("outfile", "f", "", "")
	all.StringP("output", "o", "", "")
	all.StringP("delimiter", "d", "", "")
	all.StringP("iqldata", "q", "", "")
	all.BoolP("hideheaders", "H", false, "")
	all.StringArray("var", nil, "")

	own := cmd.Flags()
	all.VisitAll(func(flag *pflag.Flag) {
		if own.Lookup(flag.Name) != nil {
			return
		}
		if flag.Shorthand != "" && own.ShorthandLookup(flag.Shorthand) != nil {
			flag.Shorthand = ""
		}
		flag.Hidden = true
		own.AddFlag(flag)
	})
}

// object is the value of a flag that takes an object of JSON or YAML, and is not kept.
type object struct{}

// Set checks the value.
func (object) Set(text string) error {
	if !isObject(text) {
		return errors.New("it is not an object of JSON or YAML")
	}
	return nil
}

// String implements pflag.Value.
func (object) String() string { return "{}" }

// Type implements pflag.Value.
func (object) Type() string { return "object" }

// isObject reports whether a text is an object of JSON or YAML; an empty text is one without keys.
func isObject(text string) bool {
	var keys map[string]any
	return yaml.Unmarshal([]byte(text), &keys) == nil
}
