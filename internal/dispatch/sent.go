package dispatch

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// sent are the credentials that a client has sent. A server may repeat any of them: in an error, a
// header, a redirect.
type sent struct {
	mu    sync.Mutex
	known map[string]bool
	mask  *provider.Mask // of all that are known; nil after a new one came
}

// mostSent bounds the credentials that are remembered. Tokens change about once an hour.
const mostSent = 10_000

// add remembers credentials.
func (s *sent) add(credentials ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, credential := range credentials {
		if credential == "" || s.known[credential] {
			continue
		}
		if s.known == nil || len(s.known) >= mostSent {
			s.known = map[string]bool{}
		}
		s.known[credential], s.mask = true, nil
	}
}

// hide returns the mask of all credentials that were sent.
func (s *sent) hide() *provider.Mask {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mask == nil {
		all := make([]string, 0, len(s.known))
		for credential := range s.known {
			all = append(all, credential)
		}
		s.mask = provider.NewMask(all...)
	}
	return s.mask
}

// keeper is an [Authorizer] that lists the secrets from which it makes credentials, such as a client
// secret.
type keeper interface{ Secrets() []string }

// remember records the credentials of a signed request: the headers that signing added, and the secrets
// of the authorizer.
func (c *Client) remember(r *http.Request, unsigned http.Header) {
	for name, values := range r.Header {
		if _, given := unsigned[name]; given || !NamesSecret(name) {
			continue
		}
		for _, value := range values {
			c.sent.add(credentialsOf(value)...)
		}
	}
	if k, ok := c.Authorizer.(keeper); ok {
		c.sent.add(k.Secrets()...)
	}
}

// credentialsOf returns the credentials in the value of a header: a token, or a user's password, with
// and without its encoding.
func credentialsOf(value string) []string {
	scheme, token, ok := strings.Cut(value, " ")
	if !ok {
		return []string{value}
	}
	found := []string{token}
	if strings.EqualFold(scheme, "Basic") {
		if decoded, err := base64.StdEncoding.DecodeString(token); err == nil {
			_, password, _ := strings.Cut(string(decoded), ":")
			found = append(found, string(decoded), password)
		}
	}
	return found
}

// secrets returns the credentials among a request's own values: in its body and its parameters.
func (c *Client) secrets(req *Request) []string {
	m := req.call.Method
	var found []string
	for i := range m.Params {
		if p := &m.Params[i]; c.holdsSecret(m, p.Schema) {
			found = appendTexts(found, req.call.Args[p.Name])
		}
	}
	if !req.hasBody || m.Body == nil {
		return found
	}
	if !provider.IsJSON(m.Body.MediaType) {
		if c.holdsSecret(m, m.Body.Schema) {
			found = append(found, string(req.body))
		}
		return found
	}
	body, err := parse(string(req.body))
	if err != nil {
		return append(found, string(req.body))
	}
	masked, _, err := c.MaskWritten(m, m.Body.Schema, body)
	if err != nil {
		return append(found, string(req.body))
	}
	return appendMasked(found, body, masked)
}

// appendMasked appends the texts that are masked in a copy of a value.
func appendMasked(found []string, value, masked any) []string {
	switch masked := masked.(type) {
	case provider.Secret:
		return appendTexts(found, value)
	case []any:
		if value, ok := value.([]any); ok && len(value) == len(masked) {
			for i := range value {
				found = appendMasked(found, value[i], masked[i])
			}
		}
	case map[string]any:
		if value, ok := value.(map[string]any); ok {
			for name := range value {
				found = appendMasked(found, value[name], masked[name])
			}
		}
	}
	return found
}

// appendTexts appends all texts and numbers in a value.
func appendTexts(found []string, value any) []string {
	switch value := value.(type) {
	case nil, bool:
		return found
	case []any:
		for _, item := range value {
			found = appendTexts(found, item)
		}
		return found
	case map[string]any:
		for _, item := range value {
			found = appendTexts(found, item)
		}
		return found
	}
	return append(found, plain(value))
}

// hidden masks the credentials of this request, and of all earlier ones, in an error.
func (c *Client) hidden(req *Request, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // the end itself, which repeats nothing
		return err
	}
	c.sent.add(c.secrets(req)...)
	return c.sent.hide().Error(err)
}
