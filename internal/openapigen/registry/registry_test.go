package registry

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stackql/any-sdk/public/formulation"
	"github.com/stackql/stackql-provider-registry/signing/Ed25519/app/edcrypto"
)

// TestPull pulls a provider from the bundle as StackQL's REGISTRY PULL does.
func TestPull(t *testing.T) {
	loaded(t)
	served := httptest.NewServer(http.FileServer(http.Dir(root)))
	defer served.Close()
	local := t.TempDir()
	registry, err := formulation.NewRegistry(formulation.RegistryConfig{
		RegistryURL:  served.URL,
		LocalDocRoot: local,
		VerifyConfig: &edcrypto.VerifierConfig{NopVerify: true},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if latest, err := registry.GetLatestPublishedVersion("databricks_workspace"); err != nil || latest != version {
		t.Errorf("published version %q, %v", latest, err)
	}
	if err := registry.PullAndPersistProviderArchive("databricks_workspace", version); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.LoadProviderByName("databricks_workspace", version); err != nil {
		t.Error(err)
	}
	folder := filepath.Join(local, "src", "databricks_workspace", version)
	if _, err := formulation.LoadProviderAndServiceFromPaths(filepath.Join(folder, "provider.yaml"), filepath.Join(folder, "services", "postgres.yaml")); err != nil {
		t.Error(err)
	}
}

// smallDocuments makes a folder with a provider of one service, which is quick to bundle.
func smallDocuments(t *testing.T, service string) string {
	t.Helper()
	dir := t.TempDir()
	files := []file{
		{"tiny/v1/provider.yaml", []byte(`id: tiny
name: tiny
title: Tiny
version: v1
protocolType: http
description: A provider to test with.
providerServices:
  things:
    id: things:v1
    name: things
    title: Things
    version: v1
    preferred: true
    description: Things.
    service: {$ref: tiny/v1/services/things.yaml}
`)},
		{"tiny/v1/services/things.yaml", []byte(service)},
	}
	if err := writeFiles(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

const things = `openapi: 3.0.3
info: {title: Things, version: v1, description: Things.}
servers: [{url: 'https://example.com'}]
paths:
  /things:
    get:
      operationId: list_things
      description: Lists things.
      responses:
        '200':
          description: success
          content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}
components:
  schemas:
    Thing: {type: object, description: A thing., properties: {name: {type: string, description: Its name.}}}
  x-stackQL-resources:
    things:
      id: tiny.things.things
      name: things
      title: things
      methods:
        list:
          operation: {$ref: '#/paths/~1things/get'}
          response: {mediaType: application/json, openAPIDocKey: '200'}
      sqlVerbs: {select: [{$ref: '#/components/x-stackQL-resources/things/methods/list'}], insert: [], update: [], replace: [], delete: []}
`

// newKey makes a signing key and its certificate.
func newKey(t *testing.T) (key ed25519.PrivateKey, keyText string, certificate []byte) {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "documents"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestSignedBundle signs a bundle, and shows that StackQL's own check of signatures accepts it from the
// folder and from the archive, and refuses it after a change.
func TestSignedBundle(t *testing.T) {
	_, text, certificate := newKey(t)
	key, err := ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	bundled := t.TempDir()
	var out strings.Builder
	if err := Write(smallDocuments(t, things), bundled, key, &out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "not signed") {
		t.Errorf("said: %s", out.String())
	}
	certificates := t.TempDir()
	if err := writeFiles(certificates, []file{{"documents.pem", certificate}}); err != nil {
		t.Fatal(err)
	}
	verify := &edcrypto.VerifierConfig{LocalCAFilePath: filepath.Join(certificates, "documents.pem"), LocalSigningCertPath: filepath.Join(certificates, "documents.pem"), LocalCertRegexStr: ".*"}
	open := func(url, local string) formulation.RegistryAPI {
		t.Helper()
		registry, err := formulation.NewRegistry(formulation.RegistryConfig{RegistryURL: url, LocalDocRoot: local, VerifyConfig: verify}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return registry
	}
	if _, err := open("file://"+bundled, bundled).LoadProviderByName("tiny", "v1"); err != nil {
		t.Errorf("from the folder: %v", err)
	}
	served := httptest.NewServer(http.FileServer(http.Dir(bundled)))
	defer served.Close()
	local := t.TempDir()
	registry := open(served.URL, local)
	if err := registry.PullAndPersistProviderArchive("tiny", "v1"); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.LoadProviderByName("tiny", "v1"); err != nil {
		t.Errorf("out of the archive: %v", err)
	}
	name := filepath.Join(bundled, "src", "tiny", "v1", "provider.yaml")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeFile(name, append(data, "# changed\n"...)); err != nil {
		t.Fatal(err)
	}
	if _, err := open("file://"+bundled, bundled).LoadProviderByName("tiny", "v1"); err == nil {
		t.Error("a changed document was taken for the signed one")
	}
}

func TestParseKey(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, key, want string }{
		{"no PEM", "secret", "not PEM"},
		{"no key in it", "-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n", "not PKCS #8"},
		{"another algorithm", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})), "Ed25519"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ParseKey(tt.key); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// TestUnsigned says that there is no signature, and leaves none of an earlier bundle behind.
func TestUnsigned(t *testing.T) {
	key, _, _ := newKey(t)
	dir, bundled := smallDocuments(t, things), t.TempDir()
	if err := Write(dir, bundled, key, io.Discard); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := Write(dir, bundled, nil, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "not signed: "+KeyVariable) {
		t.Errorf("said: %s", out.String())
	}
	if left, err := filepath.Glob(filepath.Join(bundled, "src", "tiny", "v1", "*.sig")); err != nil || len(left) > 0 {
		t.Errorf("signatures of the earlier bundle: %v, %v", left, err)
	}
}

// TestExistingRegistry adds to a registry that is there.
func TestExistingRegistry(t *testing.T) {
	bundled := t.TempDir()
	name := filepath.Join(bundled, "dist", "providers.yaml")
	if err := writeFile(name, []byte("# ours\nproviders:\n  github:\n    versions: [v1, v2]\n  tiny:\n    versions:\n      - v0\n")); err != nil {
		t.Fatal(err)
	}
	dir := smallDocuments(t, things)
	for range 2 { // the second time there is nothing to add
		if err := Write(dir, bundled, nil, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if want := "# ours\nproviders:\n  github:\n    versions: [v1, v2]\n  tiny:\n    versions:\n      - v0\n      - v1\n"; string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := writeFile(name, []byte("- no mapping\n")); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, bundled, nil, io.Discard); err == nil {
		t.Error("a file that is no list of providers was overwritten")
	}
}

// TestRefused writes nothing that any-sdk cannot load.
func TestRefused(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"a method without an answer", "openAPIDocKey: '200'", "openAPIDocKey: '201'", "tiny.things.things.list: no response body"},
		{"rows without columns", "{type: object, description: A thing., properties: {name: {type: string, description: Its name.}}}", "{type: object, description: A thing.}", "tiny.things.things.list: its rows have no columns"},
		{"parameters that are none", "description: Lists things.", "parameters: [{name: x, in: nowhere, schema: {type: [string]}}]\n      description: Lists things.", "tiny"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bundled := t.TempDir()
			err := Write(smallDocuments(t, strings.Replace(things, tt.from, tt.to, 1)), bundled, nil, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v", err)
			}
			if left, err := os.ReadDir(bundled); err != nil || len(left) > 0 {
				t.Errorf("written all the same: %v, %v", left, err)
			}
		})
	}
}
