package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// prune deletes the history of a pipeline's tables that is older than their retention. It keeps the last
// change of each row before that time, so that the contents of the table at any later time are known. It
// does not change the rows themselves. It also deletes runs of that age.
func (s *Store) prune(ctx context.Context, t tx, pipeline string, now time.Time) error {
	stored, err := s.tables(ctx, t)
	if err != nil {
		return err
	}
	oldest := time.Time{}
	for _, table := range stored {
		if table.Pipeline != pipeline || table.Retention <= 0 {
			continue
		}
		from := micro(now.Add(-table.Retention))
		if !from.After(table.KnownSince) {
			continue
		}
		if oldest.IsZero() || from.Before(oldest) {
			oldest = from
		}
		h := quote(historyTable(table.Name))
		if _, err := t.exec(ctx, fmt.Sprintf(`DELETE FROM %s AS old WHERE changed_at < ?1 AND (change = 'removed' OR EXISTS (SELECT 1 FROM %s later
			WHERE later.deployment_name = old.deployment_name AND later.key_hash = old.key_hash AND later.changed_at <= ?1 AND later.history_id > old.history_id))`, h, h), stamp(from)); err != nil {
			return err
		}
		if err := pruneStates(ctx, t, table.Name, from); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "UPDATE lakeql_table SET known_since = ?1 WHERE name = ?2", stamp(from), table.Name); err != nil {
			return err
		}
	}
	if oldest.IsZero() {
		return nil
	}
	if err := pruneChecks(ctx, t, pipeline, oldest); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM lakeql_task WHERE run_id IN (SELECT id FROM lakeql_run WHERE pipeline = ?1 AND ended_at < ?2)`, pipeline, stamp(oldest)); err != nil {
		return err
	}
	_, err = t.exec(ctx, `DELETE FROM lakeql_run WHERE pipeline = ?1 AND ended_at < ?2`, pipeline, stamp(oldest))
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `DELETE FROM lakeql_definition WHERE hash NOT IN (SELECT hash FROM lakeql_run) AND hash NOT IN (SELECT hash FROM lakeql_schedule)`)
	return err
}

// Diff returns the changes of a table since a time (zero: since the beginning of its history), oldest
// first: the workspace, the key, the kind of change, and for changed rows one row for each column.
func (s *Store) Diff(ctx context.Context, table string, since time.Time) (provider.Rows, error) {
	t, err := s.table(ctx, table)
	if err != nil {
		return nil, err
	}
	columns := []provider.Column{{Name: "changed_at", Type: "string", Format: "date-time"}, {Name: deploymentName, Type: "string"}}
	selected := []string{"changed_at", deploymentName}
	for _, k := range t.Key {
		i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == k })
		columns = append(columns, t.Columns[i].describe())
		selected = append(selected, s.d.selected(t.Columns[i]))
	}
	columns = append(columns, provider.Column{Name: "change", Type: "string"}, provider.Column{Name: "changed_columns", Type: "object"}, provider.Column{Name: "run_id", Type: "integer"})
	selected = append(selected, "change", s.d.selected(Column{"changed_columns", JSON}), "run_id")
	query := "SELECT " + strings.Join(selected, ", ") + " FROM " + quote(historyTable(t.Name)) + " WHERE changed_at > ?1 AND change <> ?2 ORDER BY changed_at, history_id"
	return s.read(ctx, columns, query, stamp(since), columnsRow)
}

// read returns the rows of a query as they come.
func (s *Store) read(ctx context.Context, columns []provider.Column, query string, args ...any) (provider.Rows, error) {
	rows, err := s.db.query(ctx, query, args...)
	if err != nil {
		return nil, storeError(s.place, err)
	}
	return &storedRows{columns, rows, s}, nil
}

// describe returns a column as the documents describe theirs.
func (c Column) describe() provider.Column {
	switch c.Type {
	case Timestamp:
		return provider.Column{Name: c.Name, Type: "string", Format: "date-time"}
	case JSON:
		return provider.Column{Name: c.Name, Type: "object"}
	case Text:
		return provider.Column{Name: c.Name, Type: "string"}
	case Integer, Number, Boolean:
	}
	return provider.Column{Name: c.Name, Type: string(c.Type)}
}
