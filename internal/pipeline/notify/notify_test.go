package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/internal/pipeline/notify"
	"github.com/lakeql/lakeql/provider"
)

// hostile is a value of a row that tries to be more than text.
const hostile = "<!channel> <@U123> <https://evil.example|click> *bold* `code` :tada: [x](https://evil.example) <at>all</at>\r\n# Heading\u202e\x1b[31m&\xff"

// message is one about a check with so many failing rows, and about a table.
func message(rows int) *notify.Message {
	r := &checks.Result{Check: &checks.Check{Name: "tokens", Severity: checks.Critical, Description: hostile, Owner: "platform"}, Outcome: checks.Fail}
	for i := range rows {
		r.Rows = append(r.Rows, checks.Row{Key: fmt.Sprint(i), Message: fmt.Sprintf("%d %s", i, hostile), Values: checks.Values{{Name: "a", Value: hostile}}})
	}
	m := &notify.Message{Pipeline: "inventory", Run: 7, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	m.Checks = append(m.Checks, notify.OfCheck(checks.Compare(nil, r)))
	changed := notify.HistoryRow([]provider.Column{{Name: "name"}}, []any{hostile, json.RawMessage(`{"admin": {"from": false, "to": true}}`)})
	m.Tables = append(m.Tables, notify.Table{Name: "users", Changed: notify.Rows{Count: 1, Rows: []notify.Row{changed}}})
	return m
}

// everything is a target that wants all of it.
var everything = notify.Target{On: []string{notify.OnChecks, notify.OnChanges}, Tables: []string{"users"}} //nolint:gochecknoglobals // a table of data

// receiver is a server that a webhook leads to.
type receiver struct {
	*httptest.Server

	mu     sync.Mutex
	bodies []string
	heads  []http.Header
}

// receive answers with each status in turn, and then with 200.
func receive(t *testing.T, statuses ...int) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies, r.heads = append(r.bodies, string(body)), append(r.heads, req.Header)
		if n := len(r.bodies); n <= len(statuses) {
			w.Header().Set("Location", "http://"+req.Host+"/elsewhere")
			w.WriteHeader(statuses[n-1])
			_, _ = fmt.Fprintf(w, "no: %s %s", req.URL.Path, req.Header.Get("Authorization"))
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bodies
}

func send(t *testing.T, target notify.Target, m *notify.Message) error {
	t.Helper()
	target.Name = "x"
	return (&notify.Sender{Pause: time.Millisecond, Kinds: notify.Kinds()}).Send(t.Context(), &target, m)
}

// TestSlack shows that a message is within Slack's limits, and that values of rows are text: no mention, no
// link, no formatting, no line of their own.
func TestSlack(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{1, 1000} {
		server := receive(t)
		m := message(rows)
		for i := range 200 {
			c := m.Checks[0]
			c.Name = fmt.Sprintf("check_%d", i)
			m.Checks = append(m.Checks, c)
		}
		if err := send(t, notify.Target{Webhook: server.URL, Format: "slack"}, m.For(&everything)); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Text   string
			Blocks []struct {
				Type string
				Text struct {
					Type, Text string
					Emoji      *bool
				}
			}
		}
		if err := json.Unmarshal([]byte(server.got()[0]), &doc); err != nil {
			t.Fatal(err)
		}
		total := 0
		for i, b := range doc.Blocks {
			most := 3000
			if i == 0 {
				most = 150
			}
			n := utf8.RuneCountInString(b.Text.Text)
			total += n
			if n == 0 || n > most || b.Text.Type != "plain_text" || b.Text.Emoji == nil || *b.Text.Emoji {
				t.Errorf("block %d has %d characters of %s", i, n, b.Text.Type)
			}
			if strings.ContainsAny(b.Text.Text, "<>\r\u202e\x1b") || strings.Contains(b.Text.Text, "\n# Heading") {
				t.Errorf("block %d has %q", i, b.Text.Text)
			}
		}
		if len(doc.Blocks) > 50 || total > 13_000 {
			t.Errorf("%d blocks with %d characters", len(doc.Blocks), total)
		}
		if !strings.HasPrefix(doc.Blocks[1].Text.Text, "CRITICAL: tokens is failing\n&lt;!channel&gt;") || !strings.Contains(doc.Blocks[1].Text.Text, "owner: platform") || !strings.Contains(doc.Blocks[1].Text.Text, "\n+ 0 &lt;!channel&gt;") {
			t.Errorf("the first check is\n%s", doc.Blocks[1].Text.Text)
		}
	}
}

