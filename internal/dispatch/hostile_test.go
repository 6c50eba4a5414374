package dispatch_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// TestEndlessAnswers shows that no answer fills the memory, however it comes.
func TestEndlessAnswers(t *testing.T) {
	zeros := strings.Repeat(" ", 1<<20)
	once := func(w io.Writer, text string) error {
		_, err := io.WriteString(w, text)
		return err
	}
	tests := map[string]struct {
		limit   int64 // 0: the usual one
		status  int
		header  http.Header
		write   func(w io.Writer, text string) error
		message string
	}{
		"said beforehand": {0, 200, http.Header{"Content-Length": {"268435457"}}, once, "the answer is larger than 256 MiB"},
		"not said": {2 << 20, 200, nil, func(w io.Writer, text string) error {
			for range 3 {
				if _, err := io.WriteString(w, text); err != nil {
					return err
				}
			}
			return nil
		}, "the answer is larger than 2 MiB"},
		"an error": {0, 500, nil, func(w io.Writer, text string) error {
			for {
				if _, err := io.WriteString(w, text); err != nil {
					return err
				}
			}
		}, "internal server error"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range test.header {
					w.Header()[name] = values
				}
				w.WriteHeader(test.status)
				_ = test.write(w, zeros) // ends with an error when the client has enough
			})
			c.AnswerLimit = test.limit
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := get().call(t.Context(), t, c)
			runtime.ReadMemStats(&after)
			if e := asError(t, err); e.Code != provider.API || !strings.Contains(e.Message, test.message) {
				t.Errorf("got %v", err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
				t.Errorf("took %d MiB of memory", took>>20)
			}
		})
	}
}

// TestLongestAnswer shows that an answer of 256 MiB is read. This one ends before its announced length.
func TestLongestAnswer(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "268435456") })
	_, err := get().call(t.Context(), t, c)
	if e := asError(t, err); e.Code != provider.Network || !strings.Contains(e.Message, "the answer ends too early") {
		t.Errorf("got %v", err)
	}
}

// TestDeepAnswers shows that an answer of a million levels is an error, wherever it is deep.
func TestDeepAnswers(t *testing.T) {
	deep := strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20)
	objects := strings.Repeat(`{"a":`, 1<<18) + "1" + strings.Repeat("}", 1<<18)
	for name, test := range map[string]struct {
		r    request
		body string
	}{
		"the answer":        {get(), deep},
		"an attribute":      {request{method: "values"}, `{"object": ` + objects + `}`},
		"an unknown one":    {request{method: "values"}, `{"x": ` + deep + `}`},
		"an item":           {request{method: "list"}, `{"things": [` + objects + `]}`},
		"beside the list":   {request{method: "list"}, `{"x": ` + objects + `, "things": []}`},
		"the token":         {request{method: "list"}, `{"next_page_token": ` + deep + `, "things": []}`},
		"an item of a bare": {request{method: "bare"}, `[` + objects + `]`},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, test.body) })
			_, err := test.r.call(t.Context(), t, c)
			if e := asError(t, err); e.Code != provider.API || !strings.Contains(e.Message, "depth") {
				t.Errorf("got %.200s", err.Error())
			}
		})
	}
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"message": `+deep+`}`)
	})
	if _, err := get().call(t.Context(), t, c); asError(t, err).Status != http.StatusBadRequest || len(err.Error()) > 2000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

// FuzzAnswers shows that no answer makes the dispatcher panic or loop forever, and that all rows come
// from valid JSON.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		thing, `{"things": [{"name": null}, null, {}], "next_page_token": "x"}`, `{"error_code": 5, "details": [null]}`, `[]`, `null`, `"x"`, "", "<pre>", "A_B: c", "{\"a\": \xff}", `{"things": {"a": 1}}`,
	} {
		for status := range 3 {
			f.Add(seed, status)
		}
	}
	var body string
	var status int
	c := serve(f, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader([]int{200, 400, 500}[status])
		_, _ = io.WriteString(w, body)
	})
	c.Retry = dispatch.Retry{Budget: -1}
	f.Fuzz(func(t *testing.T, text string, kind int) {
		body, status = text, int(uint(kind)%3)
		for _, r := range []request{get(), {method: "list"}, {method: "nested_list"}, {method: "names"}, {method: "bare"}, {method: "values"}} {
			rows, err := r.call(t.Context(), t, c)
			switch {
			case err != nil:
				if strings.ContainsAny(asError(t, err).Error(), "\x1b\r\n\x00") {
					t.Errorf("%q: the error holds control characters: %q", text, err)
				}
			case status != 0:
				t.Errorf("%q: an error gives %v", text, rows)
			}
		}
	})
}
