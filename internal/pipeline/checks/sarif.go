package checks

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// mostSARIF is how many failing rows of a check are results: GitHub takes 25,000 of a run, and shows 5,000.
const mostSARIF = 500

// The parts of SARIF 2.1.0 (OASIS) that a report has: a rule for each check, and a result for each failing
// row. A check that could not be decided is a result of the kind open (§3.27.9). One whose query failed is a
// notification of the invocation.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
		ColumnKind  string            `json:"columnKind"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID            string         `json:"id"`
		Short         sarifText      `json:"shortDescription"`
		HelpURI       string         `json:"helpUri,omitempty"`
		Configuration sarifLevel     `json:"defaultConfiguration"`
		Properties    map[string]any `json:"properties,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		EndTime       string              `json:"endTimeUtc"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string          `json:"level"`
		Message sarifText       `json:"message"`
		Rule    sarifReference  `json:"associatedRule"`
		Places  []sarifLocation `json:"locations"`
	}
	sarifReference struct {
		ID    string `json:"id"`
		Index int    `json:"index"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Kind         string            `json:"kind"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints,omitempty"`
		Properties   map[string]any    `json:"properties,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

// sarifLevels are the levels of failing rows (§3.27.10), and GitHub's numbers for severities of security.
func sarifLevels(s Severity) (level, security string) {
	switch s {
	case Info:
		return "note", "2.0"
	case Warning:
		return "warning", "5.0"
	case Error:
		return "error", "7.5"
	case Critical:
		return "error", "9.5"
	case Never:
	}
	return "none", ""
}

func (r *Report) writeSARIF(w io.Writer) error {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "lakeql", Version: r.Version, InformationURI: "https://github.com/lakeql/lakeql", Rules: []sarifRule{}}},
		Results:    []sarifResult{},
		ColumnKind: "unicodeCodePoints",
	}
	invocation := sarifInvocation{Successful: true, EndTime: r.At.UTC().Format(time.RFC3339)}
	for i, result := range r.Results {
		c := result.Check
		level, security := sarifLevels(c.Severity)
		rule := sarifRule{ID: c.Name, Short: sarifText{c.title()}, HelpURI: c.Docs, Configuration: sarifLevel{level}, Properties: map[string]any{"severity": c.Severity}}
		if c.Owner != "" {
			rule.Properties["owner"] = c.Owner
		}
		if c.Control != "" {
			rule.Properties["control"], rule.Properties["security-severity"], rule.Properties["tags"] = c.Control, security, []string{"security", c.Control}
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
		place := []sarifLocation{{sarifPhysical{sarifArtifact{(&url.URL{Path: r.Place(c)}).EscapedPath()}, sarifRegion{result.line()}}}}
		add := func(kind, level, text, fingerprint string, properties map[string]any) {
			found := sarifResult{RuleID: c.Name, RuleIndex: i, Kind: kind, Level: level, Message: sarifText{sarifMessage(text)}, Locations: place, Properties: properties}
			if fingerprint != "" {
				found.Fingerprints = map[string]string{"rowKey/v1": fingerprint}
			}
			run.Results = append(run.Results, found)
		}
		switch result.Outcome {
		case Pass:
			add("pass", "none", "The check passes.", "", nil)
		case Fail:
			for j, row := range result.Rows {
				if j == mostSARIF {
					break
				}
				text := row.Message
				if c.Expect.Number() {
					text = result.Summary()
				}
				add("fail", level, text, row.Key, map[string]any{"row": row.Values})
			}
			if n := len(result.Rows) - mostSARIF; n > 0 || result.More {
				add("fail", level, fmt.Sprintf("and %s more rows", result.count(max(n, 0))), "more", nil)
			}
		case Unknown:
			add("open", "none", result.Summary(), "", nil)
		case Broken:
			invocation.Successful = false
			invocation.Notifications = append(invocation.Notifications, sarifNotification{"error", sarifText{sarifMessage(result.Summary())}, sarifReference{c.Name, i}, place})
		}
	}
	run.Invocations = []sarifInvocation{invocation}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// title is what a check is about, in words.
func (c *Check) title() string {
	if c.Description != "" {
		return c.Description
	}
	return c.Name
}

// special matches what a message has besides plain text: [text](1) is a link, and {0} an argument (§3.11.5, §3.11.6).
var special = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\]\(|\{\d+\}|\{\{|\}\}`)
})

// sarifMessage escapes a text as a message. It leaves a text alone that is not ambiguous, because not every
// reader takes the escapes back.
func sarifMessage(text string) string {
	if !special().MatchString(text) {
		return cmp.Or(text, "(no message)")
	}
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}").Replace(text)
}
