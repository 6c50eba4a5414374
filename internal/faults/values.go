package main

import (
	"strings"
)

// values stand where a number or a text is documented.
func values() []*fault {
	var all []*fault
	number := func(given string, shown ...string) {
		all = append(all, &fault{name: "the number is " + given, num: given, applies: holds("<num>"), want: func(s *surface) verdict {
			v := verdict{fails: true} // the official SDK refuses what does not fit, so whoever shows it shows it whole
			for _, form := range shown {
				v.rows = append(v.rows, fillIn(s.right, form, ""))
			}
			return v
		}})
	}
	number(`9007199254740993`, `9007199254740993`)
	number(`9223372036854775807`, `9223372036854775807`)
	number(`-9223372036854775808`, `-9223372036854775808`)
	number(`9223372036854775808`, `9223372036854775808`, `"9223372036854775808"`)
	number(`123456789012345678901234567890`, `123456789012345678901234567890`, `"123456789012345678901234567890"`)
	number(`1e400`, `1e400`, `"1e400"`)
	number(`-1e400`, `-1e400`, `"-1e400"`)
	number(`1e-400`, `1e-400`, `"1e-400"`)
	number(`1e999999999`, `1e999999999`, `"1e999999999"`)
	number(`0.1000000000000000055511151231257827`, `0.1000000000000000055511151231257827`, `"0.1000000000000000055511151231257827"`)
	number(`1.5`, `1.5`)
	number(`7.0`, `7.0`, `7`)
	number(`7e0`, `7e0`, `7`, `7.0`)
	number(`-0`, `-0`, `0`, `-0.0`)
	number(`"7"`, `7`, `"7"`)
	number(`"seven"`, `"seven"`)
	number(`""`, `""`)
	number(`true`, `true`, `"true"`)
	number(`null`, `null`)
	number(`{}`, `{}`, `"{}"`) // JSON, or its text: SQL has no other form for it
	number(`{"a": [1]}`, `{"a": [1]}`, `"{\"a\": [1]}"`)
	number(`[7]`, `[7]`, `"[7]"`)
	for _, not := range []string{`07`, `+7`, `7.`, `.7`, `0x7`, `NaN`, `Infinity`, `-`, `1e`, `7 7`, `undefined`, `True`, `` + `'7'`} {
		number(not) // no JSON
	}

	// text is a text that is shown as it is.
	text := func(name, given string, want func(s *surface) verdict) {
		all = append(all, &fault{name: "the text has " + name, text: given, applies: holds("<text>"), want: want})
	}
	same := func(given string) func(s *surface) verdict {
		return func(s *surface) verdict { return verdict{rows: []string{fillIn(s.right, "", given)}} }
	}
	for name, given := range map[string]string{
		"an emoji": "\U0001F469\u200d\U0001F680", "line separators": "a\u2028b\u2029c\u0085d", "escapes": `a\n\r\t\b\f\"\\\/b`, "escaped letters": `\u0041\u00e9\ud83d\ude80`, "control characters": `\u001b[31m\u0007`,
		"a closing tag": `</script><!--`, "quotes": `'; DROP TABLE x; --`, "nothing in it": `\u0020`, "a placeholder": `{{ .name }}`, "a right-to-left override": "a\u202eb", "combining letters": "e\u0301", "a replacement character": "\ufffd",
		"a mebibyte": strings.Repeat("0123456789abcdef", 1<<16),
	} {
		text(name, given, same(given))
	}
	text("a NUL", `a\u0000b`, func(s *surface) verdict { return same(`a\u0000b`)(s).or(fails(s)) })
	// The official SDK silently replaces invalid text by U+FFFD. lakeql must report the replacement.
	for name, given := range map[string]string{"a byte that is no UTF-8": "a\xffb", "an overlong encoding": "a\xc0\xafb", "a surrogate": "a\xed\xa0\x80b", "a letter that is cut": "ab\xe2\x82"} {
		text(name, given, replaced(strings.ToValidUTF8(given, "\ufffd"), replaceEach(given)))
	}
	for name, given := range map[string]string{"half an escaped pair": `a\ud83db`, "the other half": `a\ude80b`, "a pair the wrong way round": `a\ude80\ud83db`} {
		shown := given
		for _, half := range []string{`\ud83d`, `\ude80`} {
			shown = strings.ReplaceAll(shown, half, "\ufffd")
		}
		text(name, given, replaced(shown, shown))
	}
	for name, given := range map[string]string{"an escape that is none": `a\xb`, "a bare line end": "a\nb", "a bare tab": "a\tb", "a bare control character": "a\x01b", "half an escape": `a\u00`, "a bare quote": `a"b`} {
		text(name, given, fails) // no JSON
	}
	for name, given := range map[string]string{"null": `null`, "a number": `5`, "true": `true`} { // instead of the text
		f := &fault{name: "the text is " + name, applies: holds(`"<text>"`)}
		f.body = func(a answer) string { return strings.ReplaceAll(a.text(), `"<text>"`, given) }
		f.want = func(s *surface) verdict {
			return verdict{rows: []string{strings.ReplaceAll(s.right, `"<text>"`, given), strings.ReplaceAll(s.right, `"<text>"`, `"`+given+`"`)}, fails: true}
		}
		all = append(all, f)
	}
	return append(all, twice()...)
}

