package cli_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestReadme runs the query that the README shows, over ten services of the company in the emulator.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(string(readme), "exec --emulator \"\n")
	query, _, ok := strings.Cut(query, "\"\n")
	if !ok {
		t.Fatal("the README has no query")
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

// TestReadmeInventory runs the commands that the README shows about pipelines, in a folder of its own.
func TestReadmeInventory(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## Inventories\n")
	_, section, _ = strings.Cut(section, "```console\n")
	section, _, ok := strings.Cut(section, "```")
	commands := strings.Split(strings.TrimSpace(section), "\n")
	if !ok || len(commands) != 4 {
		t.Fatalf("the README shows %q", commands)
	}
	dir := t.TempDir()
	for _, line := range commands {
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "$ bin/lakeql "), "  #")
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
