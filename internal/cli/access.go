package cli

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/pgwire/pglogin"
	"github.com/lakeql/lakeql/provider"
)

// access holds the flags that say who may connect to a server.
type access struct {
	address, certificate, key, passwordFile string
	clientCA                                string
	authorities                             []byte // PEM: more of what the file of clientCA holds
	variable                                string // of the environment, where the password may stand
}

// accessFlags adds the flags of a server for clients of PostgreSQL.
func accessFlags(cmd *cobra.Command, a *access) {
	f := cmd.Flags()
	f.StringVar(&a.address, "address", "127.0.0.1", "address to listen on")
	f.StringVar(&a.certificate, "tls-cert", "", "file of the server's certificate (PEM); connections without TLS are refused then")
	f.StringVar(&a.key, "tls-key", "", "file of the certificate's private key (PEM)")
	f.StringVar(&a.clientCA, "tls-client-ca", "", "file of certificates (PEM) that sign those of clients; clients without one are refused then")
	f.StringVar(&a.passwordFile, "password-file", "", "file with the password that clients log in with (SCRAM-SHA-256)")
}

// read reads the flags, and refuses a server that strangers could use.
func (a *access) read() (*tls.Config, *pglogin.Password, error) {
	config, err := certificateOf(a.certificate, a.key)
	if err != nil {
		return nil, nil, err
	}
	if err := a.askCertificate(config); err != nil {
		return nil, nil, err
	}
	text, err := secretFrom("--password-file", a.passwordFile, a.variable)
	if err != nil {
		return nil, nil, err
	}
	var password *pglogin.Password
	if text != "" {
		if password, err = pglogin.NewPassword(text); err != nil {
			return nil, nil, provider.Usagef("the password cannot be used: %v", err)
		}
	}
	if !isLoopback(a.address) && (config == nil || password == nil && config.ClientCAs == nil) {
		return nil, nil, provider.Usagef("--address %s is not a loopback address: anybody who reaches it could use your credentials", provider.Printable(a.address)).
			Hintf("give --tls-cert, --tls-key, and a password by --password-file or %s, or --tls-client-ca", a.variable)
	}
	return config, password, nil
}

// askCertificate makes a server ask its clients for certificates, if the flags name who signs them.
func (a *access) askCertificate(config *tls.Config) error {
	authorities := a.authorities
	if a.clientCA != "" {
		file, err := os.ReadFile(a.clientCA)
		if err != nil {
			return provider.Usagef("read --tls-client-ca: %v", err)
		}
		authorities = append(authorities, file...)
	} else if len(authorities) == 0 {
		return nil
	}
	if config == nil {
		return provider.Usagef("--tls-client-ca needs --tls-cert and --tls-key: clients have certificates with TLS only")
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !config.ClientCAs.AppendCertsFromPEM(authorities) {
		return provider.Usagef("the authorities of clients are no certificates in PEM").Hintf("give --tls-client-ca the file of a certificate that signs those of clients")
	}
	return nil
}

// certificateOf reads a certificate and its key; nil if there is none.
func certificateOf(certificate, key string) (*tls.Config, error) {
	if (certificate == "") != (key == "") {
		return nil, provider.Usagef("--tls-cert and --tls-key are given together")
	}
	if certificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, provider.Usagef("read the certificate: %v", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// secretFrom reads the secret that clients log in with, from the file of a flag or else from the environment;
// empty if there is none. Command lines are no place for it, because other users see them.
func secretFrom(flag, file, variable string) (string, error) {
	if file == "" {
		return os.Getenv(variable), nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", provider.Usagef("read %s: %v", flag, err)
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" {
		return "", provider.Usagef("%s is empty", flag)
	}
	return secret, nil
}

func isLoopback(address string) bool {
	ip := net.ParseIP(address)
	return address == "localhost" || ip != nil && ip.IsLoopback()
}
