package pipeline

import (
	"context"
	"fmt"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// schemaVersion is the version of a store's own tables. Stores of version 0.1.0 have the first, and no
// lakeql_version.
const schemaVersion = 4

// create makes the tables that a store has for itself, or brings them to the present. It calls making, if it
// is not nil, before it makes them.
func (s *Store) create(ctx context.Context, making func()) error {
	// Making existing tables again would take locks that block all workers.
	version, err := s.version(ctx, s.db)
	if err != nil || version == schemaVersion {
		return err
	}
	if version == 0 && making != nil {
		making()
	}
	return s.db.transact(ctx, func(t tx) error {
		if s.d.postgres {
			if _, err := t.exec(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock)); err != nil {
				return err
			}
		}
		version, err := s.version(ctx, t)
		if err != nil || version == schemaVersion { // somebody else has made them meanwhile
			return err
		}
		return s.upgrade(ctx, t, version)
	})
}

// upgrade brings the tables of a version, 0 for none, to the present.
func (s *Store) upgrade(ctx context.Context, t tx, version int64) error {
	var statements []string
	if version == 0 {
		statements = s.firstSchema()
	}
	if version < 2 {
		statements = append(statements, s.secondSchema()...)
	}
	if version == 1 {
		statements = append(statements, secondData()...)
	}
	if version < 3 {
		statements = append(statements, s.thirdSchema()...)
	}
	for _, statement := range append(statements, s.fourthSchema()...) {
		if _, err := t.exec(ctx, statement); err != nil {
			return err
		}
	}
	all, err := s.tables(ctx, t)
	if err != nil {
		return err
	}
	for i := range all {
		if err := s.createViews(ctx, t, &all[i]); err != nil {
			return err
		}
		if version == 1 && !s.d.postgres {
			if err := decodeScalars(ctx, t, &all[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// version is the version of the tables in the store; 0: it has no tables.
func (s *Store) version(ctx context.Context, c conn) (int64, error) {
	there := func(table string) (bool, error) {
		query := "SELECT count(*) FROM sqlite_schema WHERE name = " + literal(table)
		if s.d.postgres {
			query = "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass(" + literal(table) + ")"
		}
		var n int64
		_, err := one(ctx, c, query, nil, &n)
		return n > 0, err
	}
	if found, err := there("lakeql_version"); err != nil || !found {
		if found, err = there("lakeql_workspace"); err != nil || !found { // the last of the first version
			return 0, err
		}
		return 1, nil
	}
	var version int64
	_, err := one(ctx, c, "SELECT max(version) FROM lakeql_version", nil, &version)
	if err == nil && version > schemaVersion {
		return 0, provider.Usagef("the store %s was written by a newer version of lakeql", provider.Printable(s.place)).
			Hintf("use that version, or another store: --store")
	}
	return version, err
}

// firstSchema to fourthSchema are the store's own tables. Their names begin with lakeql_,
// which names of pipelines cannot.
//
//   - lakeql_definition: pipelines as they were when a run began, by their hash;
//   - lakeql_run: the runs; one for each period of a schedule;
//   - lakeql_task: a query of a run against a workspace;
//   - lakeql_table: the tables, with all columns that they ever had;
//   - lakeql_slice: the rows of a table from one workspace: the time of their query, the columns that it
//     returned, whether the last query failed, so that they are stale, and whether the pipeline still
//     queries them: if not, the table or the workspace has left;
//   - lakeql_state: when slices became stale, and fresh again, and when they left, for the state at an
//     earlier time;
//   - lakeql_pipeline: the folders of pipelines, because two may have one name;
//   - lakeql_schedule: the schedules of pipelines;
//   - lakeql_check: the state of each check, lakeql_check_row: the rows that fail, and lakeql_check_result: the
//     result after each run;
//   - lakeql_check_run: runs that are over, and whose checks are not;
//   - lakeql_notification: what was not delivered yet;
//   - pipeline_status_checks, for people: the state of each check;
//   - pipeline_status, for people: the age of the rows of each table and workspace, and its reason;
//   - lakeql_worker: the workers, and when each last renewed its lease;
//   - lakeql_workspace: when a workspace may be called again, for all workers together;
//   - lakeql_note, for readers: the gaps of each table;
//   - lakeql_version: the version of this schema.
//
// firstSchema is the schema of stores of version 0.1.0.
func (s *Store) firstSchema() []string {
	return s.inDialect(
		`CREATE TABLE lakeql_definition (hash text PRIMARY KEY, body text NOT NULL)`,
		`CREATE TABLE lakeql_run (id {id}, pipeline text NOT NULL, period text, hash text NOT NULL, state text NOT NULL,
			started_by text NOT NULL, begun_at {time} NOT NULL, ended_at {time}, code bigint, error text)`,
		`CREATE UNIQUE INDEX lakeql_run_period ON lakeql_run (pipeline, period)`,
		`CREATE UNIQUE INDEX lakeql_run_open ON lakeql_run (pipeline) WHERE ended_at IS NULL`,
		`CREATE TABLE lakeql_task (run_id bigint NOT NULL, table_name text NOT NULL, deployment_name text NOT NULL,
			state text NOT NULL, worker text NOT NULL DEFAULT '', attempts bigint NOT NULL DEFAULT 0,
			calls bigint NOT NULL DEFAULT 0, throttled bigint NOT NULL DEFAULT 0,
			row_count bigint, added bigint, changed bigint, removed bigint,
			throttled_since {time}, killed bigint NOT NULL DEFAULT 0, begun_at {time}, ended_at {time}, wait_until {time}, code bigint, error text,
			PRIMARY KEY (run_id, table_name, deployment_name))`,
		`CREATE INDEX lakeql_task_state ON lakeql_task (run_id, state)`,
		`CREATE TABLE lakeql_table (name text PRIMARY KEY, pipeline text NOT NULL, description text NOT NULL, key_columns text NOT NULL,
			columns text NOT NULL, known_since {time} NOT NULL, retention bigint NOT NULL)`,
		`CREATE TABLE lakeql_slice (table_name text NOT NULL, deployment_name text NOT NULL, observed_at {time}, run_id bigint, columns text,
			stale {bool} NOT NULL, error text, PRIMARY KEY (table_name, deployment_name))`,
		`CREATE TABLE lakeql_schedule (pipeline text PRIMARY KEY, hash text NOT NULL, next_at {time} NOT NULL, last_at {time}, paused {bool} NOT NULL, error text)`,
		`CREATE TABLE lakeql_worker (id text PRIMARY KEY, host text NOT NULL, begun_at {time} NOT NULL, seen_at {time} NOT NULL, lease {float} NOT NULL)`,
		`CREATE VIEW pipeline_status AS SELECT t.pipeline, s.table_name, s.deployment_name, s.observed_at, s.stale, s.run_id, s.error
			FROM lakeql_slice s JOIN lakeql_table t ON t.name = s.table_name`,
		`CREATE TABLE lakeql_workspace (deployment_name text PRIMARY KEY, next_at {time}, blocked_until {time})`,
	)
}

// secondSchema holds the additions of version 2 of the schema.
func (s *Store) secondSchema() []string {
	return s.inDialect(
		`CREATE TABLE lakeql_version (version bigint NOT NULL)`,
		`INSERT INTO lakeql_version (version) VALUES (2)`,
		`CREATE TABLE lakeql_pipeline (name text PRIMARY KEY, folder text NOT NULL, host text NOT NULL)`,
		`ALTER TABLE lakeql_table ADD COLUMN note text`,
		`ALTER TABLE lakeql_slice ADD COLUMN asked {bool} NOT NULL DEFAULT TRUE`,
		`CREATE TABLE lakeql_state (id {id}, table_name text NOT NULL, deployment_name text NOT NULL, changed_at {time} NOT NULL, stale {bool} NOT NULL)`,
		`CREATE INDEX lakeql_state_slice ON lakeql_state (table_name, deployment_name, changed_at)`,
	)
}

// secondData brings the rows of a store of version 0.1.0 to version 2.
func secondData() []string {
	return []string{
		"UPDATE lakeql_slice SET asked = FALSE WHERE error = 'the pipeline does not ask this query of the workspace any more'",
		// The earlier state is unknown: rows count as fresh from the beginning, and stale ones from their
		// last answer.
		"INSERT INTO lakeql_state (table_name, deployment_name, changed_at, stale) SELECT s.table_name, s.deployment_name, t.known_since, s.observed_at IS NULL FROM lakeql_slice s JOIN lakeql_table t ON t.name = s.table_name",
		"INSERT INTO lakeql_state (table_name, deployment_name, changed_at, stale) SELECT table_name, deployment_name, observed_at, TRUE FROM lakeql_slice WHERE stale AND observed_at IS NOT NULL",
	}
}

// thirdSchema holds the additions of version 3: what has left is told from what failed, also at earlier
// times, and schedules may follow a folder. A run follows the folder that its schedule follows. Workers tell
// whether they begin scheduled runs.
func (s *Store) thirdSchema() []string {
	statements := []string{
		`INSERT INTO lakeql_version (version) VALUES (3)`,
		`ALTER TABLE lakeql_state ADD COLUMN asked {bool} NOT NULL DEFAULT TRUE`,
		`UPDATE lakeql_state SET asked = FALSE WHERE id IN (SELECT max(h.id) FROM lakeql_state h
			JOIN lakeql_slice s ON s.table_name = h.table_name AND s.deployment_name = h.deployment_name WHERE NOT s.asked GROUP BY h.table_name, h.deployment_name)`,
		`ALTER TABLE lakeql_schedule ADD COLUMN follow text`,
		`ALTER TABLE lakeql_run ADD COLUMN follow text`,
		`ALTER TABLE lakeql_worker ADD COLUMN schedules {bool} NOT NULL DEFAULT TRUE`,
	}
	create := "CREATE OR REPLACE VIEW "
	if !s.d.postgres {
		statements = append(statements, "DROP VIEW IF EXISTS pipeline_status", "DROP VIEW IF EXISTS lakeql_note")
		create = "CREATE VIEW "
	}
	return s.inDialect(append(statements, create+statusView, create+noteView)...)
}

// sliceState is the state of a slice s: fresh; failed; unanswered, as no query for it came to an end; or
// left, if the pipeline does not query it any more.
const sliceState = `CASE WHEN NOT s.asked THEN 'left' WHEN NOT s.stale THEN 'fresh' WHEN s.error = '` + notAnswered + `' OR s.error LIKE 'run % ended before its query was answered' THEN 'unanswered' ELSE 'failed' END`

// statusView is the view for people. PostgreSQL adds columns to a view only behind the others.
const statusView = `pipeline_status AS SELECT t.pipeline, s.table_name, s.deployment_name, s.observed_at, s.stale, s.run_id, s.error, ` + sliceState + ` AS state
	FROM lakeql_slice s JOIN lakeql_table t ON t.name = s.table_name`

// mostNamed is how many workspaces a note names.
const mostNamed = 5

// noteView is a view with the gaps of each table, one row for each gap:
//
//   - failed: rows are old or missing, because a workspace did not answer;
//   - left: rows are old, because the pipeline does not query the workspace, or the table, any more;
//   - empty: no workspace was queried yet;
//   - columns: the column named in about reads as NULL, because the query does not return it;
//   - schedule: the installed schedule is another version of the pipeline.
//
// lakeql_slice has the columns that a table's query returned, separated by blanks.
const noteView = `lakeql_note AS
	SELECT t.name AS table_name, 'failed' AS kind, '' AS about, 'the rows of ' || count(*) FILTER (WHERE s.stale AND s.asked) || ' of ' || count(*) FILTER (WHERE s.asked) || ' workspaces are old or missing, because their last query failed or was not answered: ' ||
		(SELECT string_agg(deployment_name, ', ') FROM (SELECT deployment_name FROM lakeql_slice o WHERE o.table_name = t.name AND o.stale AND o.asked ORDER BY 1 LIMIT {named}) named) ||
		CASE WHEN count(*) FILTER (WHERE s.stale AND s.asked) > {named} THEN ', …' ELSE '' END || '; pipeline_status tells why' AS note
	FROM lakeql_table t JOIN lakeql_slice s ON s.table_name = t.name GROUP BY t.name HAVING count(*) FILTER (WHERE s.stale AND s.asked) > 0
	UNION ALL
	SELECT t.name, 'left', '', CASE WHEN count(*) FILTER (WHERE s.asked) = 0 THEN 'the pipeline has no query for the table any more: its rows are old, and stay until lakeql pipeline forget' ELSE
		count(*) FILTER (WHERE NOT s.asked) || ' of ' || count(*) || ' workspaces left: their rows are old, and stay until lakeql pipeline forget: ' ||
		(SELECT string_agg(deployment_name, ', ') FROM (SELECT deployment_name FROM lakeql_slice o WHERE o.table_name = t.name AND NOT o.asked ORDER BY 1 LIMIT {named}) named) ||
		CASE WHEN count(*) FILTER (WHERE NOT s.asked) > {named} THEN ', …' ELSE '' END END
	FROM lakeql_table t JOIN lakeql_slice s ON s.table_name = t.name GROUP BY t.name HAVING count(*) FILTER (WHERE NOT s.asked) > 0
	UNION ALL
	SELECT t.name, 'empty', '', 'no workspace was asked for its rows yet' FROM lakeql_table t WHERE NOT EXISTS (SELECT 1 FROM lakeql_slice s WHERE s.table_name = t.name)
	UNION ALL
	SELECT t.name, 'columns', c.value ->> 'name', 'the query that filled the rows of ' || count(*) FILTER (WHERE {lacks}) || ' of ' || count(*) || ' workspaces does not give the column ' || (c.value ->> 'name') || ', which is NULL there; ' || t.name || '_at(time) has its earlier values'
	FROM lakeql_table t JOIN lakeql_slice s ON s.table_name = t.name AND s.observed_at IS NOT NULL AND s.asked CROSS JOIN {columns} GROUP BY t.name, c.value ->> 'name' HAVING count(*) FILTER (WHERE {lacks}) > 0
	UNION ALL
	SELECT t.name, 'schedule', '', t.note FROM lakeql_table t WHERE t.note IS NOT NULL`

// inDialect puts the types and functions of the database into statements.
func (s *Store) inDialect(statements ...string) []string {
	const padded = `(' ' || coalesce(s.columns, '') || ' ')`
	lacks := "replace(" + padded + ", ' ' || (c.value ->> 'name') || ' ', '') = " + padded
	words := strings.NewReplacer("{time}", "timestamptz", "{id}", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "{bool}", "boolean", "{float}", "double precision",
		"{named}", fmt.Sprint(mostNamed), "{columns}", "LATERAL json_array_elements(t.columns::json) AS c(value)", "{lacks}", lacks)
	if !s.d.postgres {
		words = strings.NewReplacer("{time}", "TIMESTAMP TEXT", "{id}", "INTEGER PRIMARY KEY AUTOINCREMENT", "{bool}", "BOOLEAN", "{float}", "REAL",
			"{named}", fmt.Sprint(mostNamed), "{columns}", "json_each(t.columns) c", "{lacks}", lacks)
	}
	for i, statement := range statements {
		statements[i] = words.Replace(statement)
	}
	return statements
}

// decodeScalars decodes texts and numbers of JSON columns, which stores of version 0.1.0 have as JSON; see
// scalar.
func decodeScalars(ctx context.Context, t tx, table *storedTable) error {
	for _, c := range table.Columns {
		if c.Type != JSON {
			continue
		}
		for _, name := range []string{rowsTable(table.Name), historyTable(table.Name)} {
			column := quote(c.Name)
			if _, err := t.exec(ctx, fmt.Sprintf(`UPDATE %s SET %s = CASE WHEN substr(%[2]s, 1, 1) IN ('"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9') AND instr(%[2]s, '\u0000') = 0 THEN %[2]s ->> '$' ELSE CAST(%[2]s AS BLOB) END
				WHERE typeof(%[2]s) = 'text' AND substr(%[2]s, 1, 1) NOT IN ('{', '[')`, quote(name), column)); err != nil {
				return err
			}
		}
	}
	return nil
}
