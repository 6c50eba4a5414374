// Package loopback guards HTTP servers that listen on this machine's own addresses.
package loopback

import (
	"net"
	"net/http"
	"strings"
)

// Guard refuses requests to a loopback address under another name with 403: a page of somebody else may have
// its name lead here (DNS rebinding).
func Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if !ok || isLoopback(local.String()) && !isLoopback(r.Host) {
			http.Error(w, "this server is not called by that name", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether an address, with or without a port, is this machine's own.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
