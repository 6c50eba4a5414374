package emulator

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

const (
	oidcRoot      = "/oidc"
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
	case e.accountOIDC() + strings.TrimPrefix(discoveryPath, oidcRoot):
		return only(http.MethodGet, e.discovery), true
	case e.accountOIDC() + strings.TrimPrefix(tokenPath, oidcRoot):
		return only(http.MethodPost, e.issueToken), true
	}
	return nil, false
}

// accountOIDC is where the account's authorization server is, at any host.
func (e *Emulator) accountOIDC() string { return oidcRoot + "/accounts/" + e.opts.AccountID }

// oidc is the root of the authorization server that a request is for, and the audience of its
// tokens: a deployment, or the account.
func (e *Emulator) oidc(x *exchange) (root, audience string) {
	base := baseURL(x.request)
	if x.deployment == accountsName || strings.HasPrefix(x.path, e.accountOIDC()+"/") {
		return base + e.accountOIDC(), accountsName
	}
	return base + oidcRoot, x.deployment
}

func only(verb string, serve func(*exchange) (any, error)) func(*exchange) (any, error) {
	return func(x *exchange) (any, error) {
		if x.request.Method != verb {
			e := apierror.New(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "%s takes %s only.", x.path, verb)
			e.Header = http.Header{"Allow": {verb}}
			return nil, e
		}
		return serve(x)
	}
}

// hostMetadata says what kind of host this is, which SDKs ask before anything else.
func (e *Emulator) hostMetadata(x *exchange) (any, error) {
	root, audience := e.oidc(x)
	about := map[string]any{
		"oidc_endpoint": root,
		"account_id":    e.opts.AccountID,
		"cloud":         "AWS",
		"host_type":     "account",
		"token_federation_default_oidc_audiences": []string{root + strings.TrimPrefix(tokenPath, oidcRoot)},
	}
	if audience != accountsName {
		co := company.Company{Seed: e.opts.Seed, Workspace: x.deployment}
		about["host_type"], about["workspace_id"] = "workspace", strconv.FormatUint(co.WorkspaceID(), 10)
	}
	return about, nil
}

// discovery is the authorization server's metadata (RFC 8414 §2).
func (e *Emulator) discovery(x *exchange) (any, error) {
	root, _ := e.oidc(x)
	return map[string]any{
		"issuer":                                root,
		"authorization_endpoint":                root + "/v1/authorize",
		"token_endpoint":                        root + strings.TrimPrefix(tokenPath, oidcRoot),
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
	root, audience := e.oidc(x)
	token, _ := e.access.keys.sign(typeAccess, tokenClaims{
		Issuer: root, Subject: id, Audience: audience, Scope: allAPIs,
	}, e.opts.Clock())
	return &answer{
		status: http.StatusOK,
		header: http.Header{"Cache-Control": {"no-store"}},
		body: resource.JSON(map[string]any{
			"access_token": token, "token_type": "Bearer", "scope": allAPIs, "expires_in": int(tokenLifetime.Seconds()),
		}),
	}, nil
}

func tokenForm(x *exchange) (url.Values, error) {
	media, _, err := mime.ParseMediaType(x.request.Header.Get("Content-Type"))
	if err != nil || media != formMedia {
		return nil, apierror.New(http.StatusBadRequest, "invalid_request", "The body must be %s.", formMedia)
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
		body:   resource.JSON(map[string]string{"error": code, "error_description": strings.TrimSpace(description)}),
	}
}
