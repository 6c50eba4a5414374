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

// oauthServer answers at the paths outside the API, which need no token: about the host, and as the
// authorization servers of the workspaces and of the account.
type oauthServer struct {
	opts *Options
	keys *keys
}

// public returns the function that serves a path outside the API.
func (o *oauthServer) public(path string) (func(*exchange) (any, error), bool) {
	switch path {
	case metadataPath:
		return only(http.MethodGet, o.hostMetadata), true
	case discoveryPath:
		return only(http.MethodGet, o.discovery), true
	case tokenPath:
		return only(http.MethodPost, o.issueToken), true
	case o.accountOIDC() + strings.TrimPrefix(discoveryPath, oidcRoot):
		return only(http.MethodGet, o.discovery), true
	case o.accountOIDC() + strings.TrimPrefix(tokenPath, oidcRoot):
		return only(http.MethodPost, o.issueToken), true
	}
	return nil, false
}

// accountOIDC is the path of the account's authorization server, at any host.
func (o *oauthServer) accountOIDC() string { return oidcRoot + "/accounts/" + o.opts.AccountID }

// oidc returns the root of the authorization server that a request is for, and the audience of its
// tokens: a deployment name, or the account's.
func (o *oauthServer) oidc(x *exchange) (root, audience string) {
	base := baseURL(x.request)
	if x.deployment == accountsName || strings.HasPrefix(x.path, o.accountOIDC()+"/") {
		return base + o.accountOIDC(), accountsName
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

// hostMetadata describes the host. SDKs read it before anything else.
func (o *oauthServer) hostMetadata(x *exchange) (any, error) {
	root, audience := o.oidc(x)
	about := map[string]any{
		"oidc_endpoint": root,
		"account_id":    o.opts.AccountID,
		"cloud":         "AWS",
		"host_type":     "account",
		"token_federation_default_oidc_audiences": []string{root + strings.TrimPrefix(tokenPath, oidcRoot)},
	}
	if audience != accountsName {
		co := company.Company{Seed: o.opts.Seed, Workspace: x.deployment}
		about["host_type"], about["workspace_id"] = "workspace", strconv.FormatUint(co.WorkspaceID(), 10)
	}
	return about, nil
}

// discovery is the authorization server's metadata (RFC 8414 §2).
func (o *oauthServer) discovery(x *exchange) (any, error) {
	root, _ := o.oidc(x)
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
func (o *oauthServer) issueToken(x *exchange) (any, error) {
	form, err := tokenForm(x)
	if err != nil {
		return oauthError(http.StatusBadRequest, "invalid_request", err.Error()), nil
	}
	id, secret, ok := clientOf(x.request, form)
	if !ok || !same(id, o.opts.ClientID) || !same(secret, o.opts.ClientSecret) {
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
	root, audience := o.oidc(x)
	token, _ := o.keys.sign(typeAccess, tokenClaims{
		Issuer: root, Subject: id, Audience: audience, Scope: allAPIs,
	}, o.opts.Clock(), tokenLifetime)
	return &response{
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
// (RFC 6749 §2.3.1), or from the form. It refuses both at once, as the section demands.
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

// oauthError is an error in the form of OAuth (RFC 6749 §5.2), which is not the API's.
func oauthError(status int, code, description string) *response {
	return &response{
		status: status,
		header: http.Header{"Cache-Control": {"no-store"}},
		body:   resource.JSON(map[string]string{"error": code, "error_description": strings.TrimSpace(description)}),
	}
}
