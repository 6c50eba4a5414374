package emulator

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/lakebase"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// tokenLifetime is how long access tokens are valid, and database credentials unless a request says
// otherwise.
const tokenLifetime = time.Hour

// The types of tokens in their headers. A token of one type is not valid as another.
const (
	typeAccess     = "at+jwt" // RFC 9068 §2.1
	typeCredential = "JWT"
)

// Errors of [Emulator.Verify].
var (
	ErrMalformedToken = errors.New("not a token of this kind")
	ErrSignature      = errors.New("the token's signature is not the emulator's")
	ErrExpired        = errors.New("the token has expired")
)

// Credential is the content of a database credential.
type Credential struct {
	Issuer   string // the workspace's address
	Subject  string // who asked for it
	Audience string // the host of the endpoint
	Endpoint string // projects/p/branches/b/endpoints/e
	Claims   []Claim
	IssuedAt time.Time
	Expires  time.Time
	ID       string
}

// Claim is a right that a credential is limited to.
type Claim = lakebase.Claim

// ClaimResource is the resource of a claim.
type ClaimResource = lakebase.ClaimResource

// Verify reads a database credential that the emulator signed and that has not expired. Its errors
// are [ErrMalformedToken], [ErrSignature] and [ErrExpired].
func (e *Emulator) Verify(token string) (*Credential, error) {
	c, err := e.access.keys.open(token, typeCredential, e.opts.Clock())
	if err != nil {
		return nil, err
	}
	return &Credential{
		Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience, Endpoint: c.Endpoint, Claims: c.Claims,
		IssuedAt: time.Unix(c.IssuedAt, 0), Expires: time.Unix(c.Expires, 0), ID: c.ID,
	}, nil
}

// tokenClaims are the claims of both types of token: those of RFC 7519 §4.1 and others.
type tokenClaims struct {
	Issuer   string  `json:"iss"`
	Subject  string  `json:"sub"`
	Audience string  `json:"aud"`
	Endpoint string  `json:"endpoint,omitempty"`
	Claims   []Claim `json:"claims,omitempty"`
	Scope    string  `json:"scope,omitempty"`
	IssuedAt int64   `json:"iat"`
	Expires  int64   `json:"exp"`
	ID       string  `json:"jti"`
}

// keys sign tokens with EdDSA (RFC 8037 §3.1). They live as long as the emulator.
type keys struct {
	public  ed25519.PublicKey
	private ed25519.PrivateKey
}

type tokenHeader struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
}

const algorithm = "EdDSA"

func newKeys() (*keys, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return &keys{public: public, private: private}, nil
}

// sign makes a token that is valid from now on. Its times are whole seconds.
func (k *keys) sign(kind string, c tokenClaims, now time.Time, lifetime time.Duration) (token string, expires time.Time) {
	expires = now.Add(lifetime).Truncate(time.Second)
	c.IssuedAt, c.Expires, c.ID = now.Unix(), expires.Unix(), resource.NewID()
	encoding := base64.RawURLEncoding
	signed := encoding.EncodeToString(resource.JSON(tokenHeader{Algorithm: algorithm, Type: kind})) + "." + encoding.EncodeToString(resource.JSON(c))
	return signed + "." + encoding.EncodeToString(ed25519.Sign(k.private, []byte(signed))), expires
}

// open reads a token of one type that is valid at a time.
func (k *keys) open(token, kind string, now time.Time) (*tokenClaims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, ErrMalformedToken
	}
	var raw [3][]byte
	for i, part := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			return nil, ErrMalformedToken
		}
		raw[i] = b
	}
	var header tokenHeader
	if json.Unmarshal(raw[0], &header) != nil || header != (tokenHeader{Algorithm: algorithm, Type: kind}) {
		return nil, ErrMalformedToken
	}
	if !ed25519.Verify(k.public, []byte(parts[0]+"."+parts[1]), raw[2]) {
		return nil, ErrSignature
	}
	var claims tokenClaims
	if json.Unmarshal(raw[1], &claims) != nil {
		return nil, ErrMalformedToken
	}
	if now.Unix() >= claims.Expires {
		return nil, ErrExpired
	}
	return &claims, nil
}
