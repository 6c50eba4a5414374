package cli_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// proxy is an HTTP proxy that keeps what it was asked for, with the credentials for it.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

// startProxy starts a proxy for plain requests, and for TLS by CONNECT.
func startProxy(t *testing.T) *proxy {
	t.Helper()
	p := &proxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
		p.mu.Lock()
		p.asked = append(p.asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+user+":"+password))
		p.mu.Unlock()
		if r.Method == http.MethodConnect {
			p.tunnel(w, r)
			return
		}
		r.RequestURI = ""
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(p.Close)
	return p
}

// tunnel joins a client with the server that it asks for.
func (p *proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	server, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = server.Close() }()
	w.WriteHeader(http.StatusOK)
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = client.Close() }()
	go func() { _, _ = io.Copy(server, buffered); _ = server.Close() }() // ends with the client's connection
	_, _ = io.Copy(client, server)
}

// flags are those that lead a command to the proxy.
func (p *proxy) flags(t *testing.T) []string {
	t.Helper()
	address, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--http.proxy.host", address.Hostname(), "--http.proxy.port", address.Port(), "--http.proxy.user", "u", "--http.proxy.password", "p@ss:word"}
}

func (p *proxy) requests() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.asked, "\n")
}

// TestProxy shows that all requests go to the proxy of the flags: the login, the call, and TLS through a
// tunnel; and that none without TLS leaves this machine for it.
func TestProxy(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{})
	const text = "SELECT count(*) > 0 AS ok FROM " + projects
	p := startProxy(t)
	oauth := []string{env[0], "DATABRICKS_CLIENT_ID=" + server.ClientID(), "DATABRICKS_CLIENT_SECRET=" + server.ClientSecret()}
	got := run{args: append([]string{"exec", "-o", "json", text}, p.flags(t)...), env: oauth}.do(t)
	asked := p.requests()
	if got.status != 0 || got.stdout != "[{\"ok\":1}]\n" || got.stderr != "" ||
		!strings.Contains(asked, "POST /oidc/v1/token u:p@ss:word") || !strings.Contains(asked, "GET /api/2.0/postgres/projects u:p@ss:word") {
		t.Errorf("%+v; the proxy was asked\n%s", got, asked)
	}
	sent := len(server.Requests())
	got = run{args: []string{"exec", "-o", "json", text, "--http.proxy.host", "proxy.invalid"}, env: env}.do(t)
	if got.status != 0 || len(server.Requests()) == sent {
		t.Errorf("a request without TLS: %+v", got)
	}

	secure := httptest.NewUnstartedServer(server)
	certificate, key := selfSigned(t, t.TempDir())
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it says that handshakes failed
	secure.StartTLS()
	defer secure.Close()
	env[0] = "DATABRICKS_HOST=" + secure.URL
	p = startProxy(t)
	got = run{args: append([]string{"exec", "-o", "json", text, "--tls.CABundle", certificate}, p.flags(t)...), env: env}.do(t)
	if got.status != 0 || got.stdout != "[{\"ok\":1}]\n" || p.requests() != "CONNECT  u:p@ss:word" {
		t.Errorf("through a tunnel: %+v; the proxy was asked\n%s", got, p.requests())
	}
	for _, flags := range [][]string{nil, {"--tls.allowInsecure"}} {
		sent := len(server.Requests())
		got = run{args: append([]string{"exec", text, "--retry-timeout", "0"}, flags...), env: env}.do(t)
		if got.status != 1 || !strings.Contains(got.stderr, "failed to verify certificate") || !strings.Contains(got.stderr, "--tls.CABundle FILE") || len(server.Requests()) != sent {
			t.Errorf("%q, a certificate that nobody knows: %+v", flags, got)
		}
		oauth[0] = env[0]
		got = run{args: append([]string{"exec", text, "--retry-timeout", "0"}, flags...), env: oauth}.do(t)
		if got.status != 1 || !strings.Contains(got.stderr, "--tls.CABundle FILE") || len(server.Requests()) != sent {
			t.Errorf("%q, a login at a host with a certificate that nobody knows: %+v", flags, got)
		}
	}

	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	got = run{args: []string{"exec", text, "--retry-timeout", "0", "--http.proxy.host", "127.0.0.1", "--http.proxy.port", strconv.Itoa(port)}, env: env}.do(t)
	if got.status != 1 || !strings.Contains(got.stderr, "check the proxy: --http.proxy.host") {
		t.Errorf("no proxy there: %+v", got)
	}
}

