package main

import "regexp"

// knownFailure names cells by a regular expression that do not hold yet, and says why.
type knownFailure struct{ cells, reason string }

// knownFailures are those that are being worked on. The list is to become empty.
func knownFailures() []knownFailure {
	return []knownFailure{
		{`^not found: .* × inner list of a join$`, "a list of what belongs to a resource that does not exist is an error, so that a name that is misspelt is not an empty result"},
		{`^shape: a list of an object without attributes × '\*': the account$`, "a workspace without a name is left to the statement, which names the workspaces"},
		{`^page: the token is in another case`, "keys are not decoded as the official SDK does"},
		{`^value: .* in capitals|^value: the text (has|is) |^value: the list twice|^value: a key twice|^value: the number is true`, "keys and texts are not decoded as the official SDK does"},
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
