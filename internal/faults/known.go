package main

import "regexp"

// knownFailure names cells by a regular expression that do not hold yet, and says why.
type knownFailure struct{ cells, reason string }

// knownFailures are those that are being worked on. The list is to become empty.
func knownFailures() []knownFailure {
	return []knownFailure{
		{`^status: 2.*, an error × |^shape: |^item: `, "answers of another shape than the documented one are taken for rows"},
		{`^status line: "HTTP/1.1 (000|099|0|\+20) `, "statuses below 200 are taken for success"},
		{`^interim: 101`, "a protocol that is switched to is waited for"},
		{`^not found: `, "every 404 is taken for a resource that does not exist"},
		{`^page: `, "lists end where they should not, or do not end"},
		{`^value: .* in capitals|^value: the text (has|is) |^value: the list twice|^value: a key twice|^value: the number is true`, "keys and texts are not decoded as the official SDK does"},
		{`^passing: 400`, "transient errors with status 400 are not repeated"},
		{`× pipeline: the account$`, "a run that does not find its workspaces leaves its tables clean"},
	}
}

// isKnown reports whether the failure of a cell is known.
func isKnown(c cell) bool {
	for _, k := range knownFailures() {
		if regexp.MustCompile(k.cells).MatchString(c.name()) {
			return k.reason != ""
		}
	}
	return false
}
