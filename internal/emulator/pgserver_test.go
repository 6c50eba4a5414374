package emulator_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// These tests run without a PostgreSQL server. The tests of internal/cli run one.

// deafServer takes connections and never says a word on them. It reports each.
func deafServer(t *testing.T) (address *net.TCPAddr, taken <-chan struct{}) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	reports := make(chan struct{}, 16)
	var accepting sync.WaitGroup
	var conns []net.Conn
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
			reports <- struct{}{}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		accepting.Wait()
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
	return listener.Addr().(*net.TCPAddr), reports
}

func dsnOf(address *net.TCPAddr) string {
	return fmt.Sprintf("host=%s port=%d user=postgres password=hidden sslmode=disable", address.IP, address.Port)
}

func TestConnectionStringsAreJudgedAtOnce(t *testing.T) {
	for name, tt := range map[string]struct{ dsn, message string }{
		"neither form":     {"127.0.0.1 hidden", "cannot be read"},
		"no such port":     {"postgres://postgres:hidden@127.0.0.1:port/postgres", "cannot be read"},
		"a stray quote":    {"host=127.0.0.1 password=it's hidden' port=5432'", "cannot be read"},
		"not a URL":        {"postgres://postgres:hid#den@[127.0.0.1/postgres", "cannot be read"},
		"a file not there": {"host=127.0.0.1 password=hidden sslmode=verify-full sslrootcert=/nowhere/root.crt", "cannot be read"},
		"two servers":      {"postgres://postgres:hidden@127.0.0.1,127.0.0.2/postgres", "several servers"},
		"two ports":        {"host=127.0.0.1,127.0.0.1 port=5432,5433 password=hidden", "several servers"},
	} {
		_, err := emulator.New(emulator.Options{Catalogue: testworld.Catalogue(t), Postgres: tt.dsn})
		if provider.CodeOf(err) != provider.Usage || !strings.Contains(err.Error(), tt.message) {
			t.Errorf("%s: %v", name, err)
		} else if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, "hid") {
			t.Errorf("%s: the error gives the password away: %s", name, text)
		}
	}
}

func TestEndpointsAreWherePostgreSQLIs(t *testing.T) {
	s := start(t, func(o *emulator.Options) {
		o.Postgres = "postgres://postgres@db.example.com:6543/postgres"
		o.CreateOnUse = true
	})
	made := request{method: "POST", path: root + "projects/p/branches/b/endpoints?endpoint_id=made", body: `{"spec": {"endpoint_type": "ENDPOINT_TYPE_READ_ONLY"}}`}
	if got := send(t, s, made); got.status != 200 {
		t.Fatal(got.body)
	}
	for _, name := range []string{theEndpoint, "projects/orders/branches/production/endpoints/reports", "projects/p/branches/b/endpoints/made"} {
		hosts := get(t, s, root+name, "Endpoint")["status"].(map[string]any)["hosts"].(map[string]any)
		if hosts["host"] != "db.example.com" {
			t.Errorf("%s is at %v", name, hosts)
		}
		if other, ok := hosts["read_only_host"]; ok && other != "db.example.com" {
			t.Errorf("%s is read at %v", name, other)
		}
	}
}

// An endpoint that a request for a credential makes is where PostgreSQL is, even if that does not answer.
func TestEndpointsMadeOnUseAreWherePostgreSQLIs(t *testing.T) {
	deaf, _ := deafServer(t)
	s := start(t, func(o *emulator.Options) {
		o.Postgres = dsnOf(deaf) + " connect_timeout=1"
		o.CreateOnUse = true
	})
	const name = "projects/new/branches/b/endpoints/e"
	wantError(t, generate(t, s, `{"endpoint": "`+name+`"}`), 502, "INTERNAL_ERROR", "did not answer in time")
	hosts := get(t, s, root+name, "Endpoint")["status"].(map[string]any)["hosts"].(map[string]any)
	if hosts["host"] != deaf.IP.String() {
		t.Errorf("%s is at %v", name, hosts)
	}
}

func TestOnlyMintingNeedsPostgreSQL(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	deaf, _ := deafServer(t)
	for name, tt := range map[string]struct{ dsn, at, reason string }{
		"nobody there":    {dsnOf(nobody), nobody.String(), "connection refused"},
		"no answer":       {dsnOf(deaf) + " connect_timeout=1", deaf.String(), "did not answer in time"},
		"with TLS or not": {strings.Replace(dsnOf(nobody), "disable", "prefer", 1), nobody.String(), "connection refused"},
		"no socket there": {"host=/nowhere port=5433 user=postgres password=hidden", "socket /nowhere/.s.PGSQL.5433", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(o *emulator.Options) { o.Postgres = tt.dsn })
			for range 2 {
				got := generate(t, s, `{"endpoint": "`+theEndpoint+`"}`)
				wantError(t, got, 502, "INTERNAL_ERROR", "PostgreSQL server at "+tt.at)
				wantError(t, got, 502, "INTERNAL_ERROR", tt.reason)
				if strings.Count(got.body, tt.reason) != 1 {
					t.Errorf("the answer says it more than once: %s", got.body)
				}
				if strings.Contains(got.body, "hidden") || strings.Contains(got.body, "eyJ") || strings.ContainsAny(got.body, "\n\t") {
					t.Errorf("the answer has what it should not: %s", got.body)
				}
				get(t, s, root+theEndpoint, "Endpoint")
			}
		})
	}
}

func TestCloseDoesNotWaitForPostgreSQL(t *testing.T) {
	deaf, taken := deafServer(t)
	s := start(t, func(o *emulator.Options) { o.Postgres = dsnOf(deaf) })
	var minting sync.WaitGroup
	minting.Go(func() {
		if got, err := trySend(t, s, request{method: "POST", path: root + "credentials", body: `{"endpoint": "` + theEndpoint + `"}`}); err == nil {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	<-taken
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second { // the call alone would wait twice as long
		t.Errorf("closing took %v", took)
	}
	minting.Wait()
}

func TestIdentitiesThatCannotBeRolesReachNoServer(t *testing.T) {
	deaf, taken := deafServer(t)
	for id, reason := range map[string]string{
		"a\x00b":                "NUL",
		strings.Repeat("a", 64): "64 bytes",
		strings.Repeat("🦆", 16): "64 bytes",
		"pg_write_all_data":     "begin with pg_",
		"postgres":              "has to stay",
		"\x1b]0;title\a" + strings.Repeat("a", 63): "73 bytes",
	} {
		s := start(t, func(o *emulator.Options) { o.Postgres, o.ClientID = dsnOf(deaf), id })
		token := login(t, s, "").Token
		got := send(t, s, request{method: "POST", path: root + "credentials", token: token, body: `{"endpoint": "` + theEndpoint + `"}`})
		if e := wantError(t, got, 400, "INVALID_PARAMETER_VALUE", reason); strings.ContainsAny(e.Message, "\x00\x1b\a") {
			t.Errorf("%q: the message is %q", id, e.Message)
		}
	}
	select {
	case <-taken:
		t.Error("the server was asked")
	default:
	}
}
