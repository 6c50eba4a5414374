package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/internal/emulator"
)

// pages are the README, the guides, and what the site adds to them.
var pages = []string{
	"README.md",
	"docs/checks.md",
	"docs/deploying.md",
	"docs/emulator.md",
	"docs/from-stackql.md",
	"docs/functions.md",
	"docs/go.md",
	"docs/lakebase.md",
	"docs/mcp.md",
	"docs/pipelines.md",
	"docs/queries.md",
	"docs/server.md",
	"docs/site/around/databricks_workspace.postgres.postgres_credentials.mdx",
	"docs/site/uses/pipelines.md",
	"docs/site/uses/prompt.md",
	"docs/site/uses/publishing.md",
	"docs/writes.md",
}

// TestPages runs the code blocks of the pages, each page against a separate workspace:
//
//   - console: every command succeeds and prints the output of the block; … stands for any text.
//   - sql: the statements succeed. A block that declares a table is a query of a pipeline, and one that
//     begins with a description a check.
//   - json: every server that a client is to start answers.
//   - go: the program compiles and prints the text block that follows.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, name := range pages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openPage(t, name)
			for i, b := range p.blocks {
				switch b.language {
				case "console":
					p.console(t, b)
				case "sql":
					p.sql(t, b)
				case "json":
					p.clients(t, b)
				case "go":
					if i+1 == len(p.blocks) || p.blocks[i+1].language != "text" {
						t.Errorf("line %d: no text block shows what the program prints", b.line)
						continue
					}
					p.program(t, b, p.blocks[i+1].text)
				case "yaml":
					p.config(t, b)
				case "text":
				default:
					t.Errorf("line %d: no test for a block in %q", b.line, b.language)
				}
			}
		})
	}
}

// doc is a page of documentation and the surroundings in which its blocks run.
type doc struct {
	blocks []block
	dir    string
	env    []string
	server *emulator.Server
}

type block struct {
	line           int
	language, text string
}

