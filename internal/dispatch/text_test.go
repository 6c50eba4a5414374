package dispatch_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
)

// texts are possible strings of an answer.
func texts() []string {
	return []string{
		"plain", "é€😀", "a\xffb", "\xff\xfe\xfd", "\xed\xa0\x80", "\xe2\x82", "\xc0\x80", "a\xf0\x9f\x98b", `\ud83d\ude00`, `\ud83d`, `\ude00`, `\ud83d\ud83d\ude00`,
		`\ud83dA`, `\uD83D\u0041`, `\\ud83d`, `\\\ud83d`, `\u0000`, `\"\ud83d\"`, "\ufffd", `\ufffd`, `\ud83d` + "\xff",
	}
}

// TestTextsThatAreNone shows that invalid text of an answer becomes the same text as with encoding/json,
// which the SDK uses, in columns and inside of them, and that the replacement is reported.
func TestTextsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, text := range texts() {
		body := `{"string": "` + text + `", "object": {"` + text + `": ["` + text + `"]}}`
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, body) })
		told := 0
		c.OnReplaced = func(_ *dispatch.Request, characters int) { told += characters }
		rows, err := request{method: "values"}.call(t.Context(), t, c)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var want struct {
			String string
			Object map[string][]string
		}
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatal(err)
		}
		inside, ok := rows[0][4].(json.RawMessage)
		if !ok {
			t.Fatalf("%q: %v", text, rows)
		}
		var got map[string][]string
		if err := json.Unmarshal(inside, &got); err != nil {
			t.Error(err)
		}
		if rows[0][0] != want.String || fmt.Sprint(got) != fmt.Sprint(want.Object) || strings.ToValidUTF8(string(inside), "") != string(inside) {
			t.Errorf("%q: %q and %q, want %q and %q", text, rows[0][0], inside, want.String, want.Object)
		}
		if n := strings.Count(want.String, "\ufffd") - strings.Count(text, "\ufffd") - strings.Count(text, `\ufffd`); told != 3*n {
			t.Errorf("%q: told of %d replacements, want %d", text, told, 3*n)
		}
	}
}

// TestNamesTwice shows that of two attributes with one name the last one counts, however deep they are.
func TestNamesTwice(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf(`"a%d": %d`, i, i))
	}
	deep := strings.Repeat(`{"x": [`, 1000) + `{"a": 1, "a": 2}` + strings.Repeat(`]}`, 1000)
	for _, object := range []string{
		`{"a": 1, "a": 2}`, `{"a": {"b": 1}, "a": null}`, `{"a": 1, "\u0061": 2}`, `{"a": [{"b": 1, "c": [], "b": "}\"{"}]}`, `{"a": {"a": 1}, "b": {"a": 2}}`, `{}`, `{"a": "\"a\": 1, \"a\": 2"}`,
		`{` + strings.Join(many, ", ") + `}`, `{` + strings.Join(many, ", ") + `, "a3": "last"}`, `{"n": 12345678901234567890.10, "n": 1e400}`, deep,
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"object": `+object+`}`) })
		rows, err := request{method: "values"}.call(t.Context(), t, c)
		if err != nil {
			t.Errorf("%.80s: %v", object, err)
			continue
		}
		got := fmt.Sprintf("%s", rows[0][4])
		want := fmt.Sprint(fromJSON(t, object))
		if fmt.Sprint(fromJSON(t, got)) != want {
			t.Errorf("%.80s became %.80s", object, got)
		}
		if strings.Count(got, `"a":`) != strings.Count(want, "a:") && !strings.Contains(object, `\"a\"`) {
			t.Errorf("%.80s became %.80s", object, got)
		}
		if strings.HasPrefix(object, `{"a": {"a"`) && got != object {
			t.Errorf("%s was written anew: %s", object, got)
		}
	}
}
