// Package auth decides which credential may go to which host.
//
// A [Host] is made only by [ParseHost], which takes deployment names and nothing that could lead
// elsewhere. A [Chain] finds the credential for a host by the rules of the official SDKs (package
// unified), with one rule more: a credential that was configured together with a host is never sent
// to another.
package auth

import (
	"net"
	"net/url"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Host is the address of a server of the API: scheme, host and port. The zero value is no host.
type Host struct {
	scheme  string
	address string // host[:port], lower case
	// name is the value of the Host header if it differs from address. All workspaces of an emulator
	// have the same address, so the name selects one.
	name string
}

// String returns the host's URL.
func (h Host) String() string { return h.scheme + "://" + h.address }

// domains are those under which Databricks serves workspaces.
func domains() []string {
	return []string{
		".cloud.databricks.com",
		".cloud.databricks.us",
		".azuredatabricks.net",
		".databricks.azure.us",
		".databricks.azure.cn",
		".gcp.databricks.com",
	}
}

// isLabel reports whether a text is one label of a domain name: 1 to 63 letters, digits and hyphens, none
// of these at either end. Databricks' own are lower case, and so is every host that comes out of here.
func isLabel(text string) bool {
	const characters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	return text != "" && len(text) <= 63 && strings.Trim(text, characters) == "" && text[0] != '-' && text[len(text)-1] != '-'
}

// ParseHost reads a deployment name: one DNS label, which is a workspace on AWS
// (dbc-abcd0123-a1bc), or a full host under a domain of Databricks
// (adb-1234567890123456.7.azuredatabricks.net). Anything else is refused: whatever is called gets
// a credential, so a name must not be able to lead to a stranger's host.
func ParseHost(deployment string) (Host, error) {
	name := strings.ToLower(deployment)
	if len(name) != len(deployment) || len(name) > 253 {
		return Host{}, hostError(deployment)
	}
	if isLabel(name) {
		return Host{scheme: "https", address: name + ".cloud.databricks.com"}, nil
	}
	domain := domainOf(name)
	if domain == "" {
		return Host{}, hostError(deployment)
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(name, domain), ".") {
		if !isLabel(part) {
			return Host{}, hostError(deployment)
		}
	}
	return Host{scheme: "https", address: name}, nil
}

// domainOf returns the domain of Databricks that a host is under; empty for others.
func domainOf(host string) string {
	for _, domain := range domains() {
		if strings.HasSuffix(host, domain) && len(host) > len(domain) {
			return domain
		}
	}
	return ""
}

func hostError(deployment string) error {
	hint := "give the first part of the workspace's host, such as dbc-abcd0123-a1bc, or the whole host, such as adb-1234567890123456.7.azuredatabricks.net"
	if rest, ok := strings.CutPrefix(strings.ToLower(deployment), "https://"); ok {
		if _, err := ParseHost(strings.TrimRight(rest, "/")); err == nil {
			hint = "leave out https:// and what follows the host"
		}
	}
	return provider.Usagef("deployment_name: %s is neither one DNS label nor a host under a domain of Databricks", provider.Quote(deployment)).
		In("deployment_name").
		Hintf("%s", hint)
}

// parseConfigured reads a host that the user configured by a flag, an environment variable or a profile.
// Any https host is valid, because a workspace may have a custom domain. Plain http is valid only for
// this machine.
func parseConfigured(text string) (Host, error) {
	given := text
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if strings.Contains(given, "@") { // what stands before it may be a password
		given = "****@" + given[strings.LastIndexByte(given, '@')+1:]
	}
	if err != nil || u.Hostname() == "" || u.User != nil {
		return Host{}, configError(given, "is not a host")
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && (isLoopback(u.Hostname()) || isUnderLocalhost(u.Hostname())):
	case u.Scheme == "http":
		return Host{}, configError(given, "would send the credential unencrypted: plain http is for this machine only")
	default:
		return Host{}, configError(given, "is not an https URL")
	}
	host := Host{scheme: u.Scheme, address: strings.ToLower(u.Host)}
	usual := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	host.address = strings.TrimSuffix(strings.TrimSuffix(host.address, usual), ":")
	host.address = strings.TrimSuffix(host.address, ".") // of the root of all domains
	if u.Scheme == "http" && isUnderLocalhost(u.Hostname()) {
		host.name, host.address = host.address, localAddress(u)
	}
	return host, nil
}

func configError(host, why string) error {
	return provider.Usagef("the configured host %s %s", provider.Quote(host), why).
		Hintf("set --host, DATABRICKS_HOST or the profile's host to https://<workspace host>")
}

// isLoopback reports whether a host name means this machine without asking a name server.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// isUnderLocalhost reports whether a host is a name under localhost, such as dbc-1.localhost. Such
// names mean this machine (RFC 6761 §6.3), but not every name server knows that: what is called is
// localhost, and the name goes into the Host header.
func isUnderLocalhost(host string) bool {
	name, ok := strings.CutSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".localhost")
	return ok && name != ""
}

// localAddress is the address of localhost with a URL's port.
func localAddress(u *url.URL) string {
	if port := u.Port(); port != "" && port != "80" {
		return net.JoinHostPort("localhost", port)
	}
	return "localhost"
}

// server is the host without the name that selects one of its workspaces. Credentials belong to it.
func (h Host) server() Host {
	h.name = ""
	return h
}

// hostname is the host without its port.
func (h Host) hostname() string {
	u := url.URL{Host: h.address}
	return u.Hostname()
}

// firstLabel is the part of the host that serves as deployment name.
func (h Host) firstLabel() string {
	first, _, _ := strings.Cut(h.hostname(), ".")
	return first
}

// workspaceAt returns the host of a workspace of an emulator on this machine.
func (h Host) workspaceAt(deployment string) Host {
	h.name = deployment + ".localhost"
	if u := (&url.URL{Host: h.address}); u.Port() != "" {
		h.name = net.JoinHostPort(h.name, u.Port())
	}
	return h
}

// isAccount reports whether the host is an account console, which is no workspace.
func (h Host) isAccount() bool {
	return h.firstLabel() == "accounts" || h.firstLabel() == "accounts-dod"
}
