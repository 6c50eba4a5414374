package cli_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/cli"
	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// secretStatements have a secret in every place that a statement can have one. SECRET stands for it.
func secretStatements() []string {
	return []string{
		"EXEC databricks_workspace.workspace.secrets.put @scope = 's', @key='k', @string_value = 'SECRET'",
		`EXEC databricks_workspace.workspace.secrets.put @@json = '{"scope": "s", "string_value": "SECRET", "key": "k"}'`,
		`EXEC databricks_workspace.catalog.connections.create @name='n', @options='{"host": "h", "password": "SECRET"}', @connection_type = 'MYSQL'`,
		`EXEC /*+ AWAIT */ databricks_workspace.ml.model_registry_webhooks.create_webhook @events = '["X"]', @http_url_spec = '{"url": "https://h", "secret": "SECRET"}'`,
		"SELECT name, 'SECRET' AS token, creator FROM databricks_workspace.postgres.postgres_projects WHERE deployment_name = 'd' AND name <> 'SECRET' ORDER BY 1",
		"SELECT p.name FROM databricks_workspace.postgres.postgres_projects p JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name || 'SECRET' WHERE p.uid IN ('x', 'SECRET')",
		"WITH t AS (SELECT 'SECRET' AS s) SELECT * FROM t",
		"INSERT INTO databricks_workspace.workspace.secrets (scope, key, string_value) VALUES ('s', 'k', 'SECRET') RETURNING key",
		`INSERT INTO databricks_workspace.catalog.connections (name, connection_type, options) SELECT 'n', 'MYSQL', json_object('password', 'SECRET')`,
		`UPDATE databricks_workspace.catalog.connections SET options = '{"password": "SECRET"}' WHERE name = 'n'`,
		"UPDATE databricks_workspace.ml.model_registry_webhooks SET http_url_spec.secret = 'SECRET' WHERE id = 'i'",
		"DELETE FROM databricks_workspace.workspace.secrets WHERE scope = 's' AND key || 'x' = 'SECRET' OR 'SECRET' = key",
		"REPLACE INTO databricks_workspace.workspace.secrets (scope, key, string_value) VALUES ('s', 'k', 'SECRET')",
		"CREATE TABLE t AS SELECT 'SECRET' AS token, 1 AS n",
		"CREATE VIEW v AS SELECT name FROM databricks_workspace.jobs.jobs WHERE description = 'SECRET' AND oops",
		"SET page_limit = 'SECRET'",
		"NATIVEQUERY 'SELECT SECRET'",
		"EXPLAIN INSERT INTO databricks_workspace.workspace.secrets (scope, key, string_value) VALUES ('s', 'k', 'SECRET')",
		`EXPLAIN UPDATE databricks_workspace.catalog.connections SET options = '{"password": "SECRET"}' WHERE name = 'n'`,
		`EXPLAIN INSERT INTO databricks_workspace.catalog.connections (name, connection_type, options) SELECT name, 'MYSQL', '{"password": "SECRET"}' FROM databricks_workspace.catalog.catalogs`,
		"SHOW METHODS IN databricks_workspace.postgres.postgres_projects LIKE 'SECRET'",
		"DESCRIBE databricks_workspace.workspace.secrets 'SECRET'",
		"SHOW PROVIDERS; EXEC databricks_workspace.workspace.secrets.put @scope = 's', @key='k', @string_value = 'SECRET'",
	}
}

