package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

func TestSecretIsMaskedHoweverItIsPrinted(t *testing.T) {
	const value = "dapi0123"
	s := provider.Secret(value)
	encoded, err := json.Marshal(map[string]any{"token": s})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", s)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%s %v %q %x %#v %+v %d", s, s, s, s, s, []any{s}, s), string(encoded), log.String(), s.String()} {
		if strings.Contains(text, value) || strings.Contains(text, "64617069") || !strings.Contains(text, "****") {
			t.Errorf("printed as %s", text)
		}
	}
	if s.Reveal() != value {
		t.Error("cannot be revealed")
	}
}

func TestNameParam(t *testing.T) {
	n := &provider.NameParam{Name: "name", Template: "projects/{project_id}/branches/{branch_id}"}
	if got := n.Params(); !slices.Equal(got, []string{"project_id", "branch_id"}) {
		t.Errorf("params %v", got)
	}
	got, ok := n.Split("projects/p/branches/b")
	if !ok || !reflect.DeepEqual(got, map[string]string{"project_id": "p", "branch_id": "b"}) {
		t.Errorf("split to %v, %v", got, ok)
	}
	for _, name := range []string{"", "p", "projects/p", "projects//branches/b", "projects/p/branches/b/", "project/p/branches/b", "projects/p/branches/b/endpoints/e"} {
		if got, ok := n.Split(name); ok {
			t.Errorf("%q split to %v", name, got)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"postgres", "postgres_branches", "postgres_credentials", "postgres_databases", "postgres_projects", "vw_roles"}
	for wrong, want := range map[string]string{
		"postgres_credential": "postgres_credentials",
		"credentials":         "postgres_credentials",
		"POSTGRES_PROJECT":    "postgres_projects",
		"vw_role":             "vw_roles",
	} {
		if got := provider.Nearest(names, wrong, 3); len(got) == 0 || got[0] != want {
			t.Errorf("nearest to %s: %v, want %s first", wrong, got, want)
		}
	}
	if got := provider.Nearest(names, "zzzzzzzzzz", 3); len(got) != 0 {
		t.Errorf("nearest to nothing: %v", got)
	}
}

func TestPositionsCountCharacters(t *testing.T) {
	const text = "äb\n漢字x"
	for offset, want := range map[int][2]int{0: {1, 1}, 2: {1, 2}, 4: {2, 1}, 10: {2, 3}, 99: {2, 4}, -1: {1, 1}} {
		if got := provider.PositionAt(text, offset); got.Line != want[0] || got.Column != want[1] {
			t.Errorf("offset %d: %d:%d, want %v", offset, got.Line, got.Column, want)
		}
	}
}

func TestMessagesCannotWriteToTheTerminal(t *testing.T) {
	for text, want := range map[string]string{
		"plain ü 漢":           "plain ü 漢",
		"\x1b[31mred":         `\x1b[31mred`,
		"a\r\nb":              `a\r\nb`,
		"\u202eright to left": `\u202eright to left`,
		"bad \x9b byte":       "bad \uFFFD byte",
	} {
		if got := provider.Printable(text); got != want {
			t.Errorf("Printable(%q) = %q, want %q", text, got, want)
		}
	}
	if got := provider.Quote(strings.Repeat("é", 500)); len([]rune(got)) > 130 {
		t.Errorf("quoted to %d characters", len([]rune(got)))
	}
}

func TestErrorsTellWhereAndWhat(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", &provider.Error{
		Code: provider.Unauthorized, Message: "no", Hint: "log in", Position: provider.Position{Line: 2, Column: 3},
		Method: "GET", URL: "https://x/y", Status: 403, RequestID: "r-1",
	})
	if want := "wrapped: line 2, column 3: no (GET https://x/y: HTTP 403, request id r-1)"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if provider.CodeOf(err) != provider.Unauthorized || provider.HintOf(err) != "log in" {
		t.Errorf("code %v, hint %q", provider.CodeOf(err), provider.HintOf(err))
	}
	if provider.CodeOf(errors.New("x")) != provider.Internal {
		t.Error("an unknown error is no fault of ours")
	}
	if got := (provider.Path{"claims", 0, "permission_set"}).String(); got != "claims[0].permission_set" {
		t.Errorf("path %s", got)
	}
}
