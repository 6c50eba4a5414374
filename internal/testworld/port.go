package testworld

import (
	"net"
	"testing"
)

// ClosedAddress returns a loopback address that refuses connections until the test ends. It is the local
// end of another connection, so no other process can listen there.
func ClosedAddress(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close() // nothing was sent
		_ = listener.Close()
	})
	return conn.LocalAddr().String()
}
