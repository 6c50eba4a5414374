package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"aead.dev/minisign"
)

// signer signs by minisign.
type signer struct {
	secret minisign.PrivateKey
	public minisign.PublicKey
}

// readKey reads a file with a secret key. Without a file nothing is signed, and the signer is nil.
func readKey(file, password string) (*signer, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // said above
	}
	secret, err := minisign.PrivateKeyFromFile(password, file)
	if err != nil {
		return nil, fmt.Errorf("-key %s: %w (its password is read from MINISIGN_PASSWORD)", file, err)
	}
	public, ok := secret.Public().(minisign.PublicKey)
	if !ok {
		return nil, errors.New("the secret key has no public one")
	}
	return &signer{secret, public}, nil
}

// sums is the file with the sums of all others.
const sums = "SHA256SUMS"

// writeSums writes the sums of all files, and signs them.
func (r *release) writeSums(context.Context) error {
	entries, err := os.ReadDir(r.out) // sorted
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, entry := range entries {
		sum, err := sumOf(r.path(entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s  %s\n", sum, entry.Name())
	}
	if err := create(r.path(sums), func(w io.Writer) error { _, err := io.WriteString(w, text.String()); return err }); err != nil {
		return err
	}
	if r.signer == nil {
		return nil
	}
	reader := minisign.NewReader(strings.NewReader(text.String())) // the form with a hash, which all versions take
	if _, err := io.Copy(io.Discard, reader); err != nil {
		return err
	}
	// The comments are the same for the same commit. The first one is not signed; the other is.
	signature := reader.SignWithComments(r.signer.secret, fmt.Sprintf("lakeql %s of %s", r.version, r.date.Format("2006-01-02")), "the sums of lakeql "+r.version)
	return create(r.path(sums+".minisig"), func(w io.Writer) error { _, err := io.Copy(w, bytes.NewReader(signature)); return err })
}
