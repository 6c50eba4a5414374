package localstore

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/statement"

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
	// momentFunction converts a time to the form in the history, and fails for a time before its
	// start.
	momentFunction = "lakeql_moment"
)

// provideAt makes <table>_at part of the program's database, if a store has the history of a table.
func (s *Stores) provideAt(p *vtab.Program, name string) (bool, error) {
	table, ok := strings.CutSuffix(strings.ToLower(name), atSuffix)
	if !ok || table == "" || !p.FirstTime("at:"+table) {
		return false, nil
	}
	for _, st := range s.all {
		if there, err := st.exists(); !there || err != nil {
			if err != nil {
				return false, err
			}
			continue
		}
		if _, err := s.provideStore(p, st); err != nil {
			return false, err
		}
		columns, since, err := st.history(p.DB, table)
		if err != nil {
			return false, err
		}
		if columns != nil {
			return true, createAt(p, st, table, columns, since)
		}
	}
	return false, nil
}

// history reads the columns of a table's history and the time at which it starts; nil if there is
// no history. The store is part of the database.
func (st *store) history(db *sqlite3.Conn, table string) (columns []string, since string, err error) {
	stmt, _, err := db.Prepare("SELECT columns, known_since FROM " + st.schema + "." + pipelineTables + " WHERE name = ?")
	if _, lacking := vtab.MissingTable(cmp.Or(err, errors.New(""))); lacking {
		return nil, "", nil // no pipeline has filled this store
	}
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
		return nil, "", provider.Internalf("read the columns of the table %s in the store", table).
			Because(err)
	}
	columns = []string{}
	for _, c := range all {
		columns = append(columns, sqlite3.QuoteIdentifier(c.Name))
	}
	return columns, stmt.ColumnText(1), nil
}

// createAt makes the table-valued function: of each row the last change until then, unless that
// removed the row.
func createAt(p *vtab.Program, st *store, table string, columns []string, since string) error {
	listed := strings.Join(append([]string{"deployment_name"}, columns...), ", ")
	query := fmt.Sprintf(`(SELECT %s FROM (SELECT *, row_number() OVER (PARTITION BY deployment_name, key_hash ORDER BY changed_at DESC, history_id DESC) AS lakeql_n
		FROM %s.%s WHERE changed_at <= %s(strftime('%%Y-%%m-%%dT%%H:%%M:%%f000Z', :at), %s, %s, :at)) WHERE lakeql_n = 1 AND change <> 'removed')`,
		listed, st.schema, sqlite3.QuoteIdentifier("lakeql_history_"+table), momentFunction, sqlite3.Quote(since), sqlite3.Quote(table))
	err := statement.Register(p.DB)
	if err == nil && p.FirstTime(momentFunction) {
		err = p.DB.CreateFunction(momentFunction, 4, sqlite3.DETERMINISTIC|sqlite3.INNOCUOUS, moment)
	}
	if err == nil {
		err = p.DB.Exec("CREATE VIRTUAL TABLE temp." + sqlite3.QuoteIdentifier(table+atSuffix) + " USING statement(" + query + ")")
	}
	if err != nil {
		return provider.Internalf("make %s%s: %s", table, atSuffix, vtab.Message(err)).Because(err)
	}
	return nil
}

// exactTimes are layouts of times whose microseconds SQLite's functions would round.
func exactTimes() []string {
	return []string{time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", time.DateTime}
}

// moment is lakeql_moment(time, since, table, as it was written).
func moment(ctx sqlite3.Context, args ...sqlite3.Value) {
	at, since, table, written := args[0].Text(), args[1].Text(), args[2].Text(), args[3].Text()
	for _, layout := range exactTimes() {
		if t, err := time.Parse(layout, written); err == nil {
			at = t.UTC().Format("2006-01-02T15:04:05.000000Z")
		}
	}
	switch {
	case at == "":
		ctx.ResultError(fmt.Errorf("%s_at needs a time, such as %[1]s_at('2026-11-01') or %[1]s_at('2026-11-01 06:00:00')", table))
	case at < since:
		ctx.ResultError(fmt.Errorf("what %s held at %s is not known: its history begins at %s", table, at, since))
	default:
		ctx.ResultText(at)
	}
}
