package main

import (
	"strings"
)

// shapes are JSON of another kind than the document says, with status 200.
func shapes() []*fault {
	whole := func(name, body string, want func(*surface) verdict) *fault {
		return &fault{name: name, want: want, body: func(answer) string { return body }}
	}
	// made is a body that a fault makes of the good one.
	made := func(name string, of func(a answer) string, want func(*surface) verdict, kinds ...kind) *fault {
		f := &fault{name: name, want: want, body: of}
		if len(kinds) > 0 {
			f.applies = isKind(kinds...)
		}
		return f
	}
	emptyList := func(s *surface) verdict {
		switch {
		case s.kind() != bare:
			return failsUnlessEmpty(s)
		case s.none == "":
			return noWorkspace(s)
		}
		return verdict{rows: []string{s.none}}
	}
	attribute := func(value string) func(a answer) string {
		return func(a answer) string { return `{"` + a.key + `": ` + value + a.rest + `}` }
	}
	return []*fault{
		// An error with status 200 is an error, even if nobody reads the body otherwise.
		whole("an error", apiError, failsSaying(quota)),
		whole("an error of API 1.2", `{"error": "`+quota+`"}`, failsUnlessEmpty),
		whole("an error of SCIM", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": "`+quota+`", "status": "400"}`, failsUnlessEmpty),
		whole("an error of gRPC", `{"code": 7, "message": "`+quota+`", "details": []}`, failsUnlessEmpty),
		whole("an error in a list", `[`+apiError+`]`, failsUnlessEmpty),
		whole("an object of something else", `{"foo": 1}`, failsUnlessEmpty),
		whole("an object without attributes", `{}`, noItemsOr(bare, fails)),
		whole("null", `null`, failsUnlessEmpty),
		whole("an empty list", `[]`, emptyList),
		whole("a list of an object without attributes", `[{}]`, func(s *surface) verdict {
			if s.kind() == bare {
				return noWorkspace(s)
			}
			return failsUnlessEmpty(s)
		}),
		whole("a list of null", `[null]`, failsUnlessEmpty),
		whole("a list of a list", `[[]]`, failsUnlessEmpty),
		whole("true", `true`, failsUnlessEmpty),
		whole("false", `false`, failsUnlessEmpty),
		whole("a number", `0`, failsUnlessEmpty),
		whole("a string", `"ok"`, failsUnlessEmpty),
		whole("an empty string", `""`, failsUnlessEmpty),
		made("a list for an object", func(a answer) string { return "[" + a.text() + "]" }, failsUnlessEmpty),
		made("an item for a list", func(a answer) string { return a.items[0] }, fails, list, bare),
		made("the items for a list", func(a answer) string { return "[" + strings.Join(a.items, ",") + "]" }, fails, list),
		made("one level more", func(a answer) string { return `{"response": ` + a.text() + `}` }, fails, list, bare, object, operation, poll),
		made("a string of JSON", func(a answer) string { return `"` + strings.ReplaceAll(a.text(), `"`, `\"`) + `"` }, fails, list, bare, object, operation, poll),
		made("the list is an object", func(a answer) string { return attribute(a.items[0])(a) }, fails, list),
		made("the list is an object without attributes", attribute(`{}`), fails, list),
		made("the list is a string", attribute(`"c1"`), fails, list),
		made("the list is a number", attribute(`1`), fails, list),
		made("the list is true", attribute(`true`), fails, list),
		made("the list is null", attribute(`null`), func(s *surface) verdict { return noItems(s).or(fails(s)) }, list), // an empty list to the official SDK
		{
			name: "the list is missing, the rest is there", applies: isToken, want: noItems,
			body: func(a answer) string { return `{"` + a.token + `": ""}` }, // the API leaves empty lists out
		},
	}
}

// noWorkspace is for an account without a workspace that could be called: the advice is to name some.
func noWorkspace(*surface) verdict { return verdict{fails: true, usage: true} }

// noItemsOr is noItems but for a kind.
func noItemsOr(k kind, otherwise func(*surface) verdict) func(*surface) verdict {
	return func(s *surface) verdict {
		if s.kind() == k {
			return otherwise(s)
		}
		return noItems(s)
	}
}

// isToken is for lists that go on with a token.
func isToken(s *surface) bool { return s.kind() == list && s.calls[s.target].answer.token != "" }

// items are wrong values in place of an item of a list.
func items() []*fault {
	var all []*fault
	for name, item := range map[string]string{
		"null": `null`, "a number": `1`, "a string": `"c1"`, "true": `true`, "a list": `[]`, "a list of an item": `[{"name": "x"}]`, "an error": apiError, "an object of something else": `{"foo": 1}`,
	} {
		all = append(
			all,
			&fault{name: name + " alone", applies: isKind(list, bare), want: fails, body: func(a answer) string { return a.with([]string{item}) }},
			&fault{name: name + " behind an item", applies: isKind(list, bare), want: fails, body: func(a answer) string { return a.with(append(a.items[:1:1], item)) }},
		)
	}
	return all
}

// paging are invalid tokens, and lists that do not end.
func paging() []*fault {
	last := func(s *surface) bool {
		return isToken(s) && !strings.Contains(s.calls[s.target].answer.rest, "next_page_token")
	}
	notLast := func(s *surface) bool { return isToken(s) && !last(s) }
	token := func(value string) func(a answer) string {
		return func(a answer) string {
			return `{"` + a.key + `": [` + strings.Join(a.items, ",") + `], "` + a.token + `": ` + value + `}`
		}
	}
	all := []*fault{
		{name: "the token is null", applies: last, want: right, body: token(`null`)},
		{name: "the token is empty", applies: last, want: right, body: token(`""`)},
		{name: "the first of two tokens is empty", applies: notLast, want: rightOrFails, body: func(a answer) string {
			return strings.Replace(a.text(), `{`, `{"next_page_token": "", `, 1)
		}},
		{name: "the token is in another case", applies: notLast, want: rightOrFails, body: func(a answer) string {
			return strings.ReplaceAll(a.text(), "next_page_token", "NEXT_PAGE_TOKEN")
		}},
		{name: "a page without items in between", applies: notLast, want: right, again: "again", body: func(a answer) string {
			return `{"` + a.key + `": [], "` + a.token + `": "again"}`
		}},
		{name: "a page without the list in between", applies: notLast, want: right, again: "again", body: func(a answer) string {
			return `{"` + a.token + `": "again"}`
		}},
		// A place that was there before: the list would never end.
		{name: "the page before again", applies: func(s *surface) bool { return s.name == "page 3 of 3" }, want: fails, body: token(`"p2"`)},
		{name: "the same page again", applies: func(s *surface) bool { return s.name == "page 3 of 3" }, want: fails, body: token(`"p3"`)},
		// A total stays valid once it was reported.
		{name: "the total is forgotten", applies: isTotal("Resources"), want: rightOrFails, body: func(a answer) string { return `{"Resources": [` + a.items[0] + `]}` }},
		{name: "the total shrinks", applies: isTotal("Resources"), want: fails, body: func(a answer) string { return strings.ReplaceAll(a.text(), `"totalResults": 2`, `"totalResults": 1`) }},
		{name: "the total grows and nothing comes", applies: isTotal("Resources"), want: fails, body: func(a answer) string { return strings.ReplaceAll(a.text(), `"totalResults": 2`, `"totalResults": 3`) }},
		{name: "the total is a string", applies: isTotal("Resources"), want: rightOrFails, body: func(a answer) string { return strings.ReplaceAll(a.text(), `"totalResults": 2`, `"totalResults": "2"`) }},
		{name: "the items are missing", applies: isTotal("Resources"), want: fails, body: func(a answer) string {
			return `{"totalResults": 2, "startIndex": 2, "itemsPerPage": 0, "Resources": []}`
		}},
		{name: "the items are missing, and the total too", applies: isTotal("Resources"), want: fails, body: func(a answer) string { return `{"Resources": []}` }},
		{name: "the items are missing", applies: isTotal("results"), want: fails, body: func(a answer) string { return `{"results": [], "page": 2, "page_size": 1, "count": 2}` }},
		{name: "the total is not reached", applies: isTotal("events"), want: fails, body: func(a answer) string { return strings.ReplaceAll(a.text(), `"total_count": 2`, `"total_count": 3`) }},
		{name: "the items are missing", applies: isTotal("events"), want: fails, body: func(a answer) string { return `{"events": [], "total_count": 2}` }},
		{name: "the same page again", applies: isTotal("events"), want: fails, body: func(a answer) string {
			return strings.Replace(a.text(), `, "total_count"`, `, "next_page": {"cluster_id": "c1", "offset": 1}, "total_count"`, 1)
		}},
	}
	for name, value := range map[string]string{"a number": `5`, "0": `0`, "an object": `{}`, "a list": `[]`, "true": `true`, "false": `false`, "a blank": `" "`, "a token between blanks": `" p9 "`} {
		all = append(all, &fault{name: "the token is " + name, applies: last, want: fails, body: token(value)})
	}
	return all
}

// isTotal is for lists with a total beside an attribute.
func isTotal(key string) func(s *surface) bool {
	return func(s *surface) bool {
		return s.calls[s.target].answer.key == key && s.calls[s.target].answer.token == ""
	}
}

// texts are bodies that are no JSON, or more than it.
func texts() []*fault {
	var all []*fault
	add := func(name string, of func(good string) string, want func(*surface) verdict) {
		all = append(all, &fault{name: name, want: want, play: func(_ answer, good string) script { return script{chunks: []string{ok(of(good))}} }})
	}
	add("nothing", func(string) string { return "" }, failsUnlessEmpty)
	add("blanks", func(string) string { return " \r\n\t " }, failsUnlessEmpty)
	add("a page", func(string) string { return htmlPage }, fails) // a login page is not the work done
	add("a page behind a blank line", func(string) string { return "\r\n\r\n" + htmlPage }, fails)
	add("XML", func(string) string { return `<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>` }, fails)
	add("text", func(string) string { return "ok" }, failsUnlessEmpty)
	add("an error in text", func(string) string { return "QUOTA_EXCEEDED: " + quota }, failsUnlessEmpty)
	add("a NUL", func(string) string { return "\x00" }, failsUnlessEmpty)
	add("bytes that are no UTF-8", func(string) string { return "\xff\xfe\xff" }, failsUnlessEmpty)
	add("UTF-16", func(good string) string {
		var b strings.Builder
		b.WriteString("\xff\xfe")
		for _, c := range []byte(good) {
			b.WriteByte(c)
			b.WriteByte(0)
		}
		return b.String()
	}, failsUnlessEmpty)
	add("a byte order mark before it", func(good string) string { return "\ufeff" + good }, rightOrFails)
	add("blanks around it", func(good string) string { return "\n \t" + good + "\r\n \n" }, right)
	add("single quotes", func(good string) string { return strings.ReplaceAll(good, `"`, `'`) }, failsUnlessEmpty)
	add("a comment in it", func(good string) string { return "/* so */ " + good }, failsUnlessEmpty)
	add("a comma too much", func(good string) string { return good[:len(good)-1] + "," + good[len(good)-1:] }, failsUnlessEmpty)
	add("a prefix against scripts", func(good string) string { return ")]}'\n" + good }, failsUnlessEmpty)
	for name, more := range map[string]string{"a bracket": "}", "another one": "{}", "text": "x", "a page": htmlPage, "a NUL": "\x00", "an error": "\n" + apiError, "a comma": ","} {
		add("with "+name+" behind it", func(good string) string { return good + more }, failsUnlessEmpty)
	}
	for name, part := range map[string]int{"the last byte": -1, "half": 2, "all but the first byte": 0} {
		add("cut, without "+name, func(good string) string {
			switch part {
			case -1:
				return good[:len(good)-1]
			case 0:
				return good[:1]
			}
			return good[:len(good)/part]
		}, failsUnlessEmpty)
	}
	add("deep", func(string) string { return strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000) }, failsUnlessEmpty)
	add("deeper", func(string) string { return strings.Repeat("[", 1<<20) }, failsUnlessEmpty)
	return all
}
