package dispatch_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// TestTotals reads lists that report their number of items: a lost item is an error, and a complete list
// is not.
func TestTotals(t *testing.T) {
	page := func(start, total int, names string) string {
		var items []string
		for _, name := range strings.Fields(names) {
			items = append(items, fmt.Sprintf(`{"name": %q}`, name))
		}
		return fmt.Sprintf(`{"startIndex": %d, "totalResults": %d, "things": [%s]}`, start, total, strings.Join(items, ", "))
	}
	tests := map[string]struct {
		pages []string
		rows  string
		err   string
	}{
		"all there":              {[]string{page(1, 3, "a b"), page(3, 3, "c"), page(4, 3, "")}, "a b c", ""},
		"none there":             {[]string{page(1, 0, "")}, "", ""},
		"one is added":           {[]string{page(1, 3, "a b"), page(3, 4, "c d"), page(5, 4, "")}, "a b c d", ""},
		"one comes twice":        {[]string{page(1, 3, "a b"), page(3, 4, "b c"), page(5, 4, "")}, "a b c", ""},
		"starts further on":      {[]string{page(3, 4, "c d"), page(5, 4, "")}, "c d", ""},
		"starts behind the end":  {[]string{page(9, 4, "")}, "", ""},
		"one is taken away":      {[]string{page(1, 4, "a b"), page(3, 3, "d")}, "a b", "the list shrank from 4 to 3 items"},
		"shrinks to its end":     {[]string{page(1, 3, "a b"), page(3, 2, "")}, "a b", "the list shrank from 3 to 2 items"},
		"ends before its total":  {[]string{page(1, 4, "a b"), page(3, 4, "c"), page(4, 4, "")}, "a b c", "the list ends after 3 of 4 items"},
		"nothing but a total":    {[]string{page(1, 4, "")}, "", "the list ends after 0 of 4 items"},
		"ends after a late page": {[]string{page(3, 9, "c d"), page(5, 9, "")}, "c d", "the list ends after 4 of 9 items"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var asked []string
			c := pages(t, &asked, test.pages...)
			rows, err := request{method: "offset"}.call(t.Context(), t, c)
			var names []string
			for _, row := range rows {
				names = append(names, fmt.Sprint(row[0]))
			}
			if got := strings.Join(names, " "); got != test.rows {
				t.Errorf("rows %q, want %q", got, test.rows)
			}
			switch {
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err != "":
				if e := asError(t, err); e.Code != provider.API || !strings.Contains(e.Message, test.err) {
					t.Errorf("got %v, want %s", err, test.err)
				}
			}
			if len(asked) != len(test.pages) {
				t.Errorf("asked for %d pages", len(asked))
			}
		})
	}
}

// TestItemsWithoutIDAreKept shows that equal items without an identifying attribute count separately.
func TestItemsWithoutIDAreKept(t *testing.T) {
	var asked []string
	c := pages(t, &asked, `{"things": [{"size": 1}, {"size": 1}, {"name": "a"}, {"name": "a"}]}`, `{}`)
	rows, err := request{method: "offset"}.call(t.Context(), t, c)
	if err != nil || len(rows) != 3 {
		t.Errorf("rows %v: %v", rows, err)
	}
}

// TestPageLimit shows that a shortened list reports it, and that a complete list does not.
func TestPageLimit(t *testing.T) {
	texts := []string{`{"things": [{"name": "a"}], "next_page_token": "1"}`, `{"things": [{"name": "b"}], "next_page_token": "2"}`, `{"things": [{"name": "c"}]}`}
	for limit, want := range map[int]struct {
		pages int
		cut   bool
	}{0: {3, false}, 1: {1, true}, 2: {2, true}, 3: {3, false}, 4: {3, false}} {
		var asked []string
		c := pages(t, &asked, texts...)
		c.PageLimit = limit
		req, err := request{method: "list"}.plan(t, c)
		if err != nil {
			t.Fatal(err)
		}
		reader, given := c.Open(req), 0
		if len(asked) != 0 {
			t.Error("sent something before it was asked")
		}
		for err == nil {
			if _, err = reader.Next(t.Context()); err == nil {
				given++
			}
		}
		if !errors.Is(err, io.EOF) || given != want.pages || reader.Cut() != want.cut || len(asked) != want.pages {
			t.Errorf("limit %d: %d pages of %d that were asked for, cut %v: %v", limit, given, len(asked), reader.Cut(), err)
		}
		if _, again := reader.Next(t.Context()); !errors.Is(again, io.EOF) || len(asked) != want.pages {
			t.Errorf("limit %d: asked behind the end: %v", limit, again)
		}
	}
}

