package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
)

// authority signs certificates of clients.
type authority struct {
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.certificate, a.key = a.sign(t, "ca", time.Hour, true)
	a.file = filepath.Join(a.dir, "ca.crt")
	return a
}

// sign makes a certificate that ends after a time, in files of its name.
func (a *authority) sign(t *testing.T, name string, ends time.Duration, isCA bool) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(ends),
		IsCA: isCA, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if a.certificate != nil {
		parent, signer = a.certificate, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for ending, block := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: pkcs}} {
		if err := os.WriteFile(filepath.Join(a.dir, name+ending), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

// with is how psql gives a certificate.
func (a *authority) with(name string) string {
	return "sslmode=require sslcert=" + filepath.Join(a.dir, name+".crt") + " sslkey=" + filepath.Join(a.dir, name+".key")
}

// TestServerCertificates: with authorities for clients, only clients with their certificates get in, on every
// address; a password is asked for besides if there is one.
func TestServerCertificates(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t, t.TempDir())
	ours, strange := newAuthority(t), newAuthority(t)
	ours.sign(t, "ada", time.Hour, false)
	ours.sign(t, "late", -time.Hour, false)
	strange.sign(t, "eve", time.Hour, false)
	encoded, err := os.ReadFile(ours.file)
	if err != nil {
		t.Fatal(err)
	}
	stackql, err := json.Marshal(map[string]any{"keyFilePath": key, "certFilePath": certificate, "clientCAs": []string{base64.StdEncoding.EncodeToString(encoded)}})
	if err != nil {
		t.Fatal(err)
	}
	audit := filepath.Join(t.TempDir(), "audit.jsonl")
	for name, args := range map[string][]string{
		"our flags": {"--address", "0.0.0.0", "--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", ours.file, "--audit", audit},
		"StackQL's": {"--pgsrv.address", "0.0.0.0", "--pgsrv.tls", string(stackql)},
	} {
		s := serveSQL(t, emulator.Options{}, run{args: args})
		s.Host = "127.0.0.1"
		for more, wants := range map[string]string{
			ours.with("ada"):    "n\n42\n",
			ours.with("late"):   "certificate",
			strange.with("eve"): "unknown ca",
			"sslmode=require sslcert=/nonexistent sslkey=/nonexistent": "certificate",
			"sslmode=disable": "this server takes encrypted connections only",
		} {
			got, failed := s.psql(t, more, "SELECT 6 * 7 AS n;")
			if !strings.Contains(got, wants) || failed != (more != ours.with("ada")) {
				t.Errorf("%s: %s: failed %v\n%s", name, more, failed, got)
			}
		}
	}
	if log, err := os.ReadFile(audit); err != nil || !strings.Contains(string(log), `"certificate":"ada"`) {
		t.Errorf("the audit: %v\n%s", err, log)
	}
	both := serveSQL(t, emulator.Options{}, run{
		args: []string{"--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", ours.file}, env: []string{"LAKEQL_SRV_PASSWORD=secret"},
	})
	for more, wants := range map[string]string{
		ours.with("ada") + " password=secret": "n\n42\n",
		ours.with("ada") + " password=wrong":  "password authentication failed",
		"sslmode=require password=secret":     "certificate",
	} {
		if got, _ := both.psql(t, more, "SELECT 6 * 7 AS n;"); !strings.Contains(got, wants) {
			t.Errorf("%s: %s", more, got)
		}
	}
	for name, args := range map[string][]string{
		"without TLS":        {"--tls-client-ca", ours.file},
		"no file":            {"--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", "/nonexistent"},
		"no certificate":     {"--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", key},
		"no base64":          {"--pgsrv.tls", strings.Replace(string(stackql), `"clientCAs":["`, `"clientCAs":["!`, 1)},
		"not PEM":            {"--pgsrv.tls", strings.Replace(string(stackql), base64.StdEncoding.EncodeToString(encoded), "eHh4", 1)},
		"not the right form": {"--pgsrv.tls", `{"clientCAs": "x"}`},
	} {
		if got := (run{args: append([]string{"srv", "--port", "0"}, args...)}).do(t); got.status != 2 || !strings.Contains(got.stderr, "error: ") {
			t.Errorf("%s: status %d\n%s", name, got.status, got.stderr)
		}
	}
}
