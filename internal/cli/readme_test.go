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
