package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// storedTable is a table as the store has it.
type storedTable struct {
	Name, Pipeline, Description string
	Key                         []string
	Columns                     []Column // all that it ever had
	// KnownSince is from when on the history is whole.
	KnownSince time.Time
	Retention  time.Duration
}

// The names of the parts of a table.
func rowsTable(table string) string    { return "lakeql_rows_" + table }
func historyTable(table string) string { return "lakeql_history_" + table }

// tables lists the tables of a store, by name.
func (s *Store) tables(ctx context.Context, c conn) ([]storedTable, error) {
	return s.tablesWhere(ctx, c, "")
}

func (s *Store) tablesWhere(ctx context.Context, c conn, where string, args ...any) ([]storedTable, error) {
	var all []storedTable
	err := each(ctx, c, "SELECT name, pipeline, description, key_columns, columns, known_since, retention FROM lakeql_table "+where+" ORDER BY name", args, func(scan func(...any) error) error {
		var t storedTable
		var key, columns string
		var since moment
		var retention int64
		if err := scan(&t.Name, &t.Pipeline, &t.Description, &key, &columns, &since, &retention); err != nil {
			return err
		}
		t.KnownSince, t.Retention = since.Time, time.Duration(retention)
		if err := json.Unmarshal([]byte(key), &t.Key); err != nil {
			return err
		}
		all = append(all, t)
		return json.Unmarshal([]byte(columns), &all[len(all)-1].Columns)
	})
	return all, err
}

// table finds a table of the store by its name.
func (s *Store) table(ctx context.Context, name string) (*storedTable, error) {
	all, err := s.tables(ctx, s.db)
	if err != nil {
		return nil, storeError(s.place, err)
	}
	var known []string
	for i := range all {
		if all[i].Name == name {
			return &all[i], nil
		}
		known = append(known, all[i].Name)
	}
	e := provider.Errorf(provider.Unknown, "the store %s has no table %s", provider.Printable(s.place), provider.Quote(name))
	if e.Hint = "it has " + strings.Join(known, ", "); len(known) == 0 {
		e.Hint = "nothing was run into it yet: lakeql pipeline run"
	}
	return nil, e
}

// fitTables reports why the tables of a pipeline cannot be those of the store. It returns the names of those
// that have another key or other types there, and no rows: they can be made again.
func (s *Store) fitTables(ctx context.Context, c conn, d *Definition, stored []storedTable) (again []string, err error) {
	for i := range d.Tables {
		t := &d.Tables[i]
		at := slices.IndexFunc(stored, func(s storedTable) bool { return s.Name == t.Name })
		if at < 0 {
			continue
		}
		old := &stored[at]
		if old.Pipeline != d.Name {
			return nil, provider.Usagef("the table %s is that of the pipeline %s in this store: name it otherwise", t.Name, old.Pipeline)
		}
		misfit := old.misfit(t)
		if misfit == nil {
			continue
		}
		switch filled, err := s.isFilled(ctx, c, old.Name); {
		case err != nil:
			return nil, err
		case filled:
			return nil, misfit
		}
		again = append(again, old.Name)
	}
	return again, nil
}

// misfit reports why a table of the store cannot have the rows of a query; nil if it can.
func (old *storedTable) misfit(t *Table) error {
	if !slices.Equal(old.Key, t.Key) {
		return provider.Usagef("the table %s has the key %s in the store, and now it would be %s", t.Name, strings.Join(old.Key, ", "), strings.Join(t.Key, ", ")).
			Hintf("the history would not fit: give the table another name, or delete its rows and history with lakeql pipeline forget %s --table %s", old.Pipeline, t.Name)
	}
	for _, c := range t.Columns {
		j := slices.IndexFunc(old.Columns, func(o Column) bool { return strings.EqualFold(o.Name, c.Name) })
		if j >= 0 && old.Columns[j] != c {
			return provider.Usagef("the table %s has the column %s as %s in the store, and now it would be %s as %s", t.Name, old.Columns[j].Name, old.Columns[j].Type, c.Name, c.Type).
				Hintf("the history would not fit: name the column otherwise with AS")
		}
	}
	return nil
}

