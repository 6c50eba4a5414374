package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// million is how many rows BenchmarkCompare compares.
const million = 1_000_000

// BenchmarkCompare compares an answer of a million rows, 1% of which have changed, with the stored rows, and
// stores the changes. It uses an SQLite file, and the PostgreSQL server in LAKEQL_BENCH_POSTGRES.
func BenchmarkCompare(b *testing.B) {
	places := map[string]string{"SQLite": filepath.Join(b.TempDir(), "store.db")}
	if dsn := os.Getenv("LAKEQL_BENCH_POSTGRES"); dsn != "" {
		places["PostgreSQL"] = dsn
	}
	for name, place := range places {
		b.Run(name, func(b *testing.B) { compareMillion(b, place) })
	}
}

func compareMillion(b *testing.B, place string) {
	b.Helper()
	ctx := context.Background()
	s, err := OpenStore(ctx, place, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	table := &Table{Name: fmt.Sprintf("rows_%d", time.Now().UnixNano()), Key: []string{"id"}, Columns: []Column{
		{"id", Integer}, {"name", Text}, {"owner", Text}, {"state", Text}, {"size", Integer}, {"made", Timestamp}, {"tags", JSON}, {"active", Boolean},
	}}
	d := &Definition{Name: "bench", Tables: []Table{*table}}
	if err := s.db.transact(ctx, func(t tx) error { return s.ensureTables(ctx, t, d, micro(time.Now())) }); err != nil {
		b.Fatal(err)
	}
	answer := func(round int) *spool {
		rows := newSpool(table)
		for i := range million {
			state := "RUNNING"
			if i%100 == 0 {
				state = fmt.Sprint("STATE-", round)
			}
			if err := rows.add([]any{int64(i), fmt.Sprint("row number ", i), "ada@example.com", state, int64(i) * 17, time.UnixMicro(int64(i) * 1e6).UTC(), sorted([]byte(`{"team": "data"}`)), i%3 == 0}); err != nil {
				b.Fatal(err)
			}
		}
		return rows
	}
	apply := func(round int, rows *spool) (c Changes) {
		err := s.db.transact(ctx, func(t tx) (err error) {
			c, err = s.apply(ctx, t, table, "dbc-1", int64(round), micro(time.Now()), rows)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	first := answer(0)
	began := time.Now()
	apply(0, first)
	first.close()
	b.ReportMetric(time.Since(began).Seconds(), "s/first")
	for round := 1; b.Loop(); round++ {
		b.StopTimer()
		rows := answer(round)
		b.StartTimer()
		if c := apply(round, rows); c.Changed != million/100 || c.Added+c.Removed != 0 {
			b.Fatalf("%+v", c)
		}
		b.StopTimer()
		rows.close()
		b.StartTimer()
	}
	b.ReportMetric(peak(b), "MB-peak")
}

// peak returns the largest amount of memory that the process had so far, in MB; 0 if the system does not report it.
func peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kilobytes); n == 1 {
			return kilobytes / 1000
		}
	}
	return 0
}