func openPage(t *testing.T, name string) *doc {
	t.Helper()
	server, env := workspace(t, emulator.Options{CreateOnUse: true, Workspaces: []string{"dbc-1", "dbc-2", "dbc-abcd0123-a1bc"}})
	p := &doc{blocks: blocksOf(t, name), dir: t.TempDir(), server: server}
	if len(p.blocks) == 0 {
		t.Fatalf("%s has no code blocks", name)
	}
	bin := filepath.Join(p.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(os.Getenv("LAKEQL_UNDER_TEST"), filepath.Join(bin, "lakeql")); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"make", "psql", "duckdb", "claude"} { // shown on the pages, but not ours to test
		if err := os.WriteFile(filepath.Join(bin, other), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.env = slices.Concat(env, []string{"DATABRICKS_ACCOUNT_ID=" + server.AccountID(), "HOME=" + t.TempDir(), "PATH=" + bin + ":/usr/bin:/bin", "TZ=UTC"})
	return p
}

// blocksOf reads the code blocks of a page.
func blocksOf(t *testing.T, name string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	open := false
	for i, line := range strings.Split(string(text), "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !open:
			all = append(all, block{line: i + 1, language: language})
			open = true
		case fence:
			open = false
		case open:
			all[len(all)-1].text += line + "\n"
		}
	}
	return all
}

// servers matches the commands that go on until they are interrupted.
var servers = regexp.MustCompile(`^lakeql (emulator |mcp --http|pipeline report .*--serve)`)

// console runs the commands of a block in one shell after the other, which share the exported variables.
func (p *doc) console(t *testing.T, b block) {
	t.Helper()
	for _, c := range commandsOf(b.text) {
		text := p.localise(c.text)
		if servers.MatchString(text) && !strings.HasSuffix(text, "--help") {
			p.serve(t, text)
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		shell := exec.CommandContext(ctx, "/bin/sh", "-c", "! [ -e .env ] || . ./.env\n"+text+"\nstatus=$?\nexport -p >.env\nexit $status")
		shell.Dir, shell.Env = p.dir, p.env
		var stdout, stderr bytes.Buffer
		shell.Stdout, shell.Stderr = &stdout, &stderr
		shell.WaitDelay = time.Second // a program that the shell left behind may hold its output open
		if err := shell.Run(); err != nil {
			t.Errorf("line %d: %s: %v\n%s", b.line, c.text, err, stderr.String())
		}
		if c.output != "" && !sameText(c.output, stdout.String()) {
			t.Errorf("line %d: %s prints\n%s", b.line, c.text, stdout.String())
		}
	}
}

// localise directs a command to the workspace of the test. An emulator that it starts takes a free port.
func (p *doc) localise(command string) string {
	for _, host := range []string{"https://dbc-abcd0123-a1bc.cloud.databricks.com", "http://127.0.0.1:5467"} {
		command = strings.ReplaceAll(command, host, p.server.URL())
	}
	for _, token := range []string{"…", "secret"} {
		command = strings.ReplaceAll(command, "DATABRICKS_TOKEN="+token, "DATABRICKS_TOKEN="+string(p.server.Token()))
	}
	command = regexp.MustCompile(`--address 127\.0\.0\.1:\d+`).ReplaceAllString(command, "--address 127.0.0.1:0")
	command = strings.ReplaceAll(command, "--port 5468", "--port 0")
	if regexp.MustCompile(`postgres://|--postgres|^lakeql worker\b`).MatchString(command) {
		command += " --help" // no such server is here, and other tests have workers: the flags alone are read
	}
	return command
}

// serve runs an emulator, and interrupts it after it has printed its address.
func (p *doc) serve(t *testing.T, command string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "/bin/sh", "-c", "exec "+command)
	shell.Dir, shell.Env = p.dir, p.env
	output, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = output.Close() }()
	shell.Stdout, shell.Stderr = writer, writer
	err = shell.Start()
	if err := errors.Join(err, writer.Close()); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 4096)
	n, err := output.Read(first)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	_ = shell.Process.Signal(os.Interrupt) // if it has ended, Wait tells
	rest, err := io.ReadAll(output)
	if err := errors.Join(err, shell.Wait()); err != nil || n == 0 {
		t.Errorf("%s: %v\n%s%s", command, err, first[:n], rest)
	}
}

// clients starts each server in the configuration of a client, and connects to it.
func (p *doc) clients(t *testing.T, b block) {
	t.Helper()
	var config map[string]map[string]struct {
		Command, URL string
		Args         []string
	}
	if err := json.Unmarshal([]byte(b.text), &config); err != nil {
		t.Fatalf("line %d: %v", b.line, err)
	}
	for _, servers := range config {
		for name, server := range servers {
			if server.URL != "" {
				continue // the block before shows how it is started
			}
			cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(p.dir, "bin", server.Command), server.Args...)
			cmd.Dir, cmd.Env = p.dir, p.env
			session, err := mcp.NewClient(&mcp.Implementation{Name: "page"}, nil).Connect(t.Context(), &mcp.CommandTransport{Command: cmd}, nil)
			if err != nil {
				t.Errorf("line %d: %s: %v", b.line, name, err)
				continue
			}
			tools, err := session.ListTools(t.Context(), nil)
			if err := errors.Join(err, session.Close()); err != nil || len(tools.Tools) == 0 {
				t.Errorf("line %d: %s: %+v, %v", b.line, name, tools, err)
			}
		}
	}
}

// sql runs the statements of a block.
func (p *doc) sql(t *testing.T, b block) {
	t.Helper()
	if strings.HasPrefix(b.text, "-- table: ") {
		p.pipelineQuery(t, b, "branches.sql")
		return
	}
	if strings.HasPrefix(b.text, "-- description: ") {
		p.pipelineQuery(t, b, filepath.Join("checks", "sample.sql"))
		return
	}
	args := []string{"exec", "--store", ":memory:", "-i", "-"}
	if strings.Contains(b.text, ".live_") || strings.Contains(b.text, "lakebase_query(") { // TestLiveTables runs it, over a server
		args = append(args, "--dryrun")
	}
	got := run{args: args, env: p.env, stdin: b.text}.do(t)
	if got.status != 0 {
		t.Errorf("line %d: status %d\n%s", b.line, got.status, got.stderr)
	}
}

