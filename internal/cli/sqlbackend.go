package cli

import (
	"cmp"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// sqlBackend is the value of --sqlBackend: the database in which StackQL keeps tables and views. It
// is JSON or YAML. All of StackQL's keys are accepted; those that are not below say how StackQL
// itself starts the database.
type sqlBackend struct {
	// Engine is sqlite3_embedded (the default), postgres_tcp, or snowflake_tcp.
	Engine string `yaml:"dbEngine"`
	// Dialect is sqlite3, postgres, or snowflake.
	Dialect string `yaml:"sqlDialect"`
	// DSN is a file or file: URI of SQLite, or a postgres:// URI.
	DSN string `yaml:"dsn"`
	// DSNVariable is the environment variable that holds the DSN, in place of DSN.
	DSNVariable string `yaml:"dsnEnvVar"`

	Schemata struct {
		Table string `yaml:"tableSchema"`
		Intel string `yaml:"intelViewSchema"`
		Ops   string `yaml:"opsViewSchema"`
	} `yaml:"schemata"`
	InitFile   string `yaml:"dbInitFilepath"`
	SchemaType string `yaml:"schemaType"`
	Retries    int    `yaml:"initMaxRetries"`
	RetryDelay int    `yaml:"initRetryInitialDelay"`
}

// backendFlags adds the flags of StackQL about the database of tables and views.
func (c *command) backendFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.backend, "sqlBackend", "{}", `database of tables and views, as StackQL has it: {"dsn": "file:stackql.db"}`)
	f.StringVar(&c.exportAlias, "export.alias", "", "schema of tables and materialized views in a PostgreSQL store")
	for _, name := range []string{"sqlBackend", "export.alias"} {
		_ = f.MarkHidden(name) // fails for an unknown flag only
	}
}

// parseSQLBackend reads the value of --sqlBackend. No error shows the value, which may hold a password.
func parseSQLBackend(text string) (sqlBackend, error) {
	var b sqlBackend
	if strings.TrimSpace(text) == "" {
		return b, nil
	}
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true) // a misspelled dsn would keep tables elsewhere
	if err := decoder.Decode(&b); err != nil {
		return b, provider.Usagef(`--sqlBackend is not of the form {"dsn": "file:stackql.db"}`).
			Hintf("the keys are dbEngine, sqlDialect, dsn, dsnEnvVar, schemata, dbInitFilepath, schemaType, initMaxRetries, and initRetryInitialDelay")
	}
	if b.DSNVariable != "" {
		b.DSN = os.Getenv(b.DSNVariable)
		if b.DSN == "" {
			return b, provider.Usagef("--sqlBackend takes the DSN from the environment variable %s, which is empty", provider.Printable(b.DSNVariable))
		}
	}
	switch b.Engine {
	case "", "sqlite3_embedded", "postgres_tcp":
		return b, nil
	}
	return b, provider.Usagef("--sqlBackend: dbEngine %s is not supported", provider.Quote(b.Engine)).
		Hintf("use sqlite3_embedded or postgres_tcp")
}

// isPostgreSQL reports whether the database is a PostgreSQL server.
func (b sqlBackend) isPostgreSQL() bool {
	return b.Engine == "postgres_tcp" || postgres.Is(b.DSN)
}

// file returns the file of an SQLite database; empty if there is none, because the database is in memory.
func (b sqlBackend) file() string {
	rest, isURI := strings.CutPrefix(b.DSN, "file:")
	path, query, _ := strings.Cut(rest, "?")
	if !isURI {
		path, query = b.DSN, ""
	}
	if path == ":memory:" || strings.Contains(query, "mode=memory") {
		return ""
	}
	if isURI {
		path = strings.TrimPrefix(strings.TrimPrefix(path, "//localhost"), "//") // the authority (RFC 8089)
		if decoded, err := url.PathUnescape(path); err == nil {
			path = decoded
		}
	}
	return path
}

// storePath returns the store that the flags name, or else the first of the others that is not empty: a file,
// or the connection string of a PostgreSQL server.
func (c *command) storePath(others ...string) (string, error) {
	b, err := parseSQLBackend(c.backend)
	if err != nil {
		return "", err
	}
	file := b.file()
	if b.isPostgreSQL() {
		file = b.DSN
		if !postgres.Is(file) {
			return "", provider.Usagef("--sqlBackend: the dsn of postgres_tcp is not of the form postgres://user@host:5432/database")
		}
	}
	if c.store != "" && file != "" && c.store != file {
		return "", provider.Usagef("--store and --sqlBackend name different stores").Hintf("give one of them")
	}
	return cmp.Or(c.store, file, cmp.Or(others...), engine.MemoryStore), nil
}
