package testworld

import (
	"io"
	"net/http"
	"testing"
)

// Get returns the body of the answer to a GET, which has to have a status.
func Get(t *testing.T, url string, status int) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // its text is read
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		t.Errorf("%s: %d, %v\n%s", url, resp.StatusCode, err, text)
	}
	return string(text)
}
