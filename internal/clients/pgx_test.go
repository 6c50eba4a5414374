//go:build unix

package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/testworld"
)

// runPgx is the program of pgx: prepared statements, binary results, batches, COPY.
func runPgx(t *testing.T, server *testworld.SQLServer) map[string]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn(server))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }() // the report is complete
	report := map[string]string{}
	ask := func(step, text string, args ...any) { report[step] = values(t, conn, text, args...) }
	ask("connect", "SELECT current_database()")
	ask("query", statements()["QUERY"])
	ask("parameters", "SELECT name, $1::text FROM postgres.postgres_projects WHERE name = $2", nil, "projects/orders")
	ask("introspect", introspection, []string{"create_time", "name", "status"})
	var token string
	if err := conn.QueryRow(t.Context(), statements()["EXEC"]).Scan(&token, nil); err != nil {
		report["exec"] = err.Error()
	} else {
		report["exec"] = token[:3]
	}
	// A statement is described before it has its values.
	ask("returning", "UPDATE postgres.postgres_projects SET spec = $1 WHERE name = $2 RETURNING $3::text", `{"display_name": "Web shop"}`, "projects/web-shop", "again")
	report["cursor"] = inParts(t, conn)
	batch := &pgx.Batch{}
	for n := range 3 {
		batch.Queue("SELECT $1::int8", n+1)
	}
	var numbers []any
	results := conn.SendBatch(t.Context(), batch)
	for range 3 {
		var n int64
		err = errors.Join(err, results.QueryRow().Scan(&n))
		numbers = append(numbers, n)
	}
	if err := errors.Join(err, results.Close()); err != nil {
		report["pipeline"] = err.Error()
	} else {
		report["pipeline"] = joined(numbers)
	}
	var out bytes.Buffer
	if _, err := conn.PgConn().CopyTo(t.Context(), &out, "COPY (SELECT name FROM postgres.postgres_projects ORDER BY name LIMIT 2) TO STDOUT"); err != nil {
		report["copy"] = err.Error()
	} else {
		report["copy"] = strings.Join(strings.Fields(out.String()), " ")
	}
	_, err = conn.Exec(t.Context(), statements()["WRONG"])
	report["error"] = state(err, true)
	report["cancel"] = canceled(t, conn)
	ask("afterwards", "SELECT 1::int8")
	return report
}

// introspection lists columns as other programs do.
const introspection = "SELECT column_name || '=' || data_type FROM information_schema.columns" +
	" WHERE table_schema = 'postgres' AND table_name = 'postgres_projects' AND column_name = ANY($1) ORDER BY column_name"

// values are those of all rows, as the report has them.
func values(t *testing.T, conn *pgx.Conn, text string, args ...any) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), text, args...)
	if err != nil {
		return err.Error()
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
	if err != nil {
		return err.Error()
	}
	return joined(slices.Concat(found...))
}

// canceled runs the slow statement, cancels it, and returns its SQLSTATE.
func canceled(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	done := make(chan error, 1)
	go func() { _, err := conn.Exec(t.Context(), statements()["SLOW"]); done <- err }()
	for {
		if err := conn.PgConn().CancelRequest(t.Context()); err != nil {
			return err.Error()
		}
		select {
		case err := <-done:
			return state(err, false)
		case <-time.After(50 * time.Millisecond): // it had not begun
		}
	}
}

// inParts reads the rows of a cursor, three at a time.
func inParts(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	ctx := t.Context()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = tx.Rollback(ctx) }() // it is over
	if _, err := tx.Exec(ctx, "DECLARE jobs CURSOR FOR "+statements()["ROWS"]); err != nil {
		return err.Error()
	}
	var parts []string
	for {
		part := values(t, conn, "FETCH 3 FROM jobs")
		if part == "" {
			return strings.Join(parts, " ")
		}
		parts = append(parts, part)
	}
}

// joined writes values as all programs do.
func joined(values []any) string {
	texts := make([]string, len(values))
	for i, value := range values {
		switch value := value.(type) {
		case nil:
			texts[i] = "null"
		case time.Time:
			texts[i] = value.UTC().Format(time.RFC3339)
		case map[string]any:
			text, err := json.Marshal(value)
			if err != nil {
				return err.Error()
			}
			texts[i] = string(text)
		default:
			texts[i] = fmt.Sprint(value)
		}
	}
	return strings.Join(texts, " ")
}

// state is the SQLSTATE of an error, and its position.
func state(err error, position bool) string {
	known, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok:
		return fmt.Sprint(err)
	case position:
		return fmt.Sprintf("%s %d", known.Code, known.Position)
	}
	return known.Code
}

func dsn(server *testworld.SQLServer) string {
	return fmt.Sprintf("host=%s port=%s dbname=databricks_workspace user=ada sslmode=disable", server.Host, server.Port)
}
