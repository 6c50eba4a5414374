package cli_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/internal/emulator"
)

// bearer sends a token with each request.
type bearer struct {
	token     string
	transport http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.transport.RoundTrip(r)
}

// overHTTP is a lakeql mcp that serves HTTP.
type overHTTP struct {
	url, token string
	server     *emulator.Server
	stderr     *output
	signal     func(os.Signal)
	wait       func() error
}

// startHTTP starts lakeql mcp --http over an emulator. The token is the one that it prints, if it prints one.
func startHTTP(t *testing.T, opts emulator.Options, r run) *overHTTP {
	t.Helper()
	opts.CreateOnUse = true
	server, env := workspace(t, opts)
	r.env = append(r.env, env...)
	r.args = append([]string{"mcp", "--http", "--port", "0", "--retry-timeout", "0"}, r.args...)
	cmd := r.command(context.WithoutCancel(t.Context()), t)
	h := &overHTTP{server: server, stderr: &output{}}
	cmd.Stderr = h.stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	url, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		_ = cmd.Wait()
		t.Fatalf("%q, %v\n%s", line, err, h.stderr)
	}
	h.url = url
	if len(r.env) == len(env) && !strings.Contains(strings.Join(r.args, " "), "--token-file") {
		line, err = lines.ReadString('\n')
		if h.token, found = strings.CutPrefix(strings.TrimSpace(line), "token: "); err != nil || !found {
			t.Errorf("%q, %v", line, err)
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		ended <- cmd.Wait()
	}()
	h.signal = func(s os.Signal) { _ = cmd.Process.Signal(s) } // it may have ended
	h.wait = func() error { err := <-ended; ended <- err; return err }
	t.Cleanup(func() { h.signal(syscall.SIGTERM); _ = h.wait() })
	return h
}

// agent connects a client.
func (h *overHTTP) agent(t *testing.T, version string, client *mcp.ClientOptions) *agent {
	t.Helper()
	a := &agent{server: h.server, stderr: h.stderr}
	a.connect(t, &mcp.StreamableClientTransport{Endpoint: h.url, HTTPClient: &http.Client{Transport: bearer{h.token, http.DefaultTransport}}}, version, client)
	return a
}

// TestAgentHTTP is what clients of both kinds of protocol do over HTTP, two at a time.
func TestAgentHTTP(t *testing.T) {
	t.Parallel()
	h := startHTTP(t, emulator.Options{}, run{args: []string{"--allow-writes", "--max-statements", "1"}})
	if len(h.token) < 26 || strings.Contains(h.stderr.String(), h.token) {
		t.Errorf("the token: %q\n%s", h.token, h.stderr)
	}
	for i, version := range protocols {
		u := &user{action: "accept"}
		a, mute := h.agent(t, version, u.options()), h.agent(t, version, nil)
		tools, err := a.ListTools(t.Context(), nil)
		if err != nil || len(tools.Tools) != 5 {
			t.Fatalf("%+v, %v", tools, err)
		}
		if got, text := mute.ask(t, "query", "SELECT name FROM "+projects); !got.Complete || len(got.Rows) != 6 {
			t.Errorf("version %q: %s", version, text)
		}
		sql := strings.Replace(makeBranch, "agent-1", fmt.Sprint("agent-", i), 1)
		if text, failed := mute.call(t, "execute", map[string]any{"sql": sql}); !failed || !strings.Contains(text, "cannot ask its user") {
			t.Errorf("version %q without elicitation: %s", version, text)
		}
		if got, text := a.ask(t, "execute", sql); !got.Complete || !strings.Contains(u.last(), "It sends 1 request") {
			t.Errorf("version %q: %s", version, text)
		}
		u.does("decline")
		if text, failed := a.call(t, "execute", map[string]any{"sql": sql}); !failed || !strings.Contains(text, "declined") {
			t.Errorf("version %q: %s", version, text)
		}

		// A cancelled request gives its place to the next one.
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := a.CallTool(ctx, &mcp.CallToolParams{Name: "query", Arguments: map[string]any{"sql": endlessQuery}})
			done <- err
		}()
		cancel()
		if err := <-done; err == nil {
			t.Error("a cancelled statement has an answer")
		}
		if got, text := mute.ask(t, "query", "SELECT 1 AS a"); !got.Complete {
			t.Error(text)
		}
	}
}

const endlessQuery = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS i FROM n"

