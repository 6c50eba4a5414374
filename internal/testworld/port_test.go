package testworld_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/lakeql/lakeql/internal/testworld"
)

func TestClosedAddress(t *testing.T) {
	t.Parallel()
	address := testworld.ClosedAddress(t)
	if _, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connecting: %v", err)
	}
	if _, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listening: %v", err)
	}
}
