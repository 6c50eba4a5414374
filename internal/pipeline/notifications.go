package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/internal/pipeline/notify"
	"github.com/lakeql/lakeql/provider"
)

// setNotify reads the targets of notifications.
func setNotify(d *Definition, n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return provider.Usagef("it is not a list of entries, such as - webhook: https://…")
	}
	known := map[string]bool{}
	for _, item := range n.Content {
		t, err := parseTarget(item)
		if err != nil {
			return atNode(item, err)
		}
		if t.Name == "" {
			t.Name = t.Kind() + "-" + strconv.Itoa(len(d.Notify)+1)
		}
		if err := t.Valid(); err != nil {
			return atNode(item, err)
		}
		if known[t.Name] {
			return atNode(item, provider.Usagef("two entries have the name %s", t.Name))
		}
		known[t.Name] = true
		d.Notify = append(d.Notify, *t)
	}
	return nil
}

// parseTarget reads one entry. No error shows a value, because a URL may hold a secret.
func parseTarget(n *yaml.Node) (*notify.Target, error) {
	keys := []string{"name", "webhook", "format", "headers", "file", "command", "on", "severity", "tables"}
	if n.Kind != yaml.MappingNode {
		return nil, provider.Usagef("an entry is not a list of key: value, such as - webhook: https://…")
	}
	t := &notify.Target{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !slices.Contains(keys, key.Value) {
			return nil, atNode(key, provider.Usagef("%s is not known here", provider.Quote(key.Value)).Hintf("it may say %s", strings.Join(keys, ", ")))
		}
		if key.Value == "on" {
			if value.Kind == yaml.ScalarNode {
				t.On = []string{value.Value}
			} else if value.Decode(&t.On) != nil {
				return nil, atNode(value, provider.Usagef("on is neither checks, nor changes, nor a list of both"))
			}
			continue
		}
		one := yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{key, value}}
		if err := one.Decode(t); err != nil {
			return nil, atNode(value, provider.Usagef("%s has a value of another kind: name, webhook, format, file and severity are texts, command and tables lists of texts, and headers names with texts", key.Value))
		}
	}
	return t, nil
}

// checkNotify reports targets that name tables which the pipeline does not have.
func (d *Definition) checkNotify() error {
	for i := range d.Notify {
		for _, name := range d.Notify[i].Tables {
			if d.table(name) == nil {
				return provider.Usagef("notify: the pipeline has no table %s, whose changes %s is to tell", provider.Quote(name), d.Notify[i].Name)
			}
		}
	}
	return nil
}

// tableChanges reads the changes that a run made to the tables whose changes are told. The first rows of a
// table are no change.
func (s *Store) tableChanges(ctx context.Context, c conn, d *Definition, run *Run) ([]notify.Table, error) {
	var wanted []string
	for i := range d.Notify {
		wanted = append(wanted, d.Notify[i].Tables...)
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	stored, err := s.tables(ctx, c)
	if err != nil {
		return nil, err
	}
	var all []notify.Table
	for i := range stored {
		t := &stored[i]
		if !slices.Contains(wanted, t.Name) || t.Pipeline != d.Name || !t.KnownSince.Before(run.Begun) {
			continue
		}
		told := notify.Table{Name: t.Name}
		for change, rows := range map[string]*notify.Rows{"added": &told.Added, "changed": &told.Changed, "removed": &told.Removed} {
			if err := s.changedRows(ctx, c, t, run.ID, change, rows); err != nil {
				return nil, err
			}
		}
		if told.Added.Count+told.Changed.Count+told.Removed.Count > 0 {
			all = append(all, told)
		}
	}
	return all, nil
}

// changedRows reads the changes of one kind that a run made to a table: their number, and the first of them
// with their workspace, key and label. For changed rows, also the changed columns.
func (s *Store) changedRows(ctx context.Context, c conn, t *storedTable, run int64, change string, into *notify.Rows) error {
	h := quote(historyTable(t.Name))
	if _, err := one(ctx, c, "SELECT count(*) FROM "+h+" WHERE run_id = ?1 AND change = ?2", []any{run, change}, &into.Count); err != nil || into.Count == 0 {
		return err
	}
	shown := []provider.Column{{Name: deploymentName, Type: "string"}}
	selected := []string{deploymentName}
	for _, k := range t.Key {
		column := t.Columns[slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == k })]
		shown = append(shown, column.describe())
		selected = append(selected, s.d.selected(column))
	}
	label := t.label()
	if label != nil {
		shown = append(shown, label.describe())
		selected = append(selected, s.d.selected(*label))
	}
	shown = append(shown, provider.Column{Name: "changed_columns", Type: "object"})
	selected = append(selected, s.d.selected(Column{"changed_columns", JSON}))
	query := fmt.Sprintf("SELECT %s FROM %s WHERE run_id = ?1 AND change = ?2 ORDER BY history_id LIMIT %d", strings.Join(selected, ", "), h, notify.MostRows)
	return each(ctx, c, query, []any{run, change}, func(scan func(...any) error) error {
		row, places := make([]any, len(shown)), make([]any, len(shown))
		for i := range row {
			places[i] = &row[i]
		}
		if err := scan(places...); err != nil {
			return err
		}
		for i := range row {
			row[i] = s.d.shown(shown[i], row[i])
		}
		columns := shown[:len(shown)-1]
		if n := len(columns) - 1; label != nil && row[n] == nil { // nobody calls the row anything
			columns, row = columns[:n], slices.Delete(row, n, n+1)
		}
		into.Rows = append(into.Rows, notify.HistoryRow(columns, row))
		return nil
	})
}