// TestAgentAccess: who is let in over HTTP.
func TestAgentAccess(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef-test"
	h := startHTTP(t, emulator.Options{}, run{env: []string{"LAKEQL_MCP_TOKEN=" + token}})
	hello := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`
	send := func(method, path, body string, change func(*http.Request)) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(h.url, "/mcp")+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		change(r)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			if name == "Host" {
				r.Host = value
			} else if r.Header.Del(name); value != "" {
				r.Header.Set(name, value)
			}
		}
	}
	own := strings.TrimSuffix(strings.TrimPrefix(h.url, "http://"), "/mcp")
	for name, test := range map[string]struct {
		method, path, body string
		change             func(*http.Request)
		status             int
	}{
		"the token":             {"POST", "/mcp", hello, header("X", ""), 200},
		"localhost":             {"POST", "/mcp", hello, header("Host", "localhost"), 200},
		"its own origin":        {"POST", "/mcp", hello, header("Origin", "http://"+own), 200},
		"no token":              {"POST", "/mcp", hello, header("Authorization", ""), 401},
		"another token":         {"POST", "/mcp", hello, header("Authorization", "Bearer "+token+"x"), 401},
		"a part of the token":   {"POST", "/mcp", hello, header("Authorization", "Bearer "+token[:20]), 401},
		"another scheme":        {"POST", "/mcp", hello, header("Authorization", "Basic "+token), 401},
		"no token for a stream": {"GET", "/mcp", "", header("Authorization", ""), 401},
		"no token, newest": {"POST", "/mcp", hello, func(r *http.Request) {
			r.Header.Del("Authorization")
			r.Header.Set("MCP-Protocol-Version", "2026-07-28")
		}, 401},
		"another host":            {"POST", "/mcp", hello, header("Host", "rebound.example"), 403},
		"another host and port":   {"POST", "/mcp", hello, header("Host", "127.0.0.1.rebound.example:80"), 403},
		"another origin":          {"POST", "/mcp", hello, header("Origin", "https://evil.example"), 403},
		"a page of no origin":     {"POST", "/mcp", hello, header("Origin", "null"), 403},
		"another origin's stream": {"GET", "/mcp", "", header("Origin", "https://evil.example"), 403},
		"another path":            {"POST", "/", hello, header("X", ""), 404},
		"no JSON":                 {"POST", "/mcp", "hello", header("X", ""), 400},
		"a form":                  {"POST", "/mcp", "a=b", header("Content-Type", "application/x-www-form-urlencoded"), 415},
		"an unknown session":      {"POST", "/mcp", hello, header("Mcp-Session-Id", "x"), 404},
		"too much":                {"POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("x", 5<<20) + `"}`, header("X", ""), 413},
	} {
		if status, text := send(test.method, test.path, test.body, test.change); status != test.status || strings.Contains(text, token) {
			t.Errorf("%s: status %d, want %d: %.300s", name, status, test.status, text)
		}
	}
	if len(h.server.Requests()) != 0 {
		t.Error("something was sent")
	}

	dir := t.TempDir()
	certificate, key := selfSigned(t, dir)
	file := filepath.Join(dir, "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := startHTTP(t, emulator.Options{}, run{args: []string{"--address", "0.0.0.0", "--tls-cert", certificate, "--tls-key", key, "--token-file", file}})
	pem, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	_, port, _ := strings.Cut(strings.TrimPrefix(open.url, "https://"), "]:")
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	a := &agent{server: open.server, stderr: open.stderr}
	a.connect(t, &mcp.StreamableClientTransport{Endpoint: "https://127.0.0.1:" + strings.TrimSuffix(port, "/mcp") + "/mcp", HTTPClient: &http.Client{Transport: bearer{token, transport}}}, "", nil)
	if got, text := a.ask(t, "query", "SELECT 1 AS a"); !got.Complete {
		t.Error(text)
	}
}

// TestAgentServerEnds sends SIGTERM: a statement that runs ends first, and then the server with status 0.
func TestAgentServerEnds(t *testing.T) {
	t.Parallel()
	h := startHTTP(t, emulator.Options{Latency: 300 * time.Millisecond}, run{})
	for _, version := range protocols {
		a := h.agent(t, version, nil)
		a.ends = true
		done := make(chan string, 1)
		go func() {
			result, err := a.CallTool(context.WithoutCancel(t.Context()), &mcp.CallToolParams{Name: "query", Arguments: map[string]any{"sql": "SELECT count(*) AS n FROM " + projects}})
			if err != nil {
				done <- err.Error()
				return
			}
			done <- textOf(t, result)
		}()
		for len(h.server.Requests()) == 0 {
			runtime.Gosched()
		}
		if version == protocols[len(protocols)-1] {
			h.signal(syscall.SIGTERM)
		}
		if text := <-done; !strings.Contains(text, `"rows":[{"n":6}]`) {
			t.Errorf("version %q: %s", version, text)
		}
		h.server.Reset()
	}
	if err := h.wait(); err != nil {
		t.Errorf("%v\n%s", err, h.stderr)
	}
}
