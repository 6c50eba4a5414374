package emulator

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/provider"
)

// Server is an emulator that listens on a loopback port.
type Server struct {
	*Emulator

	http *http.Server
	addr *net.TCPAddr
	done sync.WaitGroup
	once sync.Once
	err  error
}

// Start listens on [Options].Address and serves until [Server.Close]. It refuses an address that
// other machines can reach, because the emulator's credentials protect nothing.
func Start(opts Options) (*Server, error) {
	e, err := New(opts)
	if err != nil {
		return nil, err
	}
	listener, err := listenLoopback(opts.Address)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Emulator: e,
		http: &http.Server{
			Handler:           e,
			ReadHeaderTimeout: 10 * time.Second,
			// OPTIONS * gets the answer of other paths that do not exist.
			DisableGeneralOptionsHandler: true,
			ErrorLog:                     slog.NewLogLogger(e.opts.Logger.Handler(), slog.LevelDebug),
		},
		addr: listener.Addr().(*net.TCPAddr), // the listener is ours and of TCP
	}
	s.done.Go(func() {
		_ = s.http.Serve(listener) // ends with ErrServerClosed, or with the listener
	})
	return s, nil
}

// URL returns the address of the default workspace, such as http://127.0.0.1:40123.
func (s *Server) URL() string { return "http://" + s.addr.String() }

// WorkspaceURL returns the address of a workspace by its deployment name, such as
// http://dbc-1.localhost:40123. Not every system resolves names under localhost; clients there must
// dial [Server.URL].
func (s *Server) WorkspaceURL(deployment string) string {
	return "http://" + net.JoinHostPort(deployment+company.HostSuffix, strconv.Itoa(s.addr.Port))
}

// Close stops listening, closes open connections and ends delays. It may be called more than once.
func (s *Server) Close() error {
	s.once.Do(func() {
		s.err = s.http.Close() // ends the requests' contexts too, and with them delays
		s.done.Wait()
		s.Emulator.Close()
	})
	return s.err
}

func listenLoopback(address string) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, provider.Usagef("%q is not an address of the form 127.0.0.1:8080", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && !ip.IsLoopback() {
		return nil, provider.Usagef("the emulator listens on loopback addresses only, and %q is none", address)
	}
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, provider.Errorf(provider.Network, "listen for the emulator: %v", err).Hintf("choose another --address; port 0 is a free one").Because(err)
	}
	// The system decides what localhost means, so the outcome is checked too.
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		_ = listener.Close()
		return nil, provider.Usagef("the emulator listens on loopback addresses only, and %q is none", address)
	}
	return listener, nil
}
