package report

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/lakeql/lakeql/internal/loopback"
	"github.com/lakeql/lakeql/provider"
)

// Server shows the report of a store as it is now, with the rows behind it. It answers GET and HEAD, and writes
// nothing into the store.
type Server struct {
	source   Source
	options  Options
	password provider.Secret // empty: nobody is asked for one
	pages    *pages
	mux      *http.ServeMux
	guarded  http.Handler
}

// readTime bounds how long a page may take to read the store.
const readTime = 30 * time.Second

// NewServer makes a server. If password is not empty, clients log in with it, under any name (HTTP Basic).
func NewServer(source Source, o Options, password provider.Secret) (*Server, error) {
	p, err := parsePages()
	if err != nil {
		return nil, err
	}
	s := &Server{source: source, options: o, password: password, pages: p, mux: http.NewServeMux()}
	for path, draw := range map[string]func(context.Context, *http.Request) (name string, data framed, err error){
		"/{$}":                    s.report,
		"/tables/{table}":         s.rows,
		"/tables/{table}/history": s.history,
		"/workspaces/{workspace}": s.workspace,
	} {
		s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, draw) })
	}
	s.guarded = loopback.Guard(http.HandlerFunc(s.serve))
	return s, nil
}

// ServeHTTP answers a request; see [loopback.Guard].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.guarded.ServeHTTP(w, r) }

// serve answers a request to this server by its own name, if it has the password.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", s.pages.policy+"; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if !s.knows(r) {
		h.Set("WWW-Authenticate", `Basic realm="lakeql report", charset="UTF-8"`)
		http.Error(w, "this report needs a password", http.StatusUnauthorized)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// knows reports whether a request has the password.
func (s *Server) knows(r *http.Request) bool {
	if s.password == "" {
		return true
	}
	_, given, _ := r.BasicAuth()
	is, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.password.Reveal()))
	return subtle.ConstantTimeCompare(is[:], want[:]) == 1
}

// framed is a page.
type framed interface{ in() *frame }

func (f *frame) in() *frame { return f }

// problem is the page of an error.
type problem struct {
	frame

	Message, Hint string
}

// answer draws a page, or why there is none.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, draw func(context.Context, *http.Request) (string, framed, error)) {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	name, data, err := draw(ctx, r)
	status := http.StatusOK
	if err != nil {
		status = http.StatusInternalServerError
		switch {
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			status = http.StatusGatewayTimeout
		case provider.CodeOf(err) == provider.Unknown:
			status = http.StatusNotFound
		case provider.CodeOf(err) == provider.Usage:
			status = http.StatusBadRequest
		}
		t := text{s.options.LooksSecret}
		name, data = "problem.html", &problem{frame{Title: http.StatusText(status)}, t.short(err.Error(), longestError), t.short(provider.HintOf(err), longestError)}
	}
	f := data.in()
	f.Live, f.Style = true, s.pages.style
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = s.pages.write(w, name, data) // who asked may be gone
}

func (s *Server) report(ctx context.Context, _ *http.Request) (string, framed, error) {
	p, err := drawPage(ctx, s.source, s.options, true)
	return "report.html", p, err
}

// address is the path of a page and its query.
func address(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

func tablePath(name string) string     { return "/tables/" + url.PathEscape(name) }
func workspacePath(name string) string { return "/workspaces/" + url.PathEscape(name) }
