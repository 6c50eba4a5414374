package emulator

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// access checks the credentials of requests.
type access struct {
	keys         *keys
	token        string
	clientID     string
	clientSecret string
	clock        func() time.Time
}

// newAccess sets the credentials that the options lack.
func newAccess(opts *Options) (*access, error) {
	k, err := newKeys()
	if err != nil {
		return nil, err
	}
	opts.Token = cmp.Or(opts.Token, "dapi"+randomHex())
	opts.ClientID = cmp.Or(opts.ClientID, resource.NewID())
	opts.ClientSecret = cmp.Or(opts.ClientSecret, "dose"+randomHex())
	return &access{
		keys: k, token: opts.Token, clientID: opts.ClientID, clientSecret: opts.ClientSecret, clock: opts.Clock,
	}, nil
}

// check returns the identity of a request's Authorization header. The personal access token is
// valid everywhere, an OAuth token only at the workspace or account that issued it.
func (a *access) check(r *http.Request, audience string) (subject string, err error) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", unauthenticated("The request has %d Authorization headers, and one of the form 'Bearer <token>' is needed.", len(values))
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", unauthenticated("The Authorization header is not of the form 'Bearer <token>'.")
	}
	if same(token, a.token) {
		return company.Owner().Email, nil
	}
	claims, err := a.keys.open(token, typeAccess, a.clock())
	switch {
	case errors.Is(err, ErrExpired):
		return "", unauthenticated("The access token has expired.")
	case err != nil:
		return "", unauthenticated("The access token is not valid here.")
	case claims.Audience != audience:
		return "", unauthenticated("The access token was issued by workspace %s and this is workspace %s.", claims.Audience, audience)
	}
	return claims.Subject, nil
}

func unauthenticated(format string, args ...any) error {
	e := apierror.New(http.StatusUnauthorized, "UNAUTHENTICATED", format, args...)
	e.Header = http.Header{"Www-Authenticate": {`Bearer realm="Databricks"`}}
	return e
}

// same compares secrets in a time that depends neither on where they differ nor on their lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func randomHex() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
