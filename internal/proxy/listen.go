package proxy

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// socketPrefix begins the name of each socket that PostgreSQL's clients connect to. The port follows.
const socketPrefix = ".s.PGSQL."

// ListenSocket listens on a Unix-domain socket of the user alone. name is the socket itself, if it is called
// .s.PGSQL.PORT, or else the folder for a socket .s.PGSQL.5432; ListenSocket makes that. dir and port are
// what clients take as host and port.
func ListenSocket(ctx context.Context, name string) (listener net.Listener, dir string, port int, err error) {
	port = 5432
	if digits, ok := strings.CutPrefix(filepath.Base(name), socketPrefix); ok {
		if port, err = strconv.Atoi(digits); err != nil {
			return nil, "", 0, provider.Usagef("the socket %s has no port in its name", provider.Printable(name)).
				Hintf("clients of PostgreSQL look for a name such as %s5432", socketPrefix)
		}
		dir = filepath.Dir(name)
	} else {
		dir = name
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, "", 0, provider.Usagef("make the folder of the socket: %v", err).Because(err)
		}
	}
	path := filepath.Join(dir, socketPrefix+strconv.Itoa(port))
	if err := removeStale(ctx, path); err != nil {
		return nil, "", 0, err
	}
	listener, err = listenPrivately(ctx, path)
	if err != nil {
		return nil, "", 0, provider.Usagef("listen on %s: %v", provider.Printable(path), err).
			Hintf("the folder must exist, and the name of a socket has 107 bytes at most").Because(err)
	}
	return listener, dir, port, nil
}

// removeStale removes the socket of a process that has ended without removing it.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return nil //nolint:nilerr // there is none, or Listen says what is wrong
	}
	if info.Mode()&os.ModeSocket == 0 {
		return provider.Usagef("%s is there already, and no socket", provider.Printable(path))
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
		return provider.Usagef("another process listens on %s", provider.Printable(path))
	}
	return os.Remove(path)
}
