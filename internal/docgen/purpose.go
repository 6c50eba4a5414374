package docgen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// purpose says in a sentence what a resource's methods do. A method that is alone says it itself.
func purpose(r *provider.Resource) string {
	if len(r.Methods) == 1 && r.Methods[0].Description != "" {
		return paragraph(r.Methods[0].Description)
	}
	thing := spoken(r.Name)
	var verbs []string
	for _, m := range r.MethodsFor(provider.Select) {
		verbs = appendNew(verbs, readingVerb(m))
	}
	for _, does := range []struct {
		verb provider.SQLVerb
		word string
	}{
		{provider.Insert, "creates"},
		{provider.Update, "updates"},
		{provider.Replace, "replaces"},
		{provider.Delete, "deletes"},
	} {
		if len(r.MethodsFor(does.verb)) > 0 {
			verbs = append(verbs, does.word)
		}
	}
	calls := namedMethods(r.MethodsFor(provider.Exec))
	switch {
	case len(verbs) == 0 && calls == "":
		return fmt.Sprintf("The <code>%s</code> of <code>%s</code>.", word(r.Name), word(r.Service))
	case len(verbs) == 0:
		return fmt.Sprintf("Calls %s of %s.", calls, thing)
	}
	text := andList(verbs) + " " + thing
	text = strings.ToUpper(text[:1]) + text[1:]
	if calls != "" {
		text += "; also calls " + calls
	}
	return text + "."
}

// readingVerb is the verb of a method that SELECT calls. Its name begins with it or ends with it.
func readingVerb(m *provider.Method) string {
	words := strings.Split(m.Name, "_")
	for _, at := range []string{words[0], words[len(words)-1]} {
		switch at {
		case "get", "list":
			return at + "s"
		case "search":
			return "searches"
		}
	}
	return "reads"
}

func appendNew(words []string, word string) []string {
	if slices.Contains(words, word) {
		return words
	}
	return append(words, word)
}

// namedMethods lists methods by name; of many, the first ones and how many more there are.
func namedMethods(methods []*provider.Method) string {
	const most = 5
	var names []string
	for _, m := range methods {
		names = append(names, "<code>"+word(m.Name)+"</code>")
	}
	if len(names) > most {
		names = append(names[:most-1], fmt.Sprintf("%d other methods", len(names)-most+1))
	}
	return andList(names)
}

// spoken writes a name as a sentence does: with blanks, and with acronyms in capitals.
func spoken(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words {
		switch w {
		case "api", "aws", "csp", "esm", "id", "ip", "llm", "ml", "sql", "uc", "url", "vpc":
			words[i] = strings.ToUpper(w)
		case "apis", "ids", "urls":
			words[i] = strings.ToUpper(w[:len(w)-1]) + "s"
		}
	}
	return word(strings.Join(words, " "))
}
