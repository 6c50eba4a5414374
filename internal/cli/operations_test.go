//go:build unix

package cli_test

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestOperations plays the life of a pipeline with each kind of store. The script has its name as $STORE.
func TestOperations(t *testing.T) {
	t.Parallel()
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, stories("testdata/story", "STORE="+open(t).name))
		})
	}
}
