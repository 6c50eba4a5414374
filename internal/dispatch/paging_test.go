package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// pages is a server that answers with one text after the other, and records the requests.
func pages(t *testing.T, asked *[]string, texts ...string) *dispatch.Client {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked = append(*asked, strings.TrimSpace(r.URL.RawQuery+" "+r.Header.Get("X-Page")+string(body)))
		if len(*asked) > len(texts) {
			t.Errorf("asked for page %d", len(*asked))
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		answer(w, texts[len(*asked)-1])
	})
}

// TestPages reads lists of several pages, wherever their tokens travel.
func TestPages(t *testing.T) {
	things := func(names, token string) string {
		var items []string
		for _, name := range strings.Fields(names) {
			items = append(items, fmt.Sprintf(`{"name": %q}`, name))
		}
		return fmt.Sprintf(`{"things": [%s]%s}`, strings.Join(items, ", "), token)
	}
	next := func(token string) string { return fmt.Sprintf(`, "next_page_token": %s`, token) }
	tests := map[string]struct {
		r     request
		pages []string
		rows  string
		asked []string
	}{
		"one page":                  {request{method: "list"}, []string{things("a b", "")}, "a b", []string{""}},
		"token in the query":        {request{method: "list", args: map[string]any{"deep": true}}, []string{things("a b", next(`"t&1"`)), things("c", next(`"t2"`)), things("d", next(`""`))}, "a b c d", []string{"deep=true", "deep=true&page_token=t%261", "deep=true&page_token=t2"}},
		"token in a header":         {request{method: "header_list"}, []string{things("a", next(`"t1"`)), things("b", "")}, "a b", []string{"", "t1"}},
		"token in the body":         {request{method: "search", body: `{"text": "x"}`}, []string{things("a", next(`"t1"`)), things("b", next(`"t2"`)), things("c", "")}, "a b c", []string{`{"text":"x"}`, `{"page_token":"t1","text":"x"}`, `{"page_token":"t2","text":"x"}`}},
		"token in a body of none":   {request{method: "search"}, []string{things("a", next(`"t1"`)), things("b", "")}, "a b", []string{``, `{"page_token":"t1"}`}},
		"token in an object":        {request{method: "nested_list"}, []string{things("a", `, "next": {"token": "t1"}`), things("b", `, "next": {"token": ""}`)}, "a b", []string{"", "page_token=t1"}},
		"an object without a token": {request{method: "nested_list"}, []string{things("a", `, "next": {}`)}, "a", []string{""}},
		"starts at a token":         {request{method: "list", args: map[string]any{"page_token": "t0"}}, []string{things("a", next(`"t1"`)), things("b", "")}, "a b", []string{"page_token=t0", "page_token=t1"}},
		"a number for a token":      {request{method: "list"}, []string{things("a", next(`12345678901234567890`)), things("b", "")}, "a b", []string{"", "page_token=12345678901234567890"}},
		"a null token":              {request{method: "list"}, []string{things("a", next(`null`))}, "a", []string{""}},
		"empty pages between":       {request{method: "list"}, []string{things("a", next(`"1"`)), things("", next(`"2"`)), `{"next_page_token": "3"}`, things("b", "")}, "a b", []string{"", "page_token=1", "page_token=2", "page_token=3"}},
		"the list left out":         {request{method: "list"}, []string{`{}`}, "", []string{""}},
		"a bare array":              {request{method: "bare"}, []string{`[{"name": "a"}, {"name": "b"}]`}, "a b", []string{""}},
		"an empty bare array":       {request{method: "bare"}, []string{` [] `}, "", []string{""}},
		"counted":                   {request{method: "offset"}, []string{things("a b", `, "startIndex": 1`), things("c", `, "startIndex": "3"`), things("", `, "startIndex": 4`)}, "a b c", []string{"startIndex=1", "startIndex=3", "startIndex=4"}},
		"counted by the request":    {request{method: "offset"}, []string{things("a b", ""), things("", "")}, "a b", []string{"startIndex=1", "startIndex=3"}},
		"counted, with items twice": {request{method: "offset"}, []string{things("a b", ""), things("b c", ""), `{}`}, "a b c", []string{"startIndex=1", "startIndex=3", "startIndex=5"}},
		"a token of blanks":         {request{method: "list"}, []string{things("a", next(`" "`)), things("b", next(`" t "`)), things("c", "")}, "a b c", []string{"", "page_token=+", "page_token=+t+"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var asked []string
			c := pages(t, &asked, test.pages...)
			rows, err := test.r.call(t.Context(), t, c)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, row := range rows {
				names = append(names, fmt.Sprint(row[0]))
			}
			if got := strings.Join(names, " "); got != test.rows {
				t.Errorf("rows %q, want %q", got, test.rows)
			}
			if !slices.Equal(asked, test.asked) {
				t.Errorf("asked for %q, want %q", asked, test.asked)
			}
		})
	}
}

