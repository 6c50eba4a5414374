package pipeline

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestPipelinesAreQueues shows that a pipeline is either told that its name will not do, or has a queue of its
// name.
func TestPipelinesAreQueues(t *testing.T) {
	for name, fits := range map[string]bool{
		"a": true, "inventory": true, "a_b_c": true, "a1_2": true, strings.Repeat("a", 41): true,
		"a_": false, "a__b": false, "_a": false, "1a": false, "A": false, strings.Repeat("a", 42): false,
	} {
		t.Run(name, func(t *testing.T) {
			d, err := parseConfig([]byte("name: " + name + "\nworkspaces: [dbc-1]\n"))
			if (err == nil) != fits {
				t.Fatalf("the name is read with %v", err)
			}
			if err != nil {
				return
			}
			store, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "store.db"), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			if _, _, err := store.Begin(t.Context(), d, "a test"); err != nil {
				t.Errorf("a run cannot begin: %v", err)
			}
		})
	}
}