// mutations are a statement with each of its tokens missing, doubled, misspelt or quoted in another way.
func mutations(statement string) []string {
	tokens := pieces(statement)
	all := []string{statement, strings.ReplaceAll(statement, "'", ""), strings.ReplaceAll(statement, "'", `"`), statement + "'", "'" + statement, statement + ")", "(" + statement, statement + " oops"}
	join := func(i int, with ...string) {
		var b strings.Builder
		for j, token := range tokens {
			if j != i {
				b.WriteString(token)
				continue
			}
			for _, w := range with {
				b.WriteString(w)
			}
		}
		all = append(all, b.String())
	}
	for i, token := range tokens {
		if strings.TrimSpace(token) == "" {
			join(i)
			continue
		}
		join(i)
		join(i, token, token)
		join(i, token, " ", token)
		switch token {
		case "'", `"`:
			other := map[string]string{"'": `"`, `"`: "'"}[token]
			join(i, other)
			join(i, "`")
			join(i, `\`, token)
			join(i, token, ";")
			join(i, token, "--")
		case "(", ")", "{", "}", "[", "]":
			join(i, "/*")
		default:
			join(i, token[1:])
			join(i, token, "x")
			join(i, "x"+token)
			join(i, token[:len(token)/2])
			join(i, "'", token, "'")
		}
	}
	return all
}

// pieces cuts a statement into words, blanks and single characters.
func pieces(statement string) []string {
	var all []string
	isWord := func(c byte) bool {
		return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	for at := 0; at < len(statement); {
		end := at + 1
		if strings.HasPrefix(statement[at:], "SECRET") {
			end = at + len("SECRET")
		} else if isWord(statement[at]) {
			for end < len(statement) && isWord(statement[end]) {
				end++
			}
		}
		all = append(all, statement[at:end])
		at = end
	}
	return all
}

// leaks returns the spelling of a secret, or of a part of it, that is in a text.
func leaks(text, secret string) string {
	lower := strings.ToLower(text)
	spellings := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ReplaceAll(secret, "'", "''"),
		base64.StdEncoding.EncodeToString([]byte(secret))[:12], fmt.Sprintf("%q", secret),
	}
	for i := 0; i+7 <= len(secret); i++ { // what a mutation left of it
		spellings = append(spellings, secret[i:i+7])
	}
	for _, spelling := range spellings {
		if strings.Contains(lower, strings.ToLower(strings.Trim(spelling, `"`))) {
			return spelling
		}
	}
	return ""
}

func isLetters(text string) bool { return strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") == "" }

// secretsToTry are secrets of several kinds: a token, several words, one word, and one with quotes.
func secretsToTry() []string {
	return []string{"dapi7f3e9c1b5a2d8e4f6071", "Qzwxec Rtvbyn-Umikol", "qzwxecrtvbynu", "Zq''9'' wx;-- ec/*rt"}
}

// TestMutationsKeepSecrets runs thousands of statements with a secret and a mistake. No output has the
// secret: neither standard error, nor the output of a dry run or EXPLAIN, nor the shell's history, nor the
// store.
func TestMutationsKeepSecrets(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_STATE_HOME", home)
	server := testworld.StartEmulator(t, emulator.Options{})
	t.Setenv("DATABRICKS_HOST", server.URL())
	t.Setenv("DATABRICKS_TOKEN", server.Token())
	connection, err := connect.Open(connect.Options{Emulator: &connect.Emulator{URL: server.URL(), Token: provider.Secret(server.Token())}})
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	history := connection.Session()
	defer history.Close()
	count, kept, ran := 0, 0, 0
	for n, secret := range secretsToTry() {
		for _, pattern := range secretStatements() {
			for i, text := range mutations(pattern) {
				text = strings.ReplaceAll(text, "SECRET", secret)
				if (i+n)%len(secretsToTry()) != 0 { // another secret has the others
					continue
				}
				if isLetters(secret) && !strings.ContainsAny(text, "'\"`") {
					continue // a name, by all signs
				}
				count++
				check := func(where, told string) {
					if leak := leaks(told, secret); leak != "" {
						t.Errorf("%s shows %q of\n%s\n%s", where, leak, text, told)
					}
				}
				shown := history.Shown(text)
				check("the history", shown)
				if shown != "" {
					kept++
				}
				if count%4 != 0 { // running costs more
					continue
				}
				ran++
				var stdout, stderr bytes.Buffer
				args := []string{"exec", "-v", "--dryrun", "--store", ":memory:", "-o", "jsonl", text}
				cli.Main(args, strings.NewReader(""), &stdout, &stderr)
				check("standard error", stderr.String())
				if dry := strings.HasPrefix(text, "EXPLAIN"); dry {
					check("EXPLAIN", stdout.String())
				}
				if t.Failed() {
					return
				}
			}
		}
	}
	if count < 4000 || ran < 1000 || kept < count/2 {
		t.Errorf("%d statements, %d kept in the history, %d ran", count, kept, ran)
	}
	err = filepath.WalkDir(home, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			data, err := os.ReadFile(path)
			for _, secret := range secretsToTry() {
				if leaks(string(data), secret) != "" {
					t.Errorf("%s holds the secret", path)
				}
			}
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
