package auth

import (
	"fmt"
	"io"
	"net/http"

	"github.com/lakeql/lakeql/provider"
)

// maxTokenAnswer limits the size of a response to a token request, because the SDK reads it whole.
const maxTokenAnswer = 1 << 20

// guarded sends the login requests, which carry client secrets and assertions. Responses decide in part
// where these requests go (a discovery document, a redirect), so guarded applies the rules for configured
// hosts again: it follows no redirect, and sends no secret unencrypted.
type guarded struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper. A redirect is an error here, because there are two HTTP
// clients above, the SDK's and that of its OAuth library, and both would follow.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" && isUnderLocalhost(r.URL.Hostname()) {
		local := r.Clone(r.Context())
		local.Host, local.URL.Host = r.URL.Host, localAddress(r.URL)
		r = local
	}
	secret := r.Body != nil || r.Header.Get("Authorization") != ""
	if secret && r.URL.Scheme != "https" && !isLoopback(r.URL.Hostname()) {
		if r.Body != nil {
			_ = r.Body.Close() // nothing was read of it
		}
		return nil, fmt.Errorf("%s would get the credential unencrypted", provider.Quote(r.URL.Scheme+"://"+r.URL.Host))
	}
	resp, err := g.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 200 { // behind 101 the connection is no longer HTTP's, and a read from it hears no time limit
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%s answers with the status %03d", r.URL.Host, resp.StatusCode)
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%s redirects to %s, which is not followed", r.URL.Host, provider.Quote(resp.Header.Get("Location")))
	}
	resp.Body = limitedBody{io.LimitReader(resp.Body, maxTokenAnswer), resp.Body}
	return resp, nil
}

type limitedBody struct {
	io.Reader
	io.Closer
}