// TestBadPages shows that a list that goes wrong is an error, after the rows that were good, and
// stays one.
func TestBadPages(t *testing.T) {
	first := `{"things": [{"name": "a"}], "next_page_token": "1"}`
	tests := map[string]struct {
		second  string
		message string
	}{
		"the same token again":  {first, `the page token "1" came twice`},
		"no JSON":               {`things`, "not the JSON that the document describes"},
		"JSON that stops":       {`{"things": [{"name": "b"}`, "not the JSON that the document describes"},
		"HTML":                  {`<html><title>Log in</title>`, "answered with an HTML page"},
		"an array":              {`[{"name": "b"}]`, "not the JSON that the document describes"},
		"null":                  {`null`, "not the JSON that the document describes"},
		"nothing":               {``, "the answer is empty"},
		"a text for the list":   {`{"things": "b"}`, "not the JSON that the document describes"},
		"a text for an item":    {`{"things": ["b"]}`, "not the JSON that the document describes"},
		"more behind the value": {`{"things": []} {}`, "not the JSON that the document describes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var asked []string
			c := pages(t, &asked, first, test.second)
			req, err := request{method: "list"}.plan(t, c)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := c.Run(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			given := 0
			for err == nil {
				var row []any
				if row, err = rows.Next(t.Context()); err == nil {
					given++
				}
				_ = row
			}
			if errors.Is(err, io.EOF) || !strings.Contains(err.Error(), test.message) || given < 1 {
				t.Errorf("after %d rows: %v", given, err)
			}
			if e := asError(t, err); e.Code != provider.API {
				t.Errorf("code %v", e.Code)
			}
			if _, again := rows.Next(t.Context()); !errors.Is(again, err) {
				t.Errorf("asked again: %v", again)
			}
		})
	}
}

// TestAnErrorBehindTheFirstPage shows that the error of a later page is not the end of the list.
func TestAnErrorBehindTheFirstPage(t *testing.T) {
	calls := 0
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls > 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		answer(w, `{"things": [{"name": "a"}], "next_page_token": "1"}`)
	})
	rows, err := request{method: "list"}.call(t.Context(), t, c)
	if len(rows) != 1 || asError(t, err).Status != http.StatusBadRequest {
		t.Errorf("rows %v: %v", rows, err)
	}
}

// TestPagesAreFetchedAsTheyAreRead shows that a reader that reads few rows fetches few pages, may read a
// request twice, and gets an error after the end.
func TestPagesAreFetchedAsTheyAreRead(t *testing.T) {
	var asked []string
	c := pages(t, &asked, `{"things": [{"name": "a"}, {"name": "b"}], "next_page_token": "1"}`, `{"things": [{"name": "c"}, {"name": "d"}]}`)
	req, err := request{method: "list"}.plan(t, c)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := c.Run(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := rows.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(asked) != 1 {
		t.Errorf("asked for %q", asked)
	}
	if _, err := rows.Next(t.Context()); err != nil || len(asked) != 2 {
		t.Errorf("asked for %q: %v", asked, err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rows.Next(canceled); provider.CodeOf(err) != provider.Canceled {
		t.Errorf("canceled: %v", err)
	}
	asked = nil
	again, err := c.Run(t.Context(), req)
	if err != nil || len(asked) != 1 || asked[0] != "" {
		t.Fatalf("asked for %q: %v", asked, err)
	}
	for range 2 { // may be closed more than once
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := again.Next(t.Context()); err == nil || errors.Is(err, io.EOF) || len(asked) != 1 {
		t.Errorf("after Close, asked for %q: %v", asked, err)
	}
}
