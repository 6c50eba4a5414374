package vtab

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/statement"
)

// pooled runs a query through a pool, and returns its rows.
func pooled(t *testing.T, o *Pool, env *Env, text string) (rows [][]any, err error) {
	t.Helper()
	parsed, err := statement.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.Query(env, parsed[0].(*statement.Query))
	if err != nil {
		return nil, err
	}
	running, err := p.Start(t.Context())
	if err != nil {
		return nil, err
	}
	for {
		row, err := running.Next(t.Context())
		if row == nil {
			if again := running.Close(); again != nil {
				t.Errorf("close: %v", again)
			}
			_, _ = running.Next(t.Context()) // the program may be another run's by now
			if again := running.Close(); again != nil {
				t.Errorf("close again: %v", again)
			}
			if p.DB != nil {
				t.Error("a program whose rows are closed still has a database")
			}
			if !errors.Is(err, io.EOF) {
				return rows, err
			}
			return rows, nil
		}
		rows = append(rows, row)
	}
}

// TestPoolNow shows that the time of a query is that of its own run.
func TestPoolNow(t *testing.T) {
	o := &Pool{}
	defer o.Close() //nolint:errcheck // the test is over
	for i := range 2 {
		if _, err := pooled(t, o, environment(t), "SELECT now()"); err != nil {
			t.Fatal(err)
		}
		if n := len(o.idle); n != 1 {
			t.Fatalf("%d programs are idle", n)
		}
		if !o.idle[0].functions.Started().IsZero() {
			t.Errorf("run %d: the time %v is kept", i, o.idle[0].functions.Started())
		}
	}
	if n := o.Compiled(); n != 1 {
		t.Errorf("compiled %d times", n)
	}
}

// TestPoolAccount shows that a plan which takes the account from the configuration is not used where none is
// configured.
func TestPoolAccount(t *testing.T) {
	o := &Pool{}
	defer o.Close() //nolint:errcheck // the test is over
	const text = "SELECT workspace_name FROM databricks_account.provisioning.workspaces LIMIT 0"
	for i, account := range []string{"a", "a", "", "b"} {
		env := environment(t)
		env.Account = func() string { return account }
		if _, err := pooled(t, o, env, text); (err == nil) == (account == "") {
			t.Errorf("run %d: %v", i, err)
		}
	}
	if n := o.Compiled(); n != 2 {
		t.Errorf("compiled %d times, want once, and once in vain", n)
	}
}

// TestPoolPlaceholders shows that a query with values is compiled for these values.
func TestPoolPlaceholders(t *testing.T) {
	o := &Pool{}
	defer o.Close() //nolint:errcheck // the test is over
	for _, value := range []any{"x", int64(2)} {
		env := environment(t)
		env.Args = bind.NewArgs([]bind.Arg{{Ordinal: 1, Value: value}})
		rows, err := pooled(t, o, env, "SELECT ?")
		if err != nil || len(rows) != 1 || !slices.Equal(rows[0], []any{value}) {
			t.Errorf("%v: %v, %v", value, rows, err)
		}
	}
	if len(o.idle) != 0 {
		t.Error("a query with a value was kept")
	}
}

// TestPoolBound shows that a pool keeps a bounded number of programs, those that ran last, and that it
// closes the others.
func TestPoolBound(t *testing.T) {
	o := &Pool{}
	texts := make([]string, mostIdle+2)
	for i := range texts {
		texts[i] = "SELECT " + string(rune('A'+i%26)) + " FROM (SELECT 1 AS " + string(rune('A'+i%26)) + ") LIMIT " + string(rune('1'+i/26))
		if _, err := pooled(t, o, environment(t), texts[i]); err != nil {
			t.Fatal(err)
		}
	}
	if len(o.idle) != mostIdle {
		t.Errorf("%d programs are idle, want %d", len(o.idle), mostIdle)
	}
	compiled := o.Compiled()
	for _, text := range []string{texts[len(texts)-1], texts[2], texts[0]} {
		if _, err := pooled(t, o, environment(t), text); err != nil {
			t.Fatal(err)
		}
	}
	if n := o.Compiled() - compiled; n != 1 {
		t.Errorf("compiled %d of the last, the oldest and a dropped query, want the dropped one alone", n)
	}
	first := o.idle[0]
	if err := o.Close(); err != nil || first.DB != nil || o.idle != nil {
		t.Errorf("after Close: %v, %d idle", err, len(o.idle))
	}
}

// TestPoolContext shows that the end of the context of one run does not end the next.
func TestPoolContext(t *testing.T) {
	o := &Pool{}
	defer o.Close() //nolint:errcheck // the test is over
	parsed, err := statement.Parse("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 5000) SELECT count(*) FROM c")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p, err := o.Query(environment(t), parsed[0].(*statement.Query))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Steps(); err != nil { // before the run has a context
			t.Errorf("explain: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		rows, err := p.Start(ctx)
		if err != nil {
			t.Fatal(err)
		}
		row, err := rows.Next(ctx)
		if err != nil || row[0] != int64(5000) {
			t.Errorf("%v, %v", row, err)
		}
		if _, err := rows.Next(ctx); !errors.Is(err, io.EOF) {
			t.Errorf("after the last row: %v", err)
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
		cancel()
	}
	if n := o.Compiled(); n != 1 {
		t.Errorf("compiled %d times", n)
	}
}
