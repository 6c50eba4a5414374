package pipeline

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lakeql/lakeql/provider"
)

// TestUpgrade opens stores of version 0.1.0, and of version 2 of the schema. They get the newer tables and
// columns, and their rows read as new ones do.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for kind, open := range map[string]func(t *testing.T) (place string, do func(statement string)){
		"SQLite": func(t *testing.T) (string, func(string)) {
			t.Helper()
			path := filepath.Join(t.TempDir(), "store.db")
			db, err := sql.Open("sqlite3", path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			return path, func(statement string) {
				if _, err := db.ExecContext(t.Context(), statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
		},
		"PostgreSQL": func(t *testing.T) (string, func(string)) {
			t.Helper()
			dsn := startPostgres(t)
			conn, err := pgx.Connect(t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
			return dsn, func(statement string) {
				if _, err := conn.Exec(t.Context(), statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
		},
	} {
		upgrade := func(t *testing.T, version int) {
			t.Helper()
			place, do := open(t)
			s := &Store{d: &dialect{postgres: kind == "PostgreSQL"}}
			for _, statement := range s.firstSchema() {
				do(statement)
			}
			bytes, json, id := "BLOB", "JSON BLOB", "INTEGER PRIMARY KEY"
			if s.d.postgres {
				bytes, json, id = "bytea", "jsonb", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
			}
			do(`CREATE TABLE lakeql_rows_things (deployment_name text NOT NULL, key_hash ` + bytes + `, row_hash ` + bytes + `, id bigint, body ` + json + `)`)
			do(`CREATE TABLE lakeql_history_things (history_id ` + id + `, run_id bigint, change text, changed_at ` + s.d.typeOf(Timestamp) + `, changed_columns ` + json + `, deployment_name text, key_hash ` + bytes + `, id bigint, body ` + json + `)`)
			do(`INSERT INTO lakeql_rows_things (deployment_name, id, body) VALUES ('dbc-1', 1, '"a"'), ('dbc-1', 2, '5'), ('dbc-1', 3, '{"a":1}'), ('dbc-1', 4, 'true'), ('dbc-1', 5, '1.5'), ('dbc-1', 6, NULL)`)
			do(`INSERT INTO lakeql_history_things (change, changed_at, deployment_name, id, body) SELECT 'added', '2026-11-01T00:00:00.000000Z', deployment_name, id, body FROM lakeql_rows_things`)
			do(`INSERT INTO lakeql_table VALUES ('things', 'p', '', '["id"]', '[{"name":"id","type":"integer"},{"name":"body","type":"json"}]', '2026-10-01T00:00:00.000000Z', 0)`)
			do(`INSERT INTO lakeql_slice (table_name, deployment_name, observed_at, run_id, columns, stale, error) VALUES ('things', 'dbc-1', '2026-11-01T00:00:00.000000Z', 1, 'id body', FALSE, NULL), ('things', 'dbc-2', '2026-11-02T00:00:00.000000Z', 1, 'id', TRUE, '403'),
				('things', 'dbc-3', NULL, NULL, NULL, TRUE, '403'), ('things', 'dbc-4', '2026-11-01T00:00:00.000000Z', 1, 'id body', TRUE, 'the pipeline does not ask this query of the workspace any more')`)
			if version == 2 {
				for _, statement := range append(s.secondSchema(), secondData()...) {
					do(statement)
				}
				do("CREATE VIEW lakeql_note AS SELECT name AS table_name, 'unasked' AS kind, '' AS about, 'old' AS note FROM lakeql_table")
				if !s.d.postgres {
					do(`UPDATE lakeql_rows_things SET body = CASE WHEN id IN (1, 2, 5) THEN body ->> '$' WHEN id = 4 THEN CAST(body AS BLOB) ELSE body END`)
					do(`UPDATE lakeql_history_things SET body = (SELECT r.body FROM lakeql_rows_things r WHERE r.id = lakeql_history_things.id)`)
				}
			}

			for range 2 { // the second time there is nothing to do
				opened, err := OpenStore(t.Context(), place, nil)
				if err != nil {
					t.Fatal(err)
				}
				notes, err := opened.Notes(t.Context(), nil)
				var told []string
				for _, n := range notes {
					told = append(told, n.Text)
				}
				want := "the query that filled the rows of 1 of 2 workspaces does not give the column body, which is NULL there; things_at(time) has its earlier values\n" +
					"the rows of 2 of 3 workspaces are old or missing, because their last query failed or was not answered: dbc-2, dbc-3; pipeline_status tells why\n" +
					"1 of 4 workspaces left: their rows are old, and stay until lakeql pipeline forget: dbc-4"
				if got := strings.Join(told, "\n"); err != nil || got != want {
					t.Errorf("readers are told\n%s\n%v, want\n%s", got, err, want)
				}
				var states string
				if _, err := one(t.Context(), opened.db, `SELECT string_agg(s, ' ') FROM (SELECT deployment_name || ':' || CASE WHEN NOT asked THEN 2 WHEN stale THEN 1 ELSE 0 END AS s FROM lakeql_state ORDER BY deployment_name, changed_at, id) all_states`, nil, &states); err != nil || states != "dbc-1:0 dbc-2:0 dbc-2:1 dbc-3:1 dbc-4:0 dbc-4:2" {
					t.Errorf("the states are %s, %v", states, err)
				}
				var status string
				if _, err := one(t.Context(), opened.db, `SELECT string_agg(s, ' ') FROM (SELECT deployment_name || ':' || state AS s FROM pipeline_status ORDER BY 1) all_states`, nil, &status); err != nil || status != "dbc-1:fresh dbc-2:failed dbc-3:failed dbc-4:left" {
					t.Errorf("the status is %s, %v", status, err)
				}
				for _, table := range []string{"lakeql_rows_things", "lakeql_history_things"} {
					var rows [][]any
					err := each(t.Context(), opened.db, "SELECT "+opened.d.selected(Column{"body", JSON})+" FROM "+table+" ORDER BY id", nil, func(scan func(...any) error) error {
						row := make([]any, 1)
						err := scan(&row[0])
						if err == nil {
							err = opened.d.restore([]Column{{"body", JSON}}, row)
						}
						rows = append(rows, row)
						return err
					})
					var kept []string
					for _, row := range rows {
						kept = append(kept, written(row[0]))
					}
					if want := `"a" 5 {"a":1} true 1.5 <nil>`; err != nil || strings.Join(kept, " ") != want {
						t.Errorf("%s has %v, %v; want %s", table, kept, err, want)
					}
				}
				if s.d.postgres {
					var n int
					if _, err := one(t.Context(), opened.db, "SELECT count(*) FROM things_at('2026-11-03') WHERE stale OR body IS NULL", nil, &n); err != nil || n != 1 {
						t.Errorf("%d rows, %v", n, err)
					}
				} else {
					var n int
					if _, err := one(t.Context(), opened.db, "SELECT count(*) FROM things WHERE body IN ('a', 5, 1.5)", nil, &n); err != nil || n != 3 {
						t.Errorf("%d rows, %v", n, err)
					}
				}
				opened.Close()
			}
			do("UPDATE lakeql_version SET version = 99")
			if _, err := OpenStore(t.Context(), place, nil); err == nil || provider.CodeOf(err) != provider.Usage || !strings.Contains(err.Error(), "was written by a newer version of lakeql") {
				t.Error(err)
			}
		}
		for version, name := range map[int]string{1: "version 0.1.0", 2: "version 2"} {
			t.Run(kind+" of "+name, func(t *testing.T) {
				t.Parallel()
				upgrade(t, version)
			})
		}
	}
}
