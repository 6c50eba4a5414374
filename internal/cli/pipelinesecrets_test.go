//go:build unix

package cli_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestPipelineValues shows the stored form of values that a store cannot keep unchanged.
func TestPipelineValues(t *testing.T) {
	t.Parallel()
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			s := open(t)
			t.Run("credentials", func(t *testing.T) { keepsNoSecrets(t, s) })
			t.Run("a server that repeats the token", func(t *testing.T) { repeatedToken(t, s) })
			t.Run("texts with NUL", func(t *testing.T) { textsWithNUL(t, s, kind == "PostgreSQL") })
		})
	}
}

// keepsNoSecrets shows that a store has only masks in place of credentials from answers: in rows, their
// history, the queue, and the reasons of failed queries.
func keepsNoSecrets(t *testing.T, s store) {
	t.Helper()
	const hidden = "s3cr3t-v4lue"
	var version atomic.Int64
	env := listing(t, func(w http.ResponseWriter, r *http.Request) {
		value := fmt.Sprint(hidden, version.Load())
		if strings.Contains(r.URL.Path, "storage-credentials") {
			_, _ = fmt.Fprintf(w, `{"storage_credentials": [{"name": "c%d", "comment": "open-v4lue", "cloudflare_api_token": {"access_key_id": "k", "secret_access_key": "%s"}}]}`, version.Load(), value)
			return
		}
		_, _ = fmt.Fprintf(w, `{"secrets": [{"name": "s", "comment": "open-v4lue%d", "value": "%s"}]}`, version.Load(), value)
	})
	const from = " FROM databricks_workspace.catalog.secrets_uc WHERE catalog_name = 'c' AND schema_name = 's'"
	dir := folder(t, map[string]string{
		"pipeline.yaml": "name: p\nworkspaces: [dbc-1]\nretention: forever\n",
		"nested.sql":    "-- table: nested\n-- key: name\nSELECT name, comment, cloudflare_api_token FROM databricks_workspace.catalog.storage_credentials",
		"plain.sql":     "-- table: plain\n-- key: name\nSELECT name, comment, value, value AS more" + from,
		"key.sql":       "-- table: keyed\n-- key: value\nSELECT value" + from,
		"wrong.sql":     "-- table: wrong\n-- key: name\n-- types: value integer\nSELECT name, value" + from,
	})
	for i := range 3 {
		version.Store(int64(i))
		got := pipelineCommand(t, env, "run", dir, "--store", s.name, "--log", "json", "-v", "-o", "json")
		if got.status != 1 || !strings.Contains(got.stderr, "1 of 4 queries failed") || !strings.Contains(got.stderr, `is declared as integer, and \"****\" has another type`) {
			t.Fatalf("%+v", got)
		}
		if strings.Contains(got.stdout+got.stderr, hidden) {
			t.Errorf("the command tells the credential:\n%s%s", got.stdout, got.stderr)
		}
	}
	// That the masks are there shows that the rows came as far as the store.
	if n := s.one(t, "SELECT count(*) AS n FROM plain WHERE value = '****' AND more = '****'"); n != "1" {
		t.Errorf("%s rows have masks", n)
	}
	if n := s.one(t, "SELECT count(*) AS n FROM plain_history WHERE change = 'changed'"); n != "2" {
		t.Errorf("the history has %s changes", n)
	}
	if n := s.one(t, "SELECT count(*) AS n FROM nested_history WHERE change = 'removed'"); n != "2" {
		t.Errorf("the history has %s removals", n)
	}
	everything := s.everything(t)
	if !bytes.Contains(everything, []byte("open-v4lue")) {
		t.Error("what was read of the store has nothing of its rows")
	}
	if bytes.Contains(everything, []byte(hidden)) {
		t.Error("the store holds the credential")
	}
}

