//go:build !unix

package proxy

import (
	"context"
	"net"
)

// listenPrivately makes a socket. The permissions of its folder decide who may connect to it.
func listenPrivately(ctx context.Context, path string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "unix", path)
}
