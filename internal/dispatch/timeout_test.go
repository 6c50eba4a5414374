package dispatch

import (
	"testing"
	"time"
)

// TestRequestTimeout shows what the values of RequestTimeout mean.
func TestRequestTimeout(t *testing.T) {
	t.Parallel()
	for given, want := range map[time.Duration]time.Duration{0: 45 * time.Second, time.Second: time.Second, -1: 1<<63 - 1} {
		if got := (&Client{RequestTimeout: given}).requestTimeout(); got != want {
			t.Errorf("%s: %s", given, got)
		}
	}
}
