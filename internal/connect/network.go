package connect

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/provider"
)

// Network says how requests travel: those to the API, and those that log in. The zero value takes the
// proxy of the environment (HTTPS_PROXY, NO_PROXY) and the system's certificate authorities. Requests to
// an emulator inside the program ignore it.
type Network struct {
	// Proxy receives all requests, in place of the environment's proxy. Requests without TLS, which go to
	// this machine only, pass it by unless it is on this machine too.
	Proxy *url.URL
	// RootCAs are the certificate authorities to trust; nil: the system's.
	RootCAs *x509.CertPool
	// Offline refuses every request that needs a credential, which all do.
	Offline bool
}

// apply sets up a transport.
func (n Network) apply(transport *http.Transport) {
	if n.Proxy != nil {
		transport.Proxy = n.proxyFor
	}
	if n.RootCAs != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: n.RootCAs, MinVersion: tls.VersionTLS12}
	}
}

// proxyFor returns the proxy for a request.
func (n Network) proxyFor(r *http.Request) (*url.URL, error) {
	if r.URL.Scheme != "https" && !isLoopback(n.Proxy.Hostname()) {
		return nil, nil //nolint:nilnil // net/http's way to say none
	}
	return n.Proxy, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// loginTransport returns the transport for requests that log in; nil: the usual one.
func (n Network) loginTransport() http.RoundTripper {
	usual, ok := http.DefaultTransport.(*http.Transport)
	if !ok || n.Proxy == nil && n.RootCAs == nil {
		return nil
	}
	transport := usual.Clone()
	n.apply(transport)
	return transport
}

// offline finds hosts, and has no credential for any. So what sends nothing goes on: EXPLAIN, a dry run.
type offline struct{ *auth.Chain }

// Authorize refuses the request.
func (offline) Authorize(r *http.Request) error {
	return provider.Usagef("%s is not called: lakeql works offline", r.URL.Host).
		Hintf("leave out --offline; without calls, statements read the documents and the tables of the store")
}

// Transport returns a transport for requests that are not the API's, over the same proxy and with the same
// certificate authorities. Offline, it refuses all requests.
func Transport(n Network) http.RoundTripper {
	if n.Offline {
		return refused{}
	}
	usual, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	transport := usual.Clone()
	n.apply(transport)
	return transport
}

// refused is a transport that sends nothing.
type refused struct{}

// RoundTrip implements [http.RoundTripper].
func (refused) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, provider.Usagef("%s is not called: lakeql works offline", r.URL.Host)
}
