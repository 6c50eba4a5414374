package cli_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// turnstile answers requests when as many of them are there as may be at once, and counts how many were.
type turnstile struct {
	mu            sync.Mutex
	there         *sync.Cond
	most          int
	came          int
	inside, worst int
}

func (s *turnstile) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	s.came++
	s.inside++
	s.worst = max(s.worst, s.inside)
	group := (s.came + s.most - 1) / s.most * s.most
	s.there.Broadcast()
	for s.came < group {
		s.there.Wait()
	}
	s.inside--
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"projects": [{"name": "projects/a"}]}`)) // the client may be gone
}

// TestServerShares: the limits of requests to a workspace and of statements hold over all connections together,
// and are used up.
func TestServerShares(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"requests":   {"--execution.concurrency.limit", "3"},
		"statements": {"--max-statements", "3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			counted := &turnstile{most: 3}
			counted.there = sync.NewCond(&counted.mu)
			server := httptest.NewServer(counted)
			t.Cleanup(server.Close)
			s := serveOn(t, run{args: args, env: []string{"DATABRICKS_HOST=" + server.URL, "DATABRICKS_TOKEN=dapi-test"}})
			var all sync.WaitGroup
			for range 9 {
				conn := s.connect(t, "")
				all.Go(func() {
					var name string
					if err := conn.QueryRow(t.Context(), "SELECT name FROM postgres.postgres_projects").Scan(&name); err != nil || name != "projects/a" {
						t.Error(name, err)
					}
				})
			}
			all.Wait()
			if counted.worst != 3 || counted.came != 9 {
				t.Errorf("%d requests, %d at once", counted.came, counted.worst)
			}
		})
	}
}

// TestServerMemory: a statement that needs too much memory ends, and its connection and others go on.
func TestServerMemory(t *testing.T) {
	t.Parallel()
	s := serveSQL(t, emulator.Options{}, run{args: []string{"--memory", "16MiB"}})
	conn, other := s.connect(t, ""), s.connect(t, "")
	for _, text := range []string{
		"SELECT length(group_concat(hex(randomblob(1000000)), '')) FROM generate_series(1, 50) AS g",
		"SELECT hex(randomblob(1000)) AS h FROM generate_series(1, 20000) AS g ORDER BY h",
		"SELECT length(group_concat(hex(randomblob(1000000)), '')) FROM generate_series(1, 100) AS g, pg_am",   // in the catalogue's SQLite
		"SELECT length(group_concat(hex(randomblob(1000)), '')) FROM pg_attribute a, generate_series(1, 20) b", // 140 MB
	} {
		_, err := conn.Exec(t.Context(), text)
		if err == nil && !strings.Contains(text, "ORDER BY") { // a sort may use a file
			t.Errorf("%s: no error", text)
		} else if err != nil && strings.Contains(err.Error(), "XX000") {
			t.Errorf("%s: %v", text, err)
		}
		for _, c := range []string{"SELECT count(*) FROM pg_am", "SELECT count(*) - 5 FROM postgres.postgres_projects"} {
			var n int
			if err := conn.QueryRow(t.Context(), c).Scan(&n); err != nil || n != 1 {
				t.Errorf("after %s: %s: %d, %v", text, c, n, err)
			}
			if err := other.QueryRow(t.Context(), c).Scan(&n); err != nil || n != 1 {
				t.Errorf("another connection after %s: %s: %d, %v", text, c, n, err)
			}
		}
	}
}
