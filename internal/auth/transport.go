package auth

import (
	"fmt"
	"io"
	"net/http"

	"github.com/lakeql/lakeql/provider"
)

// maxTokenAnswer bounds what is read of an answer about a token. The SDK reads it whole.
const maxTokenAnswer = 1 << 20

// guarded sends the requests that log in, which carry client secrets and assertions. Where they go
// is partly said by answers (a discovery document, a redirect), so what is true of hosts that are
// configured is checked here again: no stranger's host by redirect, nothing secret unencrypted.
type guarded struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := allowed(r); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // nothing was read of it
		}
		return nil, err
	}
	resp, err := g.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = limitedBody{io.LimitReader(resp.Body, maxTokenAnswer), resp.Body}
	return resp, nil
}

func allowed(r *http.Request) error {
	place := provider.Quote(r.URL.Scheme + "://" + r.URL.Host)
	switch secret := r.Body != nil || r.Header.Get("Authorization") != ""; {
	case r.Response != nil: // net/http sets it on a request that follows a redirect
		return fmt.Errorf("redirected to %s, which is not followed", place)
	case secret && r.URL.Scheme != "https" && !isLoopback(r.URL.Hostname()):
		return fmt.Errorf("%s would get the credential unencrypted", place)
	}
	return nil
}

type limitedBody struct {
	io.Reader
	io.Closer
}
