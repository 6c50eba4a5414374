package pipeline

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestProbes shows when a worker is ready, and that it is alive all the time.
func TestProbes(t *testing.T) {
	t.Parallel()
	w := &Worker{Store: &Store{place: "inventory.db"}, Lease: time.Minute}
	probe := func(path string, status int, says string) {
		t.Helper()
		got := httptest.NewRecorder()
		w.Handler().ServeHTTP(got, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if body := strings.TrimSpace(got.Body.String()); got.Code != status || body != says {
			t.Errorf("%s: %d %s, want %d %s", path, got.Code, body, status, says)
		}
	}
	both := func(status int, says string) {
		t.Helper()
		probe("/livez", http.StatusOK, "ok")
		probe("/readyz", status, says)
	}
	both(http.StatusServiceUnavailable, "the worker has not begun")
	w.signs.beaten()
	both(http.StatusOK, "ok")
	w.signs.at = time.Now().Add(-90 * time.Second)
	both(http.StatusServiceUnavailable, "the store inventory.db has not answered for 1m30s")
	w.signs.beaten()
	both(http.StatusOK, "ok")
	w.signs.end()
	both(http.StatusServiceUnavailable, "the worker is ending")
	probe("/metrics", http.StatusNotFound, "404 page not found")
}
