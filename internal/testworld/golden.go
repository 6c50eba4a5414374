package testworld

import (
	"os"
	"testing"
)

// Golden compares a text with the content of a file, which it writes first if update is set.
func Golden(t *testing.T, file, got string, update bool) {
	t.Helper()
	if update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not what %s has; look at what changed, and run the test with -update:\n%s\nwant\n%s", file, got, want)
	}
}
