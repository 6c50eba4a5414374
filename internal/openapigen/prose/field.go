package prose

import (
	"slices"
	"strings"
)

// Field returns a phrase for the content of a field or parameter, from its name and its kind. A
// "boolean" becomes a question, a "time" a point in time; other kinds make no difference.
func Field(name, kind string) string {
	words := Words(name)
	if len(words) == 0 {
		return "Value."
	}
	if phrase := fixed(strings.Join(words, "_")); phrase != "" {
		return phrase
	}
	last := words[len(words)-1]
	switch {
	case kind == "boolean":
		return Sentence(question(words))
	case kind == "time", last == "at", last == "timestamp":
		return Sentence(moment(words))
	case len(words) > 1 && last == "by":
		return Sentence("who it was " + Spell(words[:len(words)-1]) + " by")
	case len(words) > 1 && last == "count":
		return Sentence("number of " + Spell(pluralPhrase(words[:len(words)-1])))
	case len(words) > 1 && words[0] == "num":
		return Sentence("number of " + Spell(words[1:]))
	case len(words) > 1 && last == "id":
		return Sentence(Spell(words[:len(words)-1]) + "'s id")
	case len(words) > 1 && last == "ids":
		return Sentence("ids of " + Spell(pluralPhrase(words[:len(words)-1])))
	case len(words) > 1 && last == "names":
		return Sentence("names of " + Spell(pluralPhrase(words[:len(words)-1])))
	}
	return Sentence(Spell(words))
}

// fixed are phrases for names that mean the same everywhere.
func fixed(name string) string {
	switch name {
	case "id":
		return "Its id."
	case "uid":
		return "The id that the system gave it."
	case "name":
		return "Its name."
	case "etag":
		return "Which version this is, to notice changes in between."
	case "page_token":
		return "Where to go on, as the page before said."
	case "next_page_token":
		return "Where the next page begins. Absent on the last."
	case "prev_page_token":
		return "Where the page before begins."
	case "page_size", "max_results", "limit", "count":
		return "How many items at most."
	case "offset", "start_index":
		return "How many items to skip first."
	case "create_time", "created_at", "creation_time", "creation_timestamp", "created_time", "created_timestamp":
		return "When it was created."
	case "update_time", "updated_at", "last_updated_timestamp", "last_updated_time", "updated_timestamp", "updated_time", "last_update_time":
		return "When it was last changed."
	case "delete_time", "deleted_at", "deletion_time":
		return "When it was deleted."
	case "expire_time", "expiration_time", "expiry_time", "expiration_timestamp", "expires_at":
		return "When it expires."
	case "start_time", "started_at", "start_time_ms":
		return "When it started."
	case "end_time", "ended_at", "end_time_ms", "finish_time":
		return "When it ended."
	case "created_by", "creator", "creator_name", "creator_user_name":
		return "Who created it."
	case "updated_by", "last_modified_by", "last_updated_by":
		return "Who last changed it."
	case "owner":
		return "Who owns it."
	case "filter", "filter_string":
		return "Which items are wanted."
	case "order_by", "sort_by":
		return "By what the items are ordered."
	case "update_mask":
		return "Which fields to change, separated by commas."
	case "comment", "description":
		return "What people wrote about it."
	case "full_name":
		return "Its name with those of what it is in."
	case "browse_only":
		return "Whether the caller sees no more than that it exists."
	}
	return ""
}

// moment returns the phrase for a point in time: event_time is "Time of event.", without a guess about
// the event.
func moment(words []string) string {
	what := words
	switch words[len(words)-1] {
	case "time", "at", "timestamp", "date", "ts", "ms":
		what = words[:len(words)-1]
	}
	if len(what) > 1 && (what[len(what)-1] == "time" || what[len(what)-1] == "timestamp") {
		what = what[:len(what)-1]
	}
	if len(what) == 0 {
		return "the time"
	}
	return "time of " + Spell(what)
}

// question words a boolean.
func question(words []string) string {
	last := words[len(words)-1]
	switch first := words[0]; {
	case first == "is" && len(words) > 1:
		return "whether it is " + Spell(words[1:])
	case first == "has" && len(words) > 1:
		return "whether it has " + Spell(words[1:])
	case first == "can" && len(words) > 1:
		return "whether it can " + Spell(words[1:])
	case first == "no" && len(words) > 1:
		return "whether there is no " + Spell(words[1:])
	case first == "enable" && len(words) > 1:
		return "whether " + Spell(words[1:]) + be(words) + "on"
	case first == "disable" && len(words) > 1:
		return "whether " + Spell(words[1:]) + be(words) + "off"
	case isAction(first) && len(words) > 1:
		return "whether to " + Spell(words)
	case len(words) == 1 && (strings.HasSuffix(first, "ed") || adjective(first)):
		return "whether it is " + Spell(words)
	case len(words) > 1 && (strings.HasSuffix(last, "ed") || adjective(last)):
		return "whether " + Spell(words[:len(words)-1]) + be(words[:len(words)-1]) + Spell(words[len(words)-1:])
	}
	return "whether " + Spell(words) + " applies"
}

// be returns the form of "to be" for a subject.
func be(subject []string) string {
	if last := subject[len(subject)-1]; IsPlural(last) || uncountable(last) && strings.HasSuffix(last, "s") && last != "access" && last != "status" {
		return " are "
	}
	return " is "
}

func isAction(word string) bool {
	return isVerb(word) || slices.Contains([]string{
		"allow", "append", "archive", "await", "block", "bypass", "compute", "continue", "disallow", "display", "drop", "fail", "follow",
		"force", "grant", "hide", "ignore", "include", "inherit", "keep", "notify", "overwrite", "pause", "perform", "preserve", "prevent",
		"require", "retry", "return", "rewrite", "save", "show", "skip", "suppress", "truncate", "use", "wait",
	}, word)
}

func adjective(word string) bool {
	switch word {
	case "active", "available", "default", "done", "editable", "empty", "global", "hidden", "final", "immutable", "inherited", "latest", "live",
		"multi", "mutable", "nullable", "optional", "primary", "private", "public", "readable", "readonly", "recursive", "required", "safe",
		"set", "sparse", "stale", "temporary", "valid", "visible", "writable", "continuous", "serverless", "development", "complete", "truncated":
		return true
	}
	return false
}

// Schema returns a phrase for a type, from its name. Enum types are described as choices.
func Schema(name string, enum bool) string {
	words := Words(name)
	last := words[len(words)-1]
	switch {
	case enum:
		return Sentence("choices of " + Spell(words))
	case len(words) > 2 && words[0] == "list" && (last == "response" || last == "result"):
		return "A page of a list."
	case len(words) > 1 && (last == "response" || last == "output" || last == "reply"):
		return Sentence("what is answered to " + Spell(words[:len(words)-1]))
	case len(words) > 1 && (last == "request" || last == "input"):
		return Sentence("what is asked for by " + Spell(words[:len(words)-1]))
	case isVerb(words[0]):
		return Sentence("what is asked for by " + Spell(words))
	}
	if n := len(words); words[n-1] == "detailed" {
		words = slices.Concat(words[n-1:], words[:n-1])
	}
	return Sentence(Article(words))
}