// replaceEach replaces each invalid byte by U+FFFD, as Go's JSON decoder does.
func replaceEach(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteRune(r)
	}
	return b.String()
}

// replaced is for text of which a part cannot be shown: an error, or rows that say so beside them.
func replaced(forms ...string) func(s *surface) verdict {
	return func(s *surface) verdict {
		v := verdict{fails: true, note: true}
		for _, form := range forms {
			v.rows = append(v.rows, fillIn(s.right, "", form))
		}
		return v
	}
}

// twice are keys that come twice or in another case: the last one counts and case does not, as in the
// official SDK, or that is an error. An attribute that is not found for its case would be a NULL.
func twice() []*fault {
	named := func(s *surface) bool {
		return strings.Contains(s.calls[s.target].answer.text(), `"cluster_name": "<text>"`)
	}
	body := func(change func(text string) string) func(a answer) string {
		return func(a answer) string { return change(a.text()) }
	}
	all := []*fault{
		{name: "a key twice", applies: named, want: rightOrFails, body: body(func(text string) string {
			return strings.Replace(text, `"cluster_name": "<text>"`, `"cluster_name": "first", "cluster_name": "<text>"`, 1)
		})},
		{name: "a key in capitals", applies: named, want: rightOrFails, body: body(func(text string) string {
			return strings.Replace(text, `"cluster_name": "<text>"`, `"CLUSTER_NAME": "<text>"`, 1)
		})},
		{name: "a key with escapes", applies: named, want: right, body: body(func(text string) string {
			return strings.Replace(text, `"cluster_name": "<text>"`, `"cluster_n\u0061me": "<text>"`, 1)
		})},
		{name: "keys in no order, and more of them", applies: named, want: right, body: body(func(text string) string {
			return strings.Replace(text, `"cluster_id": "c1", "cluster_name": "<text>"`, `"new": {"x": [1]}, "cluster_name": "<text>", "cluster_id": "c1"`, 1)
		})},
	}
	all = append(
		all,
		&fault{name: "the list twice", applies: isKind(list), want: rightOrFails, body: func(a answer) string {
			return strings.Replace(a.text(), `{`, `{"`+a.key+`": [], `, 1)
		}},
		&fault{name: "the list in capitals", applies: isKind(list), want: rightOrFails, body: func(a answer) string {
			return strings.Replace(a.text(), `"`+a.key+`"`, `"`+strings.ToUpper(a.key)+`"`, 1)
		}},
		&fault{name: "the list, and more beside it", applies: isKind(list), want: right, body: func(a answer) string {
			return strings.Replace(a.text(), `{`, `{"new": {"x": [1]}, `, 1)
		}},
	)
	return all
}
