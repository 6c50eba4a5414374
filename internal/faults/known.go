package main

import "regexp"

// knownFailure names cells by a regular expression that do not hold yet, and says why.
type knownFailure struct{ cells, reason string }

// knownFailures are those that are being worked on. The list is to become empty.
func knownFailures() []knownFailure {
	return []knownFailure{
		{`^not found: .* × inner list of a join$`, "a list of what belongs to a resource that does not exist is an error, so that a name that is misspelt is not an empty result"},
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
