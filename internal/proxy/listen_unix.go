//go:build unix

package proxy

import (
	"context"
	"net"
	"sync"
	"syscall"
)

// masking is held while the process's mask of permissions is another one.
var masking sync.Mutex //nolint:gochecknoglobals // the mask belongs to the process

// listenPrivately makes a socket that only the user may connect to.
func listenPrivately(ctx context.Context, path string) (net.Listener, error) {
	masking.Lock()
	defer masking.Unlock()
	old := syscall.Umask(0o177) // a socket that is made first and closed to others later is open in between
	defer syscall.Umask(old)
	return new(net.ListenConfig).Listen(ctx, "unix", path)
}
