package provider_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestMaskKnowsEverySpelling hides a secret in each spelling that a server may use. The text around it
// stays.
func TestMaskKnowsEverySpelling(t *testing.T) {
	asJSON := func(s string) string {
		encoded, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Trim(string(encoded), `"`)
	}
	base64In := func(before string) func(string) string {
		return func(s string) string { return base64.StdEncoding.EncodeToString([]byte(before + s + "?")) }
	}
	spellings := map[string]func(string) string{
		"as it is":          func(s string) string { return s },
		"upper case":        func(s string) string { return strings.Map(upperASCII, s) },
		"JSON":              asJSON,
		"JSON in JSON":      func(s string) string { return asJSON(asJSON(s)) },
		"Go":                func(s string) string { return strings.Trim(strconv.QuoteToASCII(s), `"`) },
		"query":             url.QueryEscape,
		"path":              url.PathEscape,
		"lower percents":    func(s string) string { return strings.ToLower(url.PathEscape(s)) },
		"percents of these": func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
		"SQL":               func(s string) string { return strings.ReplaceAll(s, "'", "''") },
		"HTML":              html.EscapeString,
		"hexadecimal":       func(s string) string { return hex.EncodeToString([]byte(s)) },
		"base64":            func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64 of a URL":   func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		"base64 after 1":    base64In("u"),
		"base64 after 2":    base64In("u:"),
		"base64 after 3":    base64In("us:"),
	}
	for _, secret := range []string{
		"dapi0123456789abcdef", "correct horse", `it's "so" <b>&\/`, "ключ пароль", "a+b/c_d-e=", "%41%42 100%", "🔑🔑secret🔑", "line\nend\ttab",
	} {
		m := provider.NewMask("", "x", secret)
		for name, spell := range spellings {
			text := "the token <" + spell(secret) + "> is not known"
			got := m.Text(text)
			if got == text || !strings.HasPrefix(got, "the token <") || !strings.HasSuffix(got, "> is not known") {
				t.Errorf("%s: %q became %q", name, text, got)
			}
			if left := strings.TrimSuffix(strings.TrimPrefix(got, "the token <"), "> is not known"); !strings.HasPrefix(name, "base64") && left != "****" {
				t.Errorf("%s: %q is left of %q", name, left, text)
			}
		}
	}
}

func TestMaskText(t *testing.T) {
	for _, test := range []struct{ secret, text, want string }{
		{"dapi0123456789abcdef", "no access with dapi0123456789a…", "no access with ****…"}, // cut short
		{"dapi0123456789abcdef", "no access with dapi0", "no access with dapi0"},            // what all tokens begin with
		{"abc", "abc abcd (abc) ABC", "**** abcd (****) ****"},
		{"ab", "ab", "ab"},
		{"   ", "a   b", "a   b"},
		{"secret", "topsecret secretsecret", "top**** ****"},
		{"secret", "", ""},
		{"é!é", "cafe é!é.", "cafe ****."},
	} {
		if got := provider.NewMask(test.secret).Text(test.text); got != test.want {
			t.Errorf("%q in %q: %q, not %q", test.secret, test.text, got, test.want)
		}
	}
	var none *provider.Mask
	if got := none.Text("text"); got != "text" {
		t.Errorf("no mask changes a text to %q", got)
	}
}

func TestMaskError(t *testing.T) {
	m := provider.NewMask("hunter22")
	full := &provider.Error{
		Code: provider.API, Message: "is hunter22", Hint: "not hunter22", ErrorCode: "HUNTER22", URL: "https://h/hunter22",
		RequestID: "hunter22", Path: provider.Path{"hunter22", 1}, Err: fmt.Errorf("hunter22: %w", io.ErrUnexpectedEOF),
	}
	for _, err := range []error{full, fmt.Errorf("list hunter22: %w", full), errors.Join(errors.New("hunter22"), full), errors.New("hunter22"), fmt.Errorf("hunter22: %w", provider.Usagef("plain"))} {
		got := m.Error(err)
		for cause := got; cause != nil; cause = errors.Unwrap(cause) {
			if text := strings.ToLower(fmt.Sprintf("%v %s", cause, provider.HintOf(cause))); strings.Contains(text, "hunter22") {
				t.Errorf("%v: %s", err, text)
			}
		}
		if provider.CodeOf(got) != provider.CodeOf(err) || errors.Is(got, io.ErrUnexpectedEOF) != errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v: the code or the cause is lost", err)
		}
	}
	if full.Message != "is hunter22" {
		t.Error("the error itself was changed")
	}
	if plain := provider.Usagef("plain"); m.Error(plain) != error(plain) || m.Error(nil) != nil { //nolint:errorlint // the same one
		t.Error("an error without a secret was changed")
	}
}

func upperASCII(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}