// TestUsage shows the reported cost of a call.
func TestUsage(t *testing.T) {
	texts := []string{`{"things": [{"name": "a"}, {"name": "b"}], "next_page_token": "1"}`, `{"things": [{"name": "c"}]}`}
	calls := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		answer(w, texts[len(r.URL.RawQuery)/len("page_token=1")])
	})
	req, err := request{method: "list"}.plan(t, c)
	if err != nil {
		t.Fatal(err)
	}
	reader := c.Open(req)
	for err == nil {
		_, err = reader.Next(t.Context())
	}
	got := reader.Usage()
	if got.Time <= 0 {
		t.Error("no time passed")
	}
	got.Time = 0
	if want := (dispatch.Usage{Requests: 2, Retries: 1, Rows: 3, Bytes: int64(len(texts[0]) + len(texts[1]))}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestPagesPutAside shows that a page is the same when it was put aside in the meantime: rows, and
// every byte of the JSON in them.
func TestPagesPutAside(t *testing.T) {
	tests := map[string]struct{ method, body string }{
		"objects":        {"list", `{"things": [{"name": "<&>\u2028é", "size": 9007199254740993}, {"name": null}, {}]}`},
		"JSON in a row":  {"values", `{"object": {"b" : "<a> & \u003c",  "a": [1.0, 1e400]}, "array": [ "x" ], "secret": "s"}`},
		"an empty page":  {"list", `{}`},
		"one empty list": {"list", `{"things": []}`},
		"bare texts":     {"names", `{"names": ["a", "<b>"]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var asked []string
			c := pages(t, &asked, test.body)
			req, err := request{method: test.method}.plan(t, c)
			if err != nil {
				t.Fatal(err)
			}
			page, err := c.Open(req).Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := page.Encode()
			if err != nil {
				t.Fatal(err)
			}
			again, err := page.Without().Decode(encoded)
			if err != nil {
				t.Fatal(err)
			}
			if page.Without().Len() != 0 || page.Without().Size() != 0 {
				t.Error("a page without its items has some")
			}
			if again.Len() != page.Len() || again.Size() != page.Size() {
				t.Fatalf("%d rows in %d bytes, want %d in %d", again.Len(), again.Size(), page.Len(), page.Size())
			}
			for i := range page.Len() {
				want, err := page.Row(i, nil)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := again.Row(i, nil); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("row %d is %v, want %v: %v", i, got, want, err)
				}
			}
		})
	}
}

// FuzzDecodePage shows that bytes which are no page are refused, and never more than that.
func FuzzDecodePage(f *testing.F) {
	c := serve(f, func(w http.ResponseWriter, _ *http.Request) { answer(w, `{"things": [{"name": "a"}, {"size": 1}]}`) })
	req, err := request{method: "list"}.plan(f, c)
	if err != nil {
		f.Fatal(err)
	}
	page, err := c.Open(req).Next(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	encoded, err := page.Encode()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{encoded, encoded[:len(encoded)-1], encoded[:1], {}, {0}, {0, 0}, bytes.Repeat([]byte{0xff}, 20)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		page, err := page.Without().Decode(data)
		if err != nil {
			return
		}
		for i := range page.Len() {
			if _, err := page.Row(i, nil); err == nil {
				continue
			} else if _, ok := errors.AsType[*provider.Error](err); !ok {
				t.Errorf("row %d: %v", i, err)
			}
		}
	})
}

// TestBytesPutAside shows that a file keeps its bytes, whatever they are, when its page is put aside.
func TestBytesPutAside(t *testing.T) {
	docs := testworld.Catalogue(t)
	m, err := docs.Method("databricks_workspace", "files", "files", "download")
	if err != nil {
		t.Fatal(err)
	}
	content := "\x00\xff plain & <text>"
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = io.WriteString(w, content)
	})
	c.Catalogue = docs
	req, err := c.Plan(dispatch.Call{Method: m, Args: map[string]any{"file_path": "/Volumes/a/b/c/d"}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := c.Open(req).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := page.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := page.Without().Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	want, err := page.Row(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Row(0, nil); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v: %v", got, want, err)
	}
}