// pipelineQuery checks a query of a pipeline, or a check, as a file of its folder.
func (p *doc) pipelineQuery(t *testing.T, b block, file string) {
	t.Helper()
	dir := t.TempDir()
	for _, step := range []run{{args: []string{"pipeline", "init", dir}}, {args: []string{"pipeline", "check", dir}, env: p.env}} {
		if got := step.do(t); got.status != 0 {
			t.Errorf("line %d: %q: status %d\n%s", b.line, step.args, got.status, got.stderr)
		}
		path := filepath.Join(dir, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(b.text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// config checks settings of a pipeline.
func (p *doc) config(t *testing.T, b block) {
	t.Helper()
	dir := t.TempDir()
	if got := (run{args: []string{"pipeline", "init", dir}}).do(t); got.status != 0 {
		t.Fatal(got.stderr)
	}
	path := filepath.Join(dir, "pipeline.yaml")
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(text, "\n"+b.text...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := (run{args: []string{"pipeline", "check", dir}, env: p.env}).do(t); got.status != 0 {
		t.Errorf("line %d: status %d\n%s", b.line, got.status, got.stderr)
	}
}

// program compiles and runs a program that imports the driver.
func (p *doc) program(t *testing.T, b block, want string) {
	t.Helper()
	source, built := filepath.Join(p.dir, "main.go"), filepath.Join(p.dir, "main")
	if err := os.WriteFile(source, []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", built, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("line %d: %v\n%s", b.line, err, out)
	}
	cmd := exec.CommandContext(t.Context(), built)
	cmd.Env = p.env
	out, err := cmd.CombinedOutput()
	if err != nil || !sameText(want, string(out)) {
		t.Errorf("line %d: %v, the program prints\n%s", b.line, err, out)
	}
}

// shown is a command of a console block, and the output that the block shows of it.
type shown struct{ text, output string }

// commandsOf reads a console block: a command begins behind "$ " and goes on while a quotation, a
// backslash at the end of the line or a here-document is open. All else is output.
func commandsOf(text string) []shown {
	var all []shown
	begun := false
	for line := range strings.Lines(text) {
		switch command, ok := strings.CutPrefix(line, "$ "); {
		case begun:
			all[len(all)-1].text += line
		case ok:
			all = append(all, shown{text: command})
			begun = true
		case len(all) > 0:
			all[len(all)-1].output += line
		}
		if begun && isWhole(all[len(all)-1].text) {
			all[len(all)-1].text = strings.TrimSpace(all[len(all)-1].text)
			begun = false
		}
	}
	return all
}

// isWhole reports whether a shell has the whole of a command that ends with a line.
func isWhole(command string) bool {
	if strings.Contains(command, "<<'END'") {
		return strings.HasSuffix(command, "\nEND\n")
	}
	var quote rune
	escaped := false
	for _, c := range command {
		switch {
		case escaped:
			escaped = false
			if c == '\n' {
				continue
			}
		case c == '\\' && quote != '\'':
			escaped = true
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		}
	}
	return quote == 0 && !strings.HasSuffix(command, "\\\n")
}

// sameText compares an output with the text of a page, in which … stands for any text.
func sameText(want, got string) bool {
	parts := strings.Split(strings.TrimSpace(want), "…")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return regexp.MustCompile(`^` + strings.Join(parts, `.*`) + `\s*$`).MatchString(got)
}

// TestReadme counts the rows of the pages' longest query, over ten services of the emulated company.
func TestReadme(t *testing.T) {
	t.Parallel()
	var query string
	for _, b := range blocksOf(t, "docs/queries.md") {
		if _, text, ok := strings.Cut(b.text, "exec --emulator \"\n"); ok {
			query = strings.TrimSuffix(strings.TrimSpace(text), `"`)
		}
	}
	if query == "" {
		t.Fatal("docs/queries.md has no query over all services")
	}
	got := run{args: []string{"exec", "--emulator", "-o", "json", query}}.do(t)
	var rows []struct {
		What    string `json:"what"`
		HowMany int    `json:"how_many"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &rows); err != nil || got.status != 0 {
		t.Fatalf("status %d, %v\n%s%s", got.status, err, got.stdout, got.stderr)
	}
	if len(rows) != 10 {
		t.Errorf("%d services", len(rows))
	}
	for _, row := range rows {
		if row.HowMany == 0 {
			t.Errorf("there are no %s", row.What)
		}
	}
}

// TestReadmeInventory runs the commands that docs/pipelines.md begins with: the last one lists branches.
func TestReadmeInventory(t *testing.T) {
	t.Parallel()
	commands := commandsOf(blocksOf(t, "docs/pipelines.md")[0].text)
	if len(commands) != 4 {
		t.Fatalf("docs/pipelines.md begins with %q", commands)
	}
	dir := t.TempDir()
	for _, c := range commands {
		line, _, _ := strings.Cut(strings.TrimPrefix(c.text, "lakeql "), "  #")
		line, query, quoted := strings.Cut(strings.TrimSpace(line), ` "`)
		args := strings.Fields(line)
		if quoted {
			args = append(args, strings.TrimSuffix(query, `"`))
		}
		got := run{args: args, dir: dir}.do(t)
		if got.status != 0 {
			t.Fatalf("%q: status %d, stderr:\n%s", args, got.status, got.stderr)
		}
		if quoted && strings.Count(got.stdout, "READY") < 10 {
			t.Errorf("%q prints\n%s", args, got.stdout)
		}
	}
}

// TestPagesLink looks for the files and headings that the pages link to.
func TestPagesLink(t *testing.T) {
	t.Parallel()
	for _, name := range append([]string{"CONTRIBUTING.md", "docs/bi.md", "docs/stackql.md", "docs/stores.md"}, pages...) {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		prose := regexp.MustCompile("(?ms)^ *```.*?^ *```").ReplaceAllString(string(text), "") // code may look like a link
		for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(prose, -1) {
			target, heading, _ := strings.Cut(link[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := filepath.Join("..", "..", filepath.Dir(name), target)
			if target == "" { // a heading of the same page
				file = filepath.Join("..", "..", name)
			}
			linked, err := os.ReadFile(file)
			if info, statErr := os.Stat(file); err != nil && (statErr != nil || !info.IsDir()) {
				t.Errorf("%s links to %s: %v", name, link[1], err)
			}
			if heading != "" && !slices.Contains(anchorsOf(string(linked)), heading) {
				t.Errorf("%s links to %s, which is not there", name, link[1])
			}
		}
	}
}

// anchorsOf lists GitHub's anchors of the headings of a page.
func anchorsOf(text string) []string {
	var all []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		anchor := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		all = append(all, strings.ReplaceAll(anchor, " ", "-"))
	}
	return all
}

// TestCommandsOfBlock reads console blocks as a shell would.
func TestCommandsOfBlock(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]shown{
		"$ a \"b\n  c\"\nout\n$ d\n":         {{"a \"b\n  c\"", "out\n"}, {"d", ""}},
		"$ a \\\n  --b\n1\n2\n":              {{"a \\\n  --b", "1\n2\n"}},
		"$ cat > f <<'END'\n$ x\nEND\n$ b\n": {{"cat > f <<'END'\n$ x\nEND", ""}, {"b", ""}},
		"$ a 'it' \"\\\"\"\n":                {{"a 'it' \"\\\"\"", ""}},
	} {
		if got := commandsOf(text); !slices.Equal(got, want) {
			t.Errorf("%q is read as %s", text, fmt.Sprintf("%q", got))
		}
	}
}
