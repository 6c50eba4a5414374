// Package checks knows what a pipeline's checks mean. A check is a query over the tables of a store that
// must return no row, or one number within bounds.
//
// A [Check] is read from an SQL file ([Parse]). [Check.Evaluate] runs its query, and returns a [Result].
// A [State] is the outcome of a check as the store keeps it; [Compare] says how a result differs from it.
// The result of all checks of a pipeline is a [Report], which is written for people and for CI: junit.go,
// sarif.go, github.go, json.go.
package checks

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/pipeline/sqlfile"
	"github.com/lakeql/lakeql/provider"
)

// Check is one SQL file: a query, and the settings in the comment above it.
type Check struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Severity    Severity `json:"severity"`
	// Message is the template of the line about a failing row. {{ column }} is a value of the row. Empty:
	// the columns and their values.
	Message string `json:"message,omitempty"`
	Owner   string `json:"owner,omitempty"` // who is to act
	Control string `json:"control,omitempty"`
	Docs    string `json:"docs,omitempty"` // URL
	// Key are the columns that tell failing rows apart; empty: all columns.
	Key    []string    `json:"key,omitempty"`
	Expect Expectation `json:"expect"`
	Query  string      `json:"query"`

	// Lines is the number of lines above the query in its file.
	Lines int `json:"lines,omitempty"`
	// File is the name of the file, relative to the folder of the pipeline; empty: the check comes from a store.
	File string `json:"-"`
}

// Severity says how bad it is if a check fails.
type Severity string

// The severities, from the least.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Error    Severity = "error"
	Critical Severity = "critical"
)

// Severities lists them, from the least.
func Severities() []Severity { return []Severity{Info, Warning, Error, Critical} }

// ParseSeverity reads a severity.
func ParseSeverity(text string) (Severity, error) {
	if !slices.Contains(Severities(), Severity(text)) {
		return "", provider.Usagef("%s is none of info, warning, error and critical", provider.Quote(text))
	}
	return Severity(text), nil
}

// AtLeast reports whether a severity is as bad as another one, or worse.
func (s Severity) AtLeast(other Severity) bool {
	return slices.Index(Severities(), s) >= slices.Index(Severities(), other)
}

// names matches valid names of checks.
var names = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z][a-z0-9_]{0,60}$`)
})

// Parse reads an SQL file. name is that of the file without .sql: the name of the check, unless the file
// sets another one.
func Parse(name, text string) (*Check, error) {
	file, err := sqlfile.Parse(text)
	if err != nil {
		return nil, err
	}
	c := &Check{Name: name, Severity: Error, Query: file.Query, Lines: file.Lines}
	for _, s := range file.Settings {
		if err := c.set(s.Name, s.Value); err != nil {
			return nil, sqlfile.AtLine(s.Line, provider.Usagef("%s", err.Error()).Hintf("%s", provider.HintOf(err)))
		}
	}
	if err := c.Valid(); err != nil {
		return nil, err
	}
	return c, nil
}

// settings lists the settings of a check's file.
func settings() []string {
	return []string{"name", "description", "severity", "message", "owner", "expect", "control", "docs", "key"}
}

// set takes in a line of the comment.
func (c *Check) set(name, value string) (err error) {
	if value == "" && slices.Contains(settings(), name) {
		return fmt.Errorf("%s has no value", name)
	}
	switch name {
	case "name":
		c.Name = value
	case "description":
		c.Description = value
	case "severity":
		c.Severity, err = ParseSeverity(value)
	case "message":
		c.Message = value
	case "owner":
		c.Owner = value
	case "control":
		c.Control = value
	case "docs":
		c.Docs = value
	case "expect":
		c.Expect, err = ParseExpectation(value)
	case "key":
		c.Key, err = sqlfile.AppendKey(c.Key, value)
	default:
		return fmt.Errorf("%s is not known here: %s are", provider.Quote(name), strings.Join(settings(), ", "))
	}
	return err
}

// Valid reports what is wrong with the settings of a check.
func (c *Check) Valid() error {
	switch docs, err := url.Parse(c.Docs); {
	case !names().MatchString(c.Name):
		return provider.Usagef("%s cannot be the name of a check: a small letter, then up to 60 small letters, digits and _", provider.Quote(c.Name)).
			Hintf("name the file so, or the check: -- name: tokens_without_end")
	case !slices.Contains(Severities(), c.Severity):
		return provider.Usagef("severity: %s is none of info, warning, error and critical", provider.Quote(string(c.Severity)))
	case c.Docs != "" && (err != nil || docs.Scheme != "https" && docs.Scheme != "http" || docs.Host == ""):
		return provider.Usagef("docs: %s is not the URL of a page: https://…", provider.Quote(c.Docs))
	case strings.TrimSpace(c.Query) == "":
		return provider.Usagef("it has no query")
	}
	return nil
}

// Shift moves the place of an error in the query to its place in the file.
func (c *Check) Shift(err error) error { return sqlfile.Shift(err, c.Lines) }
