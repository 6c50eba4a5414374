package registry

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// KeyVariable is the environment variable with the key that signs the documents, as openssl genpkey
// -algorithm ed25519 writes it.
const KeyVariable = "LAKEQL_REGISTRY_KEY"

// ParseKey reads an Ed25519 key in PKCS #8 and PEM.
func ParseKey(text string) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the key is not PEM: begin with -----BEGIN PRIVATE KEY-----")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the key is not PKCS #8: %w", err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the key is a %T, and StackQL takes Ed25519 alone", parsed)
	}
	return key, nil
}

// signature signs a document as StackQL checks it: the time, then the signature over the document and that
// time, both in one text of base64. StackQL looks whether a certificate for the key was valid then.
func signature(key ed25519.PrivateKey, document []byte, at time.Time) ([]byte, error) {
	stamp, err := at.UTC().MarshalBinary()
	if err != nil {
		return nil, err
	}
	signed := ed25519.Sign(key, append(append([]byte{}, document...), stamp...))
	return []byte(base64.StdEncoding.EncodeToString(append(stamp, signed...))), nil
}

// sign adds to each document the file with its signature, <document>.sig.
func sign(key ed25519.PrivateKey, documents []file, at time.Time) ([]file, error) {
	var all []file
	for _, d := range documents {
		signed, err := signature(key, d.data, at)
		if err != nil {
			return nil, err
		}
		all = append(all, d, file{d.name + ".sig", signed})
	}
	return all, nil
}
