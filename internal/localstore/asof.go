package localstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/statement"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// A store that pipelines fill has a history of the changes of each table. <table>_at(time) reads
// from it the rows that the table had at that time. In PostgreSQL it is a function in the store;
// for SQLite it is made here, when a query names it.

const (
	atSuffix = "_at"
	// pipelineTables lists the tables of pipelines in a store.
	pipelineTables = "lakeql_table"
	// pipelineStates is the table in which pipelines record since when the rows of a workspace are old.
	pipelineStates = "lakeql_state"
	// momentFunction begins the names of the functions that convert a time to the form in the history
	// of a table, and fail for a time that it does not know.
	momentFunction = "lakeql_moment"
)

// provideAt makes <table>_at part of the program's database, if a store has the history of a table.
func (s *Stores) provideAt(p *vtab.Program, name string, note Note) (bool, error) {
	table, ok := strings.CutSuffix(strings.ToLower(name), atSuffix)
	if !ok || table == "" || !p.FirstTime("at:"+table) {
		return false, nil
	}
	for _, st := range s.all {
		if _, err := s.provideStore(p, st, ""); err != nil {
			return false, err
		}
		if made, err := st.ProvideAt(p, table, note); made || err != nil {
			return made, err
		}
	}
	return false, nil
}

// ProvideAt implements [Backend].
func (st *store) ProvideAt(p *vtab.Program, table string, note Note) (bool, error) {
	if !p.Has(st.schema) {
		return false, nil
	}
	columns, since, err := st.historyOf(p.DB, table)
	if err != nil || columns == nil {
		return false, err
	}
	return true, (&history{st, table, columns, since, note}).create(p)
}

// historyOf reads the columns of a table's history and the time at which it starts; nil if there is
// no history. The store is part of the database.
func (st *store) historyOf(db *sqlite3.Conn, table string) (columns []string, since string, err error) {
	if ours, err := st.has(db, pipelineTables); !ours || err != nil {
		return nil, "", err // no pipeline has filled this store
	}
	stmt, err := sandbox.Prepare(db, "SELECT columns, known_since FROM "+st.schema+"."+pipelineTables+" WHERE name = ?")
	if err != nil {
		return nil, "", st.fault(err)
	}
	defer func() { _ = stmt.Close() }() // it gives the error of the last step again
	if err := stmt.BindText(1, table); err != nil {
		return nil, "", st.fault(err)
	}
	if !stmt.Step() {
		if err := stmt.Err(); err != nil {
			return nil, "", st.fault(err)
		}
		return nil, "", nil
	}
	var all []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal([]byte(stmt.ColumnText(0)), &all); err != nil {
		return nil, "", st.damaged("the columns of the pipeline table %s are not readable: %v", provider.Quote(table), err)
	}
	columns = []string{}
	for _, c := range all {
		if strings.ContainsRune(c.Name, 0) {
			return nil, "", st.damaged("the columns of the pipeline table %s are not readable: a name holds the character 0", provider.Quote(table))
		}
		columns = append(columns, sqlite3.QuoteIdentifier(c.Name))
	}
	return columns, stmt.ColumnText(1), nil
}

// history is that of a table of a pipeline.
type history struct {
	store   *store
	table   string
	columns []string // quoted
	since   string   // when it begins
	note    Note
}

// create makes the table-valued function: of each row the last change until then, unless that
// removed the row. A row is stale if the last query of its workspace had failed by then.
func (h *history) create(p *vtab.Program) error {
	stale := "false"
	if h.hasStates(p.DB) {
		stale = fmt.Sprintf("coalesce((SELECT s.stale FROM %s.%s s WHERE s.table_name = %s AND s.deployment_name = h.deployment_name AND s.changed_at <= h.lakeql_at ORDER BY s.changed_at DESC, s.id DESC LIMIT 1), false)",
			h.store.schema, pipelineStates, sqlite3.Quote(h.table))
	}
	listed := strings.Join(append([]string{"deployment_name", stale + " AS stale"}, h.columns...), ", ")
	moment := momentFunction + "_" + h.table
	query := fmt.Sprintf(`(SELECT %s FROM (SELECT r.*, t.lakeql_at, row_number() OVER (PARTITION BY deployment_name, key_hash ORDER BY changed_at DESC, history_id DESC) AS lakeql_n
		FROM (SELECT %s(strftime('%%Y-%%m-%%dT%%H:%%M:%%f000Z', :at), :at) AS lakeql_at) t JOIN %s.%s r ON r.changed_at <= t.lakeql_at) h WHERE lakeql_n = 1 AND change <> 'removed')`,
		listed, sqlite3.QuoteIdentifier(moment), h.store.schema, sqlite3.QuoteIdentifier("lakeql_history_"+h.table))
	err := statement.Register(p.DB)
	if err == nil {
		err = p.DB.CreateFunction(moment, 2, sqlite3.DETERMINISTIC|sqlite3.INNOCUOUS, h.moment(p.DB))
	}
	if err == nil {
		err = sandbox.Exec(p.DB, "CREATE VIRTUAL TABLE temp."+sqlite3.QuoteIdentifier(h.table+atSuffix)+" USING statement("+query+")")
	}
	if err != nil {
		return h.store.damaged("%s%s cannot be made of the history: %s", h.table, atSuffix, vtab.Message(err)).Because(err)
	}
	return nil
}

