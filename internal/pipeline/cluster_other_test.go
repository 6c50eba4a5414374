//go:build !unix

package pipeline

import "testing"

// startPostgres skips the test: a server's socket needs Unix.
func startPostgres(t *testing.T) (dsn string) {
	t.Helper()
	t.Skip("this test needs the sockets of Unix")
	return ""
}
