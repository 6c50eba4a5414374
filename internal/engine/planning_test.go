package engine

import (
	"net/http"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/testworld"
)

// nowhere directs calls to hosts that no call is sent to.
type nowhere struct{}

func (nowhere) Direct(r *http.Request, deployment string) error {
	r.URL.Scheme, r.URL.Host = "https", deployment+".nowhere.invalid"
	return nil
}

func (nowhere) Authorize(*http.Request) error { return nil }

// planning is a session that plans statements and sends nothing.
func planning(tb testing.TB) *Session {
	tb.Helper()
	cat := testworld.Catalogue(tb)
	s := &Session{Catalogue: cat, Client: &dispatch.Client{Catalogue: cat, Authorizer: nowhere{}}, DryRun: true}
	tb.Cleanup(s.Close)
	return s
}