// isFilled reports whether a table has rows, or had some that its history has.
func (s *Store) isFilled(ctx context.Context, c conn, table string) (filled bool, err error) {
	for _, name := range []string{rowsTable(table), historyTable(table)} {
		var n int64
		found, err := one(ctx, c, "SELECT 1 FROM "+quote(name)+" LIMIT 1", nil, &n)
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// ensureTables adapts the tables of a pipeline to the columns of its queries. A column that they do not
// return any more stays, without values.
func (s *Store) ensureTables(ctx context.Context, t tx, d *Definition, now time.Time) error {
	if s.d.postgres { // two runs that begin at once
		if _, err := t.exec(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock)); err != nil {
			return err
		}
	}
	stored, err := s.tables(ctx, t)
	if err != nil {
		return err
	}
	again, err := s.fitTables(ctx, t, d, stored)
	if err != nil {
		return err
	}
	for i := range d.Tables {
		own := &d.Tables[i]
		at := slices.IndexFunc(stored, func(s storedTable) bool { return s.Name == own.Name })
		if slices.Contains(again, own.Name) {
			if err := s.dropTable(ctx, t, own.Name); err != nil {
				return err
			}
			at = -1
		}
		if at < 0 {
			made := storedTable{Name: own.Name, Pipeline: d.Name, Description: own.Description, Key: own.Key, Columns: own.Columns, KnownSince: now, Retention: d.Retention}
			if err := s.createTable(ctx, t, &made); err != nil {
				return err
			}
			continue
		}
		old := &stored[at]
		added := slices.DeleteFunc(slices.Clone(own.Columns), func(c Column) bool { return slices.Contains(old.Columns, c) })
		old.Columns = append(old.Columns, added...)
		for _, c := range added {
			for _, table := range []string{rowsTable(old.Name), historyTable(old.Name)} {
				if _, err := t.exec(ctx, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", quote(table), quote(c.Name), s.d.typeOf(c.Type))); err != nil {
					return err
				}
			}
		}
		if len(added) > 0 {
			if err := s.createViews(ctx, t, old); err != nil {
				return err
			}
		}
		columns, _ := json.Marshal(old.Columns) // has no value that cannot be JSON
		if _, err := t.exec(ctx, "UPDATE lakeql_table SET description = ?1, columns = ?2, retention = ?3 WHERE name = ?4",
			own.Description, string(columns), int64(d.Retention), old.Name); err != nil {
			return err
		}
	}
	return nil
}

// createTable makes a table, its history, and its views.
func (s *Store) createTable(ctx context.Context, t tx, made *storedTable) error {
	for _, name := range []string{made.Name, made.Name + "_history"} {
		there := "SELECT count(*) FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE"
		if s.d.postgres {
			there = "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass(quote_ident(?1))"
		}
		var n int64
		if _, err := one(ctx, t, there, []any{name}, &n); err != nil {
			return err
		}
		if n > 0 {
			return provider.Usagef("the store has a %s already that no pipeline has made: name the table otherwise", provider.Quote(name))
		}
	}
	var columns strings.Builder
	for _, c := range made.Columns {
		fmt.Fprintf(&columns, ", %s %s", quote(c.Name), s.d.typeOf(c.Type))
	}
	id := "history_id INTEGER PRIMARY KEY AUTOINCREMENT"
	stampType := s.d.typeOf(Timestamp)
	if s.d.postgres {
		id = "history_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
	}
	rows, history := rowsTable(made.Name), historyTable(made.Name)
	for _, statement := range []string{
		fmt.Sprintf("CREATE TABLE %s (deployment_name %s NOT NULL, key_hash %s NOT NULL, row_hash %s NOT NULL%s)",
			quote(rows), s.d.typeOf(Text), s.d.bytes(), s.d.bytes(), columns.String()),
		// A comparison reads only the index. The index need not be unique: only one comparison runs at a
		// time for a workspace, and it ensures that keys are unique.
		fmt.Sprintf("CREATE INDEX %s ON %s (deployment_name, key_hash, row_hash)", quote("lakeql_hashes_"+made.Name), quote(rows)),
		fmt.Sprintf("CREATE TABLE %s (%s, run_id %s NOT NULL, change %s NOT NULL, changed_at %s NOT NULL, changed_columns %s, deployment_name %s NOT NULL, key_hash %s NOT NULL%s)",
			quote(history), id, s.d.typeOf(Integer), s.d.typeOf(Text), stampType, s.d.typeOf(JSON), s.d.typeOf(Text), s.d.bytes(), columns.String()),
		fmt.Sprintf("CREATE INDEX %s ON %s (deployment_name, key_hash, changed_at)", quote("lakeql_keys_"+made.Name), quote(history)), // no other table's history is called so
		fmt.Sprintf("CREATE INDEX %s ON %s (changed_at)", quote("lakeql_times_"+made.Name), quote(history)),
	} {
		if _, err := t.exec(ctx, statement); err != nil {
			return err
		}
	}
	key, _ := json.Marshal(made.Key) // neither has a value that cannot be JSON
	all, _ := json.Marshal(made.Columns)
	if _, err := t.exec(ctx, "INSERT INTO lakeql_table (name, pipeline, description, key_columns, columns, known_since, retention) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		made.Name, made.Pipeline, made.Description, string(key), string(all), stamp(made.KnownSince), int64(made.Retention)); err != nil {
		return err
	}
	return s.createViews(ctx, t, made)
}

// createViews makes the views of a table: <table>, its current rows; <table>_history; and <table>_at(time),
// its rows at that time. For SQLite the engine provides the last one, based on lakeql_table.
func (s *Store) createViews(ctx context.Context, t tx, made *storedTable) error {
	names := func(prefix string) string {
		var b strings.Builder
		for _, c := range made.Columns {
			b.WriteString(", " + prefix + quote(c.Name))
		}
		return b.String()
	}
	current := fmt.Sprintf("SELECT r.deployment_name, s.observed_at, s.stale%s FROM %s r JOIN lakeql_slice s ON s.table_name = %s AND s.deployment_name = r.deployment_name",
		names("r."), quote(rowsTable(made.Name)), literal(made.Name))
	history := fmt.Sprintf("SELECT deployment_name, change, changed_at, run_id, changed_columns%s FROM %s", names(""), quote(historyTable(made.Name)))
	create := "CREATE OR REPLACE VIEW %s AS %s"
	if !s.d.postgres {
		for _, view := range []string{made.Name, made.Name + "_history"} {
			if _, err := t.exec(ctx, "DROP VIEW IF EXISTS "+quote(view)); err != nil {
				return err
			}
		}
		create = "CREATE VIEW %s AS %s"
	}
	for name, query := range map[string]string{made.Name: current, made.Name + "_history": history} {
		if _, err := t.exec(ctx, fmt.Sprintf(create, quote(name), query)); err != nil {
			return err
		}
	}
	if !s.d.postgres {
		return nil
	}
	return s.createAt(ctx, t, made)
}

// createAt makes the function <table>_at(time) of PostgreSQL.
func (s *Store) createAt(ctx context.Context, t tx, made *storedTable) error {
	var declared, names strings.Builder
	for _, c := range made.Columns {
		fmt.Fprintf(&declared, ", %s %s", quote(c.Name), s.d.typeOf(c.Type))
		names.WriteString(", h." + quote(c.Name))
	}
	function := quote(made.Name + "_at")
	for _, statement := range []string{
		"DROP FUNCTION IF EXISTS " + function + "(timestamptz)",
		// Its parameter has no name, for a column might have the same.
		fmt.Sprintf(`CREATE FUNCTION %[1]s(timestamptz) RETURNS TABLE (deployment_name text, stale boolean%[2]s) LANGUAGE plpgsql STABLE AS $lakeql$
#variable_conflict use_column
DECLARE
	lakeql_since timestamptz := (SELECT t.known_since FROM lakeql_table t WHERE t.name = %[3]s);
	lakeql_last timestamptz := greatest(clock_timestamp(), (SELECT max(s.observed_at) FROM lakeql_slice s WHERE s.table_name = %[3]s));
	lakeql_all bigint;
	lakeql_old text[];
	lakeql_left text[];
BEGIN
	IF $1 IS NULL THEN
		RAISE EXCEPTION '%[4]s_at needs a time';
	ELSIF $1 < lakeql_since THEN
		RAISE EXCEPTION 'what %[4]s held at %% is not known: its history begins at %%', $1, lakeql_since;
	ELSIF $1 > lakeql_last THEN
		RAISE EXCEPTION 'what %[4]s will hold at %% is not known: the time is in the future', $1;
	END IF;
	SELECT count(*) FILTER (WHERE h.asked), array_agg(h.deployment_name ORDER BY h.deployment_name) FILTER (WHERE h.stale AND h.asked),
		array_agg(h.deployment_name ORDER BY h.deployment_name) FILTER (WHERE NOT h.asked) INTO lakeql_all, lakeql_old, lakeql_left FROM (
		SELECT DISTINCT ON (h.deployment_name) h.* FROM lakeql_state h WHERE h.table_name = %[3]s AND h.changed_at <= $1
		ORDER BY h.deployment_name, h.changed_at DESC, h.id DESC) h;
	IF lakeql_old IS NOT NULL THEN
		RAISE WARNING '%[4]s: the rows of %% of %% workspaces were old or missing at %%: %%', cardinality(lakeql_old), lakeql_all, $1,
			array_to_string(lakeql_old[1:%[7]d], ', ') || CASE WHEN cardinality(lakeql_old) > %[7]d THEN ', …' ELSE '' END;
	END IF;
	IF lakeql_left IS NOT NULL THEN
		RAISE WARNING '%[4]s: %% workspaces had left at %%, and their rows were old: %%', cardinality(lakeql_left), $1,
			array_to_string(lakeql_left[1:%[7]d], ', ') || CASE WHEN cardinality(lakeql_left) > %[7]d THEN ', …' ELSE '' END;
	END IF;
	RETURN QUERY SELECT h.deployment_name, coalesce(h.deployment_name = ANY (lakeql_old || lakeql_left), false)%[5]s FROM (
		SELECT DISTINCT ON (h.deployment_name, h.key_hash) h.* FROM %[6]s h WHERE h.changed_at <= $1
		ORDER BY h.deployment_name, h.key_hash, h.changed_at DESC, h.history_id DESC) h WHERE h.change <> 'removed';
END $lakeql$`, function, declared.String(), literal(made.Name), made.Name, names.String(), quote(historyTable(made.Name)), mostNamed),
		fmt.Sprintf("COMMENT ON VIEW %s IS %s", quote(made.Name), literal(made.Description)),
	} {
		if _, err := t.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