// TestOffline shows that --offline sends nothing, and that statements without calls run.
func TestOffline(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{})
	env = []string{env[0], "DATABRICKS_CLIENT_ID=" + server.ClientID(), "DATABRICKS_CLIENT_SECRET=" + server.ClientSecret()}
	const text = "SELECT name FROM " + projects
	for args, want := range map[string]result{
		text:                           {"", "is not called: lakeql works offline", 2},
		text + " --on-error partial":   {"", "is not called: lakeql works offline", 2},
		"EXEC " + projects + ".list":   {"", "is not called: lakeql works offline", 2},
		"SHOW PROVIDERS LIKE '%work%'": {"databricks_workspace,v00.00.00000\n", "", 0},
		"CREATE TABLE t AS SELECT 7 AS a; SELECT a FROM t": {"7\n", "", 0},
	} {
		text, flags, _ := strings.Cut(args, " --")
		command := []string{"exec", "-H", "-o", "csv", "--offline", text}
		if flags != "" {
			command = append(command, strings.Fields("--"+flags)...)
		}
		got := run{args: command, env: env}.do(t)
		if got.status != want.status || got.stdout != want.stdout || !strings.Contains(got.stderr, want.stderr) || want.status == 0 && got.stderr != "" {
			t.Errorf("%s: %+v", args, got)
		}
	}
	if got := (run{args: []string{"exec", "--offline", "--dryrun", "-o", "jsonl", text}, env: env}).do(t); got.status != 0 || !strings.Contains(got.stdout, "/api/2.0/postgres/projects") {
		t.Errorf("a dry run: %+v", got)
	}
	if got := (run{args: []string{"exec", "--offline", "--emulator", text}}).do(t); got.status != 0 || !strings.Contains(got.stdout, "projects/orders") {
		t.Errorf("the emulator: %+v", got)
	}
	if sent := server.Requests(); len(sent) != 0 {
		t.Errorf("sent %+v", sent)
	}
}

// TestBytesNobodyAskedFor shows that what a server sends after an answer changes no row, and is not printed.
func TestBytesNobodyAskedFor(t *testing.T) {
	t.Parallel()
	_, env := record(t, func(w http.ResponseWriter, _ *http.Request, sent string) {
		answer := `{"projects": [{"name": "projects/last"}]}`
		if !strings.Contains(sent, "page_token") {
			answer = `{"projects": [{"name": "projects/first"}], "next_page_token": "t"}`
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = fmt.Fprintf(buffered, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%sHTTP/1.1 200 OK\r\n\r\nunasked", len(answer), answer)
		_ = buffered.Flush()
		_, _ = io.Copy(io.Discard, conn) // until the client closes it
		_ = conn.Close()
	})
	got := run{args: []string{"exec", "-H", "-o", "csv", "SELECT name FROM " + projects}, env: env}.do(t)
	if got.status != 0 || got.stdout != "projects/first\nprojects/last\n" || got.stderr != "" {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
}

// TestPortIsTaken shows that each server that cannot have its address says which flag changes it.
func TestPortIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	address := taken.Addr().String()
	for _, test := range []struct{ args, hint string }{
		{"worker --store " + filepath.Join(t.TempDir(), "store.db") + " --metrics " + address, "hint: choose another address for --metrics; port 0 is a free one\n"},
		{"emulator --address " + address, "hint: choose another --address; port 0 is a free one\n"},
	} {
		got := run{args: strings.Fields(test.args)}.do(t)
		if got.status == 0 || !strings.Contains(got.stderr, address+": bind: address already in use\n"+test.hint) {
			t.Errorf("%s: status %d, %s", test.args, got.status, got.stderr)
		}
	}
}
