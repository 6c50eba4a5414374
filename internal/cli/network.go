package cli

import (
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/provider"
)

// network holds the flags about how requests travel.
type network struct {
	proxyHost, proxyScheme, proxyUser, proxyPassword string
	proxyPort                                        int
	caBundle                                         string
	offline                                          bool
}

// networkFlags adds them, under StackQL's names.
func (c *command) networkFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.network.proxyHost, "http.proxy.host", "", "proxy for all requests; default: that of HTTPS_PROXY, unless NO_PROXY names the host")
	f.IntVar(&c.network.proxyPort, "http.proxy.port", -1, "port of the proxy; 0 and below: the port of its scheme")
	f.StringVar(&c.network.proxyScheme, "http.proxy.scheme", "http", "protocol of the proxy: http, https, or socks5")
	f.StringVar(&c.network.proxyUser, "http.proxy.user", "", "user name for the proxy")
	f.StringVar(&c.network.proxyPassword, "http.proxy.password", "", "password for the proxy")
	f.StringVar(&c.network.caBundle, "tls.CABundle", "", "file of certificate authorities (PEM) to trust beside the system's")
	f.BoolVar(&c.network.offline, "offline", false, "call nothing: statements that need the API fail, others read the documents and the tables of the store")
	f.StringVar(&c.network.caBundle, "cabundle", "", "short for --tls.CABundle")
	f.BoolVar(&c.network.offline, "TestWithoutAPICalls", false, "StackQL's name of --offline for its tests")
	for _, name := range []string{"cabundle", "TestWithoutAPICalls"} {
		_ = f.MarkHidden(name) // fails for an unknown flag only
	}
}

// options reads the flags.
func (n network) options() (connect.Network, error) {
	options := connect.Network{Offline: n.offline}
	if !slices.Contains([]string{"http", "https", "socks5"}, n.proxyScheme) {
		return options, provider.Usagef("--http.proxy.scheme is none of http, https and socks5")
	}
	if n.proxyPort > 65535 {
		return options, provider.Usagef("--http.proxy.port is above 65535")
	}
	if n.proxyHost != "" {
		address := n.proxyHost
		if n.proxyPort > 0 {
			address = net.JoinHostPort(n.proxyHost, strconv.Itoa(n.proxyPort))
		}
		proxy, err := url.Parse(n.proxyScheme + "://" + address)
		if err != nil || proxy.Host != address || proxy.Hostname() == "" {
			return options, provider.Usagef("--http.proxy.host is not the name or address of a host").
				Hintf("the scheme, the port, the user and the password have flags of their own")
		}
		if n.proxyUser != "" {
			proxy.User = url.UserPassword(n.proxyUser, n.proxyPassword)
		}
		options.Proxy = proxy
	}
	if n.caBundle != "" {
		data, err := os.ReadFile(n.caBundle)
		if err != nil {
			return options, provider.Usagef("read --tls.CABundle: %v", err).Because(err)
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool() // a machine without any
		}
		if !roots.AppendCertsFromPEM(data) {
			return options, provider.Usagef("--tls.CABundle %s has no certificate in PEM", provider.Printable(n.caBundle))
		}
		options.RootCAs = roots
	}
	return options, nil
}
