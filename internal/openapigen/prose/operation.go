package prose

import (
	"slices"
	"strings"
)

// Operation says in a sentence what an operation does: of the group Clusters, ListZones "Lists
// the zones of clusters." Owners are the names of the path's parameters. An operation whose name has
// no verb gets something if it reads, and else is only named.
func Operation(group, name string, reads bool, owners []string) string {
	words := Words(name)
	verb, noun := words[0], words[1:]
	if i := slices.IndexFunc(words, isVerb); i > 0 && !reads {
		verb, noun = words[i], slices.Concat(words[:i], words[i+1:])
	}
	if !isVerb(verb) {
		if !reads {
			return Sentence("runs the operation " + Spell(words))
		}
		verb, noun = "get", words
	}
	several := verb == "batch" && len(noun) > 0
	if several {
		verb, noun = noun[0], noun[1:]
	}
	thing := thingOfGroup(group)
	if n := len(noun); n > 0 && (noun[n-1] == "rpc" || noun[n-1] == "now") {
		noun = noun[:n-1]
	}
	adverb := ""
	if verb == "permanent" && len(noun) > 0 {
		adverb, verb, noun = " for good", noun[0], noun[1:]
	}
	if sentence := permissions(verb, noun, thing); sentence != "" {
		return sentence
	}
	if len(noun) == 0 {
		noun = thing
		if verb == "list" {
			noun = pluralPhrase(thing)
		}
	}
	if verb == "list" {
		noun = pluralPhrase(noun)
	}
	object := Article(noun)
	if several {
		object = "several " + Spell(pluralPhrase(noun))
	} else if last := noun[len(noun)-1]; uncountable(last) || IsPlural(last) {
		object = "the " + Spell(noun)
		if verb == "list" && ownerOf(owners, noun) == "" || noun[0] == "all" {
			object = Spell(noun)
		}
	}
	sentence := Third(verb) + " " + object
	if owner := ownerOf(owners, noun); owner != "" {
		sentence += " of " + owner
	}
	return Sentence(sentence + adverb)
}

// permissions returns the sentences for operations on permissions, which many groups have.
func permissions(verb string, noun, thing []string) string {
	switch strings.Join(noun, " ") {
	case "permission levels":
		return Sentence("lists the rights that can be given on " + Article(thing))
	case "permissions":
		switch verb {
		case "get":
			return Sentence("tells who may do what with " + Article(thing))
		case "set":
			return Sentence("decides anew who may do what with " + Article(thing))
		case "update":
			return Sentence("changes who may do what with " + Article(thing))
		}
	}
	return ""
}

// thingOfGroup returns the noun of a group's operations: "legacy alert" for AlertsLegacy.
func thingOfGroup(group string) []string {
	words := Words(group)
	n := len(words)
	switch {
	case n > 1 && isVersion(words[n-1]):
		words = words[:n-1]
	case n > 1 && words[n-1] == "legacy":
		words = slices.Concat([]string{"legacy"}, words[:n-1])
	case n > 1 && words[0] == "provider" && words[1] == "provider":
		words = words[1:]
	}
	return singularPhrase(words)
}

// ownerOf is the innermost thing in the path that is not the object itself: "a project" for the
// branches of projects/{project_id}.
func ownerOf(params, noun []string) string {
	object := strings.Join(singularPhrase(noun), " ")
	for _, p := range slices.Backward(params) {
		words := thingOf(p)
		if len(words) == 0 || strings.Join(words, " ") == object || strings.HasSuffix(object, words[len(words)-1]) {
			continue
		}
		return Article(words)
	}
	return ""
}

// thingOf returns the noun that a parameter identifies: "cluster" for cluster_id; empty for id, name
// and account_id.
func thingOf(param string) []string {
	words := Words(param)
	last := len(words) - 1
	switch words[last] {
	case "id", "name":
		words = words[:last]
	case "fullname":
		words = words[:last]
	default:
		if !strings.HasSuffix(param, "environment") {
			return nil
		}
	}
	if n := len(words); n > 0 && (words[n-1] == "full" || words[n-1] == "display") {
		words = words[:n-1]
	}
	switch strings.Join(words, " ") {
	case "account", "object", "request object", "principal", "on securable", "entity", "parent", "resource", "internal":
		return nil
	}
	return words
}

func isVersion(word string) bool { return word == "v1" || word == "v2" || word == "v3" }

func singularPhrase(words []string) []string {
	words = slices.Clone(words)
	words[len(words)-1] = Singular(words[len(words)-1])
	return words
}

func pluralPhrase(words []string) []string {
	words = slices.Clone(words)
	words[len(words)-1] = Plural(words[len(words)-1])
	return words
}

// Third returns the third person singular of a verb. It replaces some of the API's verbs by plainer
// ones.
func Third(verb string) string {
	switch verb {
	case "update", "patch", "edit":
		return "changes"
	case "put":
		return "sets"
	case "mkdirs":
		return "makes"
	case "rfa":
		return "requests"
	case "run", "set", "unset", "reset":
		return verb + "s"
	}
	switch {
	case strings.HasSuffix(verb, "y") && !strings.HasSuffix(verb, "ay") && !strings.HasSuffix(verb, "oy"):
		return strings.TrimSuffix(verb, "y") + "ies"
	case strings.HasSuffix(verb, "s"), strings.HasSuffix(verb, "x"), strings.HasSuffix(verb, "ch"), strings.HasSuffix(verb, "sh"), strings.HasSuffix(verb, "o"):
		return verb + "es"
	}
	return verb + "s"
}

// isVerb reports whether a word is a verb that names of operations begin with.
func isVerb(word string) bool {
	switch word {
	case "acquire", "add", "apply", "approve", "assign", "attach", "backfill", "batch", "cancel", "change", "check", "classify", "clone", "close", "complete", "copy", "create",
		"delete", "deploy", "destroy", "detach", "disable", "download", "edit", "embed", "enable", "enforce", "evaluate", "exchange", "execute",
		"export", "extract", "failover", "find", "finalize", "fork", "generate", "get", "import", "install", "list", "log", "migrate", "mkdirs", "move",
		"parse", "patch", "permanent", "pin", "publish", "purge", "put", "query", "read", "refresh", "regenerate", "register", "reject", "remove",
		"rename", "repair", "replace", "request", "reset", "resize", "resolve", "restart", "restore", "retrieve", "revert", "revoke", "rotate", "run", "scan", "search",
		"send", "set", "start", "stop", "submit", "subscribe", "sync", "terminate", "test", "transfer", "transition", "trash", "unassign", "undelete",
		"uninstall", "unpin", "unpublish", "unsubscribe", "update", "upload", "upsert", "validate", "write":
		return true
	}
	return false
}
