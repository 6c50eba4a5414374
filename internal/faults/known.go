package main

import "regexp"

// knownFailure names cells by a regular expression that do not hold yet, and says why.
type knownFailure struct{ cells, reason string }

// knownFailures are those that are being worked on. The list is to become empty.
func knownFailures() []knownFailure {
	return []knownFailure{
		{`^not found: .* × inner list of a join$`, "a list of what belongs to a resource that does not exist is an error, so that a name that is misspelt is not an empty result"},
		{`^shape: a list of an object without attributes × '\*': the account$`, "a workspace without a name is left to the statement, which names the workspaces"},
		{`^value: the (text|number) is true`, "a boolean where the document has a text or a number is kept as it is: the official SDK makes a text of the one and refuses the other"},
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
