package notify

import (
	"cmp"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/provider"
)

// Target is an entry of notify in pipeline.yaml: where messages go, and which. It has one of Webhook, File and
// Command.
type Target struct {
	// Name identifies the target from run to run.
	Name string `json:"name" yaml:"name"`
	// Webhook is a URL, to which a message is posted. {{ env "LAKEQL_NOTIFY_…" }} is a variable of the
	// environment in it, so that the definition in the store has no secret.
	Webhook string `json:"webhook,omitempty" yaml:"webhook"`
	// Format is the form of the message to a webhook: generic (the default), slack, or teams.
	Format  string            `json:"format,omitempty" yaml:"format"`
	Headers map[string]string `json:"headers,omitempty" yaml:"headers"` // as Webhook
	// File is the file to which each message is added, as a line of JSON.
	File string `json:"file,omitempty" yaml:"file"`
	// Command is a program with its arguments. No shell reads them. The message is its standard input, as JSON.
	Command []string `json:"command,omitempty" yaml:"command"`
	// On are the occasions: checks (the default), changes.
	On []string `json:"on,omitempty" yaml:"-"`
	// Severity is the least one of checks; empty: info.
	Severity checks.Severity `json:"severity,omitempty" yaml:"severity"`
	// Tables are those whose changes are told.
	Tables []string `json:"tables,omitempty" yaml:"tables"`
}

// The kinds of targets.
const (
	Webhook = "webhook"
	File    = "file"
	Command = "command"
)

// Kinds lists the kinds of targets.
func Kinds() []string { return []string{Webhook, File, Command} }

// The occasions of messages.
const (
	OnChecks  = "checks"
	OnChanges = "changes"
)

// The forms of messages to webhooks.
const (
	generic = "generic"
	slack   = "slack"
	teams   = "teams"
)

// Kind returns the kind of the target.
func (t *Target) Kind() string {
	switch {
	case t.Webhook != "":
		return Webhook
	case t.File != "":
		return File
	}
	return Command
}

func (t *Target) wants(occasion string) bool {
	return slices.Contains(t.On, occasion) || len(t.On) == 0 && occasion == OnChecks
}

func (t *Target) severity() checks.Severity { return cmp.Or(t.Severity, checks.Info) }

// names matches valid names of targets.
var names = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_. -]{0,60}$`)
})

// Valid reports what is wrong with a target. No error shows the URL, which may hold a secret.
func (t *Target) Valid() error {
	kinds := 0
	for _, set := range []bool{t.Webhook != "", t.File != "", len(t.Command) > 0} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return provider.Usagef("an entry has one of webhook, file and command")
	case !names().MatchString(t.Name):
		return provider.Usagef("%s cannot be the name of an entry: letters, digits, blanks, and . _ -, up to 61", provider.Quote(t.Name))
	case len(t.Command) > 0 && t.Command[0] == "":
		return provider.Usagef("command: the program has no name")
	case t.Webhook == "" && (t.Format != "" || len(t.Headers) > 0):
		return provider.Usagef("format and headers belong to a webhook")
	case !slices.Contains([]string{"", generic, slack, teams}, t.Format):
		return provider.Usagef("format: %s is none of generic, slack and teams", provider.Quote(t.Format))
	case t.Severity != "" && !slices.Contains(checks.Severities(), t.Severity):
		return provider.Usagef("severity: %s is none of info, warning, error and critical", provider.Quote(string(t.Severity)))
	}
	for _, occasion := range t.On {
		if occasion != OnChecks && occasion != OnChanges {
			return provider.Usagef("on: %s is neither checks nor changes", provider.Quote(occasion))
		}
	}
	if t.wants(OnChanges) != (len(t.Tables) > 0) {
		return provider.Usagef("on: changes and tables belong together").
			Hintf("name the tables whose changes are told: on: changes, tables: [users, groups]")
	}
	if t.Webhook == "" {
		return nil
	}
	for _, text := range append([]string{t.Webhook}, values(t.Headers)...) {
		for _, name := range variables(text) {
			if !strings.HasPrefix(name, variablePrefix) {
				return provider.Usagef("the variable %s cannot be part of a notification: its name does not begin with %s", provider.Quote(name), variablePrefix).
					Hintf("so no definition in a store can send other secrets of a worker's environment away")
			}
		}
		if rest := placeholder().ReplaceAllString(text, ""); strings.Contains(rest, "{{") {
			return provider.Usagef(`a placeholder is not of the form {{ env "%sNAME" }}`, variablePrefix)
		}
	}
	if !strings.HasPrefix(strings.TrimSpace(t.Webhook), "{{") { // else the variable has the scheme and the host
		_, err := parseURL(placeholder().ReplaceAllString(t.Webhook, "x"))
		return err
	}
	return nil
}

func values(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// variablePrefix begins the names of the variables of the environment that notifications may have.
const variablePrefix = "LAKEQL_NOTIFY_"

// placeholder matches {{ env "NAME" }}.
var placeholder = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{\{\s*env\s+"([^"]*)"\s*\}\}`)
})

// variables lists the variables in a text.
func variables(text string) (all []string) {
	for _, match := range placeholder().FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	return all
}

// fill puts the variables of the environment into a text.
func fill(text string) (string, error) {
	var missing string
	filled := placeholder().ReplaceAllStringFunc(text, func(match string) string {
		name := placeholder().FindStringSubmatch(match)[1]
		value := os.Getenv(name)
		if value == "" || !strings.HasPrefix(name, variablePrefix) {
			missing = name
		}
		return value
	})
	if missing != "" {
		return "", provider.Usagef("the variable %s of the environment is not set", provider.Printable(missing))
	}
	return filled, nil
}

// parseURL reads the URL of a webhook. Its error does not show it.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, provider.Usagef("webhook: it is no URL of the form https://host/path")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, provider.Usagef("webhook: a URL without TLS, http://…, may lead to this machine only").
			Hintf("use https://")
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