// TestTeams shows that a message is an Adaptive Card of less than 28 KB, whose texts have no Markdown.
func TestTeams(t *testing.T) {
	t.Parallel()
	server := receive(t)
	m := message(1000)
	for i := range 200 {
		c := m.Checks[0]
		c.Name = fmt.Sprintf("check_%d", i)
		m.Checks = append(m.Checks, c)
	}
	if err := send(t, notify.Target{Webhook: server.URL, Format: "teams"}, m.For(&everything)); err != nil {
		t.Fatal(err)
	}
	body := server.got()[0]
	var doc struct {
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct {
				Type string
				Body []struct {
					Type    string
					Inlines []struct{ Type, Text string }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	if len(body) > 28<<10 || doc.Type != "message" || len(doc.Attachments) != 1 || doc.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" || doc.Attachments[0].Content.Type != "AdaptiveCard" {
		t.Errorf("%d bytes, %s", len(body), body[:200])
	}
	for _, b := range doc.Attachments[0].Content.Body {
		if b.Type != "RichTextBlock" || len(b.Inlines) != 1 || b.Inlines[0].Type != "TextRun" || strings.ContainsAny(b.Inlines[0].Text, "\r\n\u202e\x1b") {
			t.Errorf("%+v", b)
		}
	}
}

// TestGeneric shows that the JSON has the values as they are, bounded in number, with the total.
func TestGeneric(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sender := notify.Sender{Folder: dir, Kinds: notify.Kinds()}
	target := notify.Target{Name: "x", File: "alerts.jsonl", On: []string{notify.OnChecks, notify.OnChanges}, Tables: []string{"users"}}
	for range 2 {
		if err := sender.Send(t.Context(), &target, message(1000).For(&target)); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "alerts.jsonl"))
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if err != nil || len(lines) != 2 || lines[0] != lines[1] {
		t.Fatalf("%v, %d lines", err, len(lines))
	}
	var m notify.Message
	if err := json.Unmarshal([]byte(lines[0]), &m); err != nil {
		t.Fatal(err)
	}
	c := m.Checks[0]
	if m.Version != 1 || m.Text != "inventory: 1 check failing, 1 table changed" || c.Failing != 1000 || c.Added.Count != 1000 || len(c.Added.Rows) != notify.MostRows {
		t.Errorf("%+v", m)
	}
	if got, want := c.Added.Rows[0].Values[0].Text(), strings.ToValidUTF8(hostile, "\uFFFD"); got != want {
		t.Errorf("a value is %q, want %q", got, want)
	}
	if row := m.Tables[0].Changed.Rows[0]; !strings.HasSuffix(row.Text, ", admin: false → true") || len(row.From) != 1 {
		t.Errorf("a changed row is %+v", row)
	}
	if info, err := os.Stat(filepath.Join(dir, "alerts.jsonl")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the file: %v", err)
	}
}

// TestEncode shows that the JSON in the store has a limit, and counts what it leaves out.
func TestEncode(t *testing.T) {
	t.Parallel()
	m := message(50)
	for i := range 300 {
		c := m.Checks[0]
		c.Name, c.Text = fmt.Sprintf("check_%d", i), strings.Repeat("x", 2000)
		m.Checks = append(m.Checks, c)
	}
	own := m.For(&notify.Target{})
	body, err := own.Encode()
	if err != nil || len(body) > 256<<10 {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	again, err := notify.Decode(body)
	if err != nil || len(again.Checks)+again.Omitted != 301 || again.Text != "inventory: 301 checks failing" {
		t.Errorf("%d checks and %d left out, %q, %v", len(again.Checks), again.Omitted, again.Text, err)
	}
}

// TestFor shows which part of a message goes to a target.
func TestFor(t *testing.T) {
	t.Parallel()
	m := message(1)
	for name, test := range map[string]struct {
		target         notify.Target
		checks, tables int // -1: nothing is sent
	}{
		"checks by default": {notify.Target{}, 1, 0},
		"changes":           {notify.Target{On: []string{notify.OnChanges}, Tables: []string{"users"}}, 0, 1},
		"both":              {notify.Target{On: []string{notify.OnChanges, notify.OnChecks}, Tables: []string{"users"}}, 1, 1},
		"another table":     {notify.Target{On: []string{notify.OnChanges}, Tables: []string{"groups"}}, -1, 0},
		"severe enough":     {notify.Target{Severity: checks.Critical}, 1, 0},
	} {
		own := m.For(&test.target)
		if own == nil {
			own = &notify.Message{Checks: nil}
			if test.checks >= 0 {
				t.Errorf("%s: nothing is sent", name)
			}
			continue
		}
		if len(own.Checks) != test.checks || len(own.Tables) != test.tables {
			t.Errorf("%s: %d checks, %d tables", name, len(own.Checks), len(own.Tables))
		}
	}
	m.Checks[0].Severity = checks.Warning
	if own := m.For(&notify.Target{Severity: checks.Error}); own != nil {
		t.Errorf("a warning is sent: %+v", own)
	}
}

// TestRetries shows which answers are tried again, and that no message has the URL or a header.
func TestRetries(t *testing.T) {
	t.Setenv("LAKEQL_NOTIFY_TOKEN", "a-secret-of-the-environment")
	for name, test := range map[string]struct {
		statuses []int
		requests int
		want     string // empty: delivered
	}{
		"at once":        {nil, 1, ""},
		"in the end":     {[]int{503, 429}, 3, ""},
		"never":          {[]int{500, 500, 500}, 3, "127.0.0.1 answers with HTTP 500: no: **** ****"},
		"refused":        {[]int{404}, 1, "127.0.0.1 answers with HTTP 404: no: **** ****"},
		"a redirect":     {[]int{302}, 1, "127.0.0.1 answers with HTTP 302: no: **** ****"},
		"moved for ever": {[]int{308}, 1, "127.0.0.1 answers with HTTP 308: no: **** ****"},
	} {
		server := receive(t, test.statuses...)
		err := send(t, notify.Target{
			Webhook: server.URL + `/services/T0001/{{ env "LAKEQL_NOTIFY_TOKEN" }}`, Headers: map[string]string{"Authorization": `Bearer {{ env "LAKEQL_NOTIFY_TOKEN" }}`},
		}, message(1))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != test.want || len(server.got()) != test.requests {
			t.Errorf("%s: %d requests, %q, want %q", name, len(server.got()), text, test.want)
		}
		if got := server.heads[0].Get("Authorization"); got != "Bearer a-secret-of-the-environment" {
			t.Errorf("%s: the header is %q", name, got)
		}
	}
	server := receive(t)
	server.Close()
	err := send(t, notify.Target{Webhook: server.URL + "/secret-path"}, message(1))
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.HasPrefix(err.Error(), "127.0.0.1 does not answer: ") {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestPatience shows that a server which never answers is not waited for, and that a caller may leave.
func TestPatience(t *testing.T) {
	t.Parallel()
	block := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	defer server.Close()
	defer close(block)
	target := notify.Target{Name: "x", Webhook: server.URL}
	sender := notify.Sender{Attempts: 2, Pause: time.Millisecond, Patience: 20 * time.Millisecond}
	if err := sender.Send(t.Context(), &target, message(1)); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	sender.Patience, sender.Pause = time.Hour, time.Hour
	if err := sender.Send(ctx, &target, message(1)); err == nil {
		t.Error("it was delivered")
	}
}

// TestCommand shows that a command gets its arguments as they are, and the message as its input.
func TestCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >args\ncat >input\n"
	if err := os.WriteFile(filepath.Join(dir, "page.sh"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	sender := notify.Sender{Folder: dir, Kinds: notify.Kinds(), Attempts: 1}
	target := notify.Target{Name: "x", Command: []string{"./page.sh", "$HOME; touch evil", "`id`"}}
	if err := sender.Send(t.Context(), &target, message(1)); err != nil {
		t.Fatal(err)
	}
	args, _ := os.ReadFile(filepath.Join(dir, "args"))
	input, _ := os.ReadFile(filepath.Join(dir, "input"))
	if string(args) != "$HOME; touch evil\n`id`\n" || !json.Valid(input) {
		t.Errorf("arguments %q, input %q", args, input)
	}
	target.Command = []string{"sh", "-c", "echo no good >&2; exit 3"}
	if err := sender.Send(t.Context(), &target, message(1)); err == nil || err.Error() != "the command sh failed: exit status 3: no good" {
		t.Error(err)
	}
	sender.Patience = 20 * time.Millisecond
	target.Command = []string{"sleep", "60"}
	if err := sender.Send(t.Context(), &target, message(1)); err == nil || err.Error() != "the command sleep failed: it did not end in time" {
		t.Error(err)
	}
}

// TestKinds shows that a sender for targets from a store writes no file and runs no command unless it is told to.
func TestKinds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, target := range []notify.Target{{Name: "x", File: filepath.Join(dir, "f")}, {Name: "x", Command: []string{"touch", filepath.Join(dir, "f")}}} {
		err := (&notify.Sender{}).Send(t.Context(), &target, message(1))
		if err == nil || !strings.HasPrefix(err.Error(), "this worker sends no notifications by ") {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Error("a file was made")
	}
}

// TestValid lists targets that are refused, by messages without their URLs.
func TestValid(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		target notify.Target
		want   string
	}{
		"nothing":             {notify.Target{}, "an entry has one of webhook, file and command"},
		"two":                 {notify.Target{Webhook: "https://a/secret", File: "f"}, "an entry has one of webhook, file and command"},
		"without TLS":         {notify.Target{Webhook: "http://hooks.example.com/secret"}, "webhook: a URL without TLS, http://…, may lead to this machine only"},
		"no URL":              {notify.Target{Webhook: "hooks.example.com/secret"}, "webhook: it is no URL of the form https://host/path"},
		"another scheme":      {notify.Target{Webhook: "file:///etc/secret"}, "webhook: it is no URL of the form https://host/path"},
		"another variable":    {notify.Target{Webhook: `https://evil.example/{{ env "DATABRICKS_TOKEN" }}`}, `the variable "DATABRICKS_TOKEN" cannot be part of a notification: its name does not begin with LAKEQL_NOTIFY_`},
		"another in a header": {notify.Target{Webhook: "https://evil.example", Headers: map[string]string{"X": `{{ env "HOME" }}`}}, `the variable "HOME" cannot be part of a notification: its name does not begin with LAKEQL_NOTIFY_`},
		"another placeholder": {notify.Target{Webhook: `https://a/{{ secret }}`}, `a placeholder is not of the form {{ env "LAKEQL_NOTIFY_NAME" }}`},
		"a format":            {notify.Target{Webhook: "https://a/x", Format: "pager"}, `format: "pager" is none of generic, slack and teams`},
		"a format of a file":  {notify.Target{File: "f", Format: "slack"}, "format and headers belong to a webhook"},
		"an occasion":         {notify.Target{File: "f", On: []string{"always"}}, `on: "always" is neither checks nor changes`},
		"changes of nothing":  {notify.Target{File: "f", On: []string{"changes"}}, "on: changes and tables belong together"},
		"tables without":      {notify.Target{File: "f", Tables: []string{"users"}}, "on: changes and tables belong together"},
		"a severity":          {notify.Target{File: "f", Severity: "bad"}, `severity: "bad" is none of info, warning, error and critical`},
		"a program":           {notify.Target{Command: []string{"", "x"}}, "command: the program has no name"},
	} {
		test.target.Name = "x"
		err := test.target.Valid()
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	for _, good := range []notify.Target{{Webhook: "http://localhost:8080/x"}, {Webhook: `{{ env "LAKEQL_NOTIFY_SLACK" }}`}, {Webhook: "https://a.example"}} {
		good.Name = "x"
		if err := good.Valid(); err != nil {
			t.Error(err)
		}
	}
}

// TestVariables shows that a variable which is not set, or whose value is no URL, is an error without its value.
func TestVariables(t *testing.T) {
	t.Setenv("LAKEQL_NOTIFY_BAD", "ftp://user:secret@host/secret")
	err := send(t, notify.Target{Webhook: `{{ env "LAKEQL_NOTIFY_BAD" }}`}, message(1))
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	t.Setenv("LAKEQL_NOTIFY_BAD", "http://10.0.0.1/secret")
	err = send(t, notify.Target{Webhook: `{{ env "LAKEQL_NOTIFY_BAD" }}`}, message(1))
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "without TLS") {
		t.Error(err)
	}
	err = send(t, notify.Target{Webhook: `{{ env "LAKEQL_NOTIFY_NONE" }}`}, message(1))
	if err == nil || err.Error() != "the variable LAKEQL_NOTIFY_NONE of the environment is not set" {
		t.Error(err)
	}
}
