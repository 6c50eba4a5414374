package emulator

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	metadataPath  = "/.well-known/databricks-config"
	discoveryPath = "/oidc/.well-known/oauth-authorization-server"
	tokenPath     = "/oidc/v1/token" //nolint:gosec // a path
	allAPIs       = "all-apis"       // the one scope that clients ask for
)

// public gives what serves a path that is outside the API and needs no token.
func (e *Emulator) public(path string) (func(*exchange) (any, error), bool) {
	switch path {
	case metadataPath:
		return only(http.MethodGet, e.hostMetadata), true
	case discoveryPath:
		return only(http.MethodGet, e.discovery), true
	case tokenPath:
		return only(http.MethodPost, e.issueToken), true
	}
	return nil, false
}

func only(verb string, serve func(*exchange) (any, error)) func(*exchange) (any, error) {
	return func(x *exchange) (any, error) {
		if x.request.Method != verb {
			e := newError(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "%s takes %s only.", x.path, verb)
			e.header = http.Header{"Allow": {verb}}
			return nil, e
		}
		return serve(x)
	}
}

// hostMetadata says what kind of host this is, which SDKs ask before anything else.
func (e *Emulator) hostMetadata(x *exchange) (any, error) {
	base := baseURL(x.request)
	co := company{seed: e.opts.Seed, workspace: x.deployment}
	return map[string]any{
		"oidc_endpoint": base + "/oidc",
		"account_id":    co.accountID(),
		"workspace_id":  strconv.FormatUint(co.workspaceID(), 10),
		"cloud":         "AWS",
		"host_type":     "workspace",
		"token_federation_default_oidc_audiences": []string{base + tokenPath},
	}, nil
}

// discovery is the authorization server's metadata (RFC 8414 §2).
func (e *Emulator) discovery(x *exchange) (any, error) {
	base := baseURL(x.request)
	return map[string]any{
		"issuer":                                base + "/oidc",
		"authorization_endpoint":                base + "/oidc/v1/authorize",
		"token_endpoint":                        base + tokenPath,
		"grant_types_supported":                 []string{"client_credentials"},
		"response_types_supported":              []string{"code"},
		"scopes_supported":                      []string{allAPIs},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	}, nil
}

// issueToken carries out the client credentials grant (RFC 6749 §4.4).
func (e *Emulator) issueToken(x *exchange) (any, error) {
	form, err := tokenForm(x)
	if err != nil {
		return oauthError(http.StatusBadRequest, "invalid_request", err.Error()), nil
	}
	id, secret, ok := clientOf(x.request, form)
	if !ok || !same(id, e.opts.ClientID) || !same(secret, e.opts.ClientSecret) {
		a := oauthError(http.StatusUnauthorized, "invalid_client", "Client authentication failed.")
		a.header.Set("Www-Authenticate", `Basic realm="Databricks"`)
		return a, nil
	}
	if grant := form.Get("grant_type"); grant != "client_credentials" {
		return oauthError(http.StatusBadRequest, "unsupported_grant_type", "The grant type must be client_credentials."), nil
	}
	if scope := form.Get("scope"); scope != allAPIs {
		return oauthError(http.StatusBadRequest, "invalid_scope", "The scope must be "+allAPIs+"."), nil
	}
	token, _ := e.access.keys.sign(typeAccess, tokenClaims{
		Issuer: baseURL(x.request) + "/oidc", Subject: id, Audience: x.deployment, Scope: allAPIs,
	}, e.opts.Clock())
	return &answer{
		status: http.StatusOK,
		header: http.Header{"Cache-Control": {"no-store"}},
		body: encode(map[string]any{
			"access_token": token, "token_type": "Bearer", "scope": allAPIs, "expires_in": int(tokenLifetime.Seconds()),
		}),
	}, nil
}

func tokenForm(x *exchange) (url.Values, error) {
	media, _, err := mime.ParseMediaType(x.request.Header.Get("Content-Type"))
	if err != nil || media != formMedia {
		return nil, newError(http.StatusBadRequest, "invalid_request", "The body must be %s.", formMedia)
	}
	return url.ParseQuery(string(x.body))
}

const formMedia = "application/x-www-form-urlencoded"

// clientOf reads the client's name and secret from a Basic header, in which both are form-encoded
// (RFC 6749 §2.3.1), or from the form. Both at once are refused, as the section demands.
func clientOf(r *http.Request, form url.Values) (id, secret string, ok bool) {
	user, password, basic := r.BasicAuth()
	if !basic {
		return form.Get("client_id"), form.Get("client_secret"), form.Has("client_id")
	}
	if form.Has("client_secret") {
		return "", "", false
	}
	id, idErr := url.QueryUnescape(user)
	secret, secretErr := url.QueryUnescape(password)
	return id, secret, idErr == nil && secretErr == nil
}

// oauthError is an error as OAuth words it (RFC 6749 §5.2), which is not how the API does.
func oauthError(status int, code, description string) *answer {
	return &answer{
		status: status,
		header: http.Header{"Cache-Control": {"no-store"}},
		body:   encode(map[string]string{"error": code, "error_description": strings.TrimSpace(description)}),
	}
}