// exactTimes are the layouts of times with microseconds, which SQLite's functions would round.
func exactTimes() []string {
	return []string{time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", time.DateTime}
}

// moment is the function that converts a written time to the form of the history, for the search. It
// fails for a time outside of the history, and notes the rows that were old or missing at that time.
func (h *history) moment(db *sqlite3.Conn) sqlite3.ScalarFunction {
	noted := map[string]bool{}
	return func(ctx sqlite3.Context, args ...sqlite3.Value) {
		at, written := args[0].Text(), args[1].Text()
		for _, layout := range exactTimes() {
			if t, err := time.Parse(layout, written); err == nil {
				at = t.UTC().Format(historyTime)
			}
		}
		switch {
		case at == "":
			ctx.ResultError(fmt.Errorf("%s_at needs a time, such as %[1]s_at('2026-11-01') or %[1]s_at('2026-11-01 06:00:00')", h.table))
			return
		case at < h.since:
			ctx.ResultError(fmt.Errorf("what %s held at %s is not known: its history begins at %s", h.table, at, h.since))
			return
		case at > time.Now().UTC().Format(historyTime) && at > h.last(db):
			ctx.ResultError(fmt.Errorf("what %s will hold at %s is not known: the time is in the future", h.table, at))
			return
		}
		if !noted[at] {
			noted[at] = true
			h.noteOld(db, at)
		}
		ctx.ResultText(at)
	}
}

// historyTime is the form of times in a history.
const historyTime = "2006-01-02T15:04:05.000000Z"

// last is when the last answer was asked for, which another machine's clock may have in the future.
func (h *history) last(db *sqlite3.Conn) string {
	last := ""
	_ = h.each(db, "SELECT max(observed_at) FROM "+h.store.schema+"."+pipelineSlices+" WHERE table_name = ?1", func(row *sqlite3.Stmt) { // without one, the time is in the future
		last = row.ColumnText(0)
	})
	return last
}

// hasStates reports whether the store keeps since when rows are old.
func (h *history) hasStates(db *sqlite3.Conn) bool {
	stmt, err := sandbox.Prepare(db, "SELECT 1 FROM "+h.store.schema+"."+pipelineStates)
	if err == nil {
		err = stmt.Close()
	}
	return err == nil
}

// mostNamed is how many workspaces a note names.
const mostNamed = 5

// noteOld notes the workspaces whose last query before a time had failed or had no answer, and those that
// the pipeline did not query any more.
func (h *history) noteOld(db *sqlite3.Conn, at string) {
	all, old, left := 0, []string(nil), []string(nil)
	read := func(asked string) error {
		return h.each(db, "SELECT deployment_name, stale, "+asked+" FROM (SELECT *, row_number() OVER (PARTITION BY deployment_name ORDER BY changed_at DESC, id DESC) AS n FROM "+
			h.store.schema+"."+pipelineStates+" WHERE table_name = ?1 AND changed_at <= ?2) WHERE n = 1 ORDER BY 1", func(row *sqlite3.Stmt) {
			switch {
			case !row.ColumnBool(2):
				left = append(left, row.ColumnText(0))
				return
			case row.ColumnBool(1):
				old = append(old, row.ColumnText(0))
			}
			all++
		}, at)
	}
	if read("asked") != nil && read("TRUE") != nil { // stores of version 2 do not tell what left
		return // a store of an older version does not know
	}
	if len(old) > 0 {
		h.note("%s%s: the rows of %d of %d workspaces were old or missing at %s: %s", h.table, atSuffix, len(old), all, at, firstOf(old))
	}
	if len(left) > 0 {
		h.note("%s%s: %d workspaces had left at %s, and their rows were old: %s", h.table, atSuffix, len(left), at, firstOf(left))
	}
}

// firstOf names the first of some workspaces.
func firstOf(names []string) string {
	text := strings.Join(names[:min(len(names), mostNamed)], ", ")
	if len(names) > mostNamed {
		text += ", …"
	}
	return provider.Printable(text)
}

// each runs a query about the table, its first parameter, and visits its rows.
func (h *history) each(db *sqlite3.Conn, query string, visit func(*sqlite3.Stmt), more ...string) error {
	stmt, err := sandbox.Prepare(db, query)
	if err != nil {
		return err
	}
	for i, value := range append([]string{h.table}, more...) {
		err = errors.Join(err, stmt.BindText(i+1, value))
	}
	for err == nil && stmt.Step() {
		visit(stmt)
	}
	return errors.Join(err, stmt.Close())
}