// repeatedToken has a server repeat the token of a request in its errors, and a query hold a secret beside
// a mistake. A store keeps why the queries failed, without either.
func repeatedToken(t *testing.T, s store) {
	t.Helper()
	const token, hidden = "dapi-7f3e9c1b5a2d", "qz9x-wy7v-ut5s"
	env := append(listing(t, func(w http.ResponseWriter, r *http.Request) {
		said := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.Header().Set("X-Request-Id", said)
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"error_code": "BAD", "message": "sorry for %s, %s and %s"}`, said, url.QueryEscape(said+"?"), base64.StdEncoding.EncodeToString([]byte("token:"+said)))
	}), "DATABRICKS_TOKEN="+token)
	dir := folder(t, map[string]string{
		"pipeline.yaml": "name: repeated\nworkspaces: [dbc-1]\n",
		"listed.sql":    "-- table: listed\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_projects",
	})
	got := pipelineCommand(t, env, "run", dir, "--store", s.name, "--log", "json", "-v", "-o", "json")
	status := pipelineCommand(t, env, "status", "repeated", "--store", s.name, "-o", "json")
	if got.status != 1 || !strings.Contains(got.stderr, "sorry for ****") {
		t.Errorf("%+v", got)
	}
	everything := s.everything(t)
	if !bytes.Contains(everything, []byte("sorry for ****")) {
		t.Error("the store does not say why the query failed")
	}
	for where, told := range map[string]string{"the command": got.stdout + got.stderr, "the status": status.stdout + status.stderr, "the store": string(everything)} {
		for _, spelling := range []string{token, url.QueryEscape(token), base64.StdEncoding.EncodeToString([]byte("token:" + token))[8:16]} {
			if strings.Contains(told, spelling) {
				t.Errorf("%s has the token as %s", where, spelling)
			}
		}
	}
	dir = folder(t, map[string]string{
		"pipeline.yaml": "name: mistaken\nworkspaces: [dbc-1]\n",
		"wrong.sql":     "-- table: wrong\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_projects WHERE nme = '" + hidden + "' AND '" + hidden,
	})
	got = pipelineCommand(t, env, "run", dir, "--store", s.name, "--log", "json", "-v")
	if got.status != 2 || strings.Contains(got.stdout+got.stderr+string(s.everything(t)), hidden) {
		t.Errorf("a query that is wrong: %+v", got)
	}
}

// everything is all that a store has: the bytes of its files, or every row of every table.
func (s store) everything(t *testing.T) (all []byte) {
	t.Helper()
	if strings.HasPrefix(s.name, "postgres://") {
		for _, table := range s.ask(t, "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'") {
			all = append(all, s.one(t, fmt.Sprintf(`SELECT coalesce(string_agg(x::text, chr(10)), '') AS rows FROM "%s" x`, table["name"]))...)
		}
		return all
	}
	files, err := filepath.Glob(s.name + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}

// textsWithNUL shows that texts that PostgreSQL cannot store are stored with an escape.
func textsWithNUL(t *testing.T, s store, escaped bool) {
	t.Helper()
	env := listing(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/p", "uid": "a\u0000b", "status": {"owner": "a\u0000b"}}]}`)
	})
	const from = " FROM databricks_workspace.postgres.postgres_projects"
	dir := folder(t, map[string]string{
		"pipeline.yaml": "name: nul\nworkspaces: [dbc-1]\n",
		"text.sql":      "-- table: texts\n-- key: name\nSELECT name, uid" + from,
		"json.sql":      "-- table: objects\n-- key: name\nSELECT name, status" + from,
		"fine.sql":      "-- table: fine\n-- key: name\nSELECT name, name AS at" + from, // what fine_at might have called its parameter
	})
	got := pipelineCommand(t, env, "run", dir, "--store", s.name)
	if got.status != 0 {
		t.Errorf("%+v", got)
	}
	if !escaped {
		if n := s.one(t, "SELECT length(CAST(uid AS BLOB)) AS n FROM texts"); n != "3" {
			t.Errorf("the text has %s bytes", n)
		}
		return
	}
	if n := s.one(t, "SELECT count(*) AS n FROM texts JOIN objects USING (name) WHERE uid = 'a␛␀b' AND status ->> 'owner' = 'a␛␀b'"); n != "1" {
		t.Errorf("%s rows have the escape", n)
	}
	if n := s.one(t, "SELECT count(*) AS n FROM fine_at(now()) WHERE at = 'projects/p'"); n != "1" {
		t.Errorf("the table with a column at had %s rows", n)
	}
}