// notification is one that was not delivered yet.
type notification struct {
	id, attempts int64
	target, body string
}

// notifications lists the undelivered notifications of a pipeline, oldest first.
func (s *Store) notifications(ctx context.Context, c conn, pipeline string) ([]notification, error) {
	var all []notification
	err := each(ctx, c, "SELECT id, attempts, target, body FROM lakeql_notification WHERE pipeline = ?1 ORDER BY id", []any{pipeline}, func(scan func(...any) error) error {
		var p notification
		err := scan(&p.id, &p.attempts, &p.target, &p.body)
		all = append(all, p)
		return err
	})
	return all, err
}

// Undelivered is a notification that could not be delivered so far.
type Undelivered struct {
	Target, Error string
	Waiting       int64 // notifications for this target
}

// Undelivered lists the targets of a pipeline that did not get all notifications, with the last error.
func (s *Store) Undelivered(ctx context.Context, pipeline string) ([]Undelivered, error) {
	var all []Undelivered
	err := each(ctx, s.db, `SELECT target, count(*), coalesce(max(CASE WHEN id = (SELECT min(o.id) FROM lakeql_notification o WHERE o.pipeline = n.pipeline AND o.target = n.target) THEN error END), '') FROM lakeql_notification n
		WHERE pipeline = ?1 GROUP BY pipeline, target ORDER BY target`, []any{pipeline}, func(scan func(...any) error) error {
		var u Undelivered
		err := scan(&u.Target, &u.Waiting, &u.Error)
		all = append(all, u)
		return err
	})
	return all, storeError(s.place, err)
}

// deliver sends the notifications of a pipeline, the oldest of each target first. After an error it leaves the
// others of the target for the next time.
func (s *Store) deliver(ctx context.Context, d *Definition, sender *notify.Sender) (failed []error, err error) {
	all, err := s.notifications(ctx, s.db, d.Name)
	if err != nil {
		return nil, err
	}
	given := map[string]bool{} // targets that failed
	for _, p := range all {
		at := slices.IndexFunc(d.Notify, func(t notify.Target) bool { return t.Name == p.target })
		if at < 0 || given[p.target] {
			continue
		}
		message, err := notify.Decode([]byte(p.body))
		if err == nil {
			err = sender.Send(ctx, &d.Notify[at], message)
		}
		if ctx.Err() != nil {
			return failed, ctx.Err()
		}
		if err == nil {
			if _, err := s.db.exec(context.WithoutCancel(ctx), "DELETE FROM lakeql_notification WHERE id = ?1", p.id); err != nil { // it is delivered, whatever comes now
				return failed, err
			}
			continue
		}
		given[p.target] = true
		failed = append(failed, fmt.Errorf("%s: %w", p.target, err))
		now, nowErr := s.now(ctx, s.db)
		if nowErr != nil {
			return failed, nowErr
		}
		if _, err := s.db.exec(ctx, "UPDATE lakeql_notification SET attempts = attempts + 1, tried_at = ?1, error = ?2 WHERE id = ?3", stamp(now), told(err), p.id); err != nil {
			return failed, err
		}
	}
	return failed, nil
}
