package pgserver_test

import (
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/pgserver"
)

func TestNoServerHasNoHost(t *testing.T) {
	server, err := pgserver.New("")
	if err != nil || server.Host() != "" {
		t.Errorf("%q, %v", server.Host(), err)
	}
	server.Close()
}

// TestIdentitiesAreCheckedBeforeTheServer shows that no connection is needed to refuse an identity.
func TestIdentitiesAreCheckedBeforeTheServer(t *testing.T) {
	server, err := pgserver.New("postgres://postgres@127.0.0.1:1/postgres")
	if err != nil || server.Host() != "127.0.0.1" {
		t.Fatalf("%v, %v", server, err)
	}
	defer server.Close()
	for _, identity := range []string{"postgres", "pg_monitor", "lakeql_emulator", "a\x00b"} {
		err := server.Admit(t.Context(), pgserver.Login{Identity: identity, Token: "t", Expires: time.Now()})
		if err == nil || apierror.From(err).Status != 400 {
			t.Errorf("%q: %v", identity, err)
		}
	}
}
