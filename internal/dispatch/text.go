package dispatch

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// repair makes the strings of an answer valid text, and reports the number of replaced characters.
func (c *Client) repair(req *Request, answered *answer) {
	if req.shape.stream { // its bytes are the value
		return
	}
	var replaced int
	if answered.body, replaced = repair(answered.body); replaced > 0 && c.OnReplaced != nil {
		c.OnReplaced(req, replaced)
	}
}

// repair replaces invalid text in the strings of JSON, as the official SDK's decoder does
// (encoding/json), and counts the replacements: each byte that is not UTF-8, and each escape of half a
// surrogate pair, becomes U+FFFD. It returns JSON without invalid text unchanged.
func repair(body []byte) (repaired []byte, replaced int) {
	if utf8.Valid(body) && !mayHaveSurrogates(body) {
		return body, 0
	}
	out := make([]byte, 0, len(body)+len(body)/8)
	inString := false
	for i := 0; i < len(body); {
		c := body[i]
		switch {
		case c == '"':
			inString = !inString
		case !inString:
		case c == '\\':
			n, half := escape(body[i:])
			if half {
				out = append(out, `\ufffd`...)
				replaced++
			} else {
				out = append(out, body[i:i+n]...)
			}
			i += n
			continue
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(body[i:])
			if r == utf8.RuneError && size == 1 {
				replaced++
			}
			out = utf8.AppendRune(out, r)
			i += size
			continue
		}
		out = append(out, c)
		i++
	}
	if replaced == 0 {
		return body, 0
	}
	return out, replaced
}

// mayHaveSurrogates looks for \ud, with which every escape of half a pair begins.
func mayHaveSurrogates(body []byte) bool {
	for {
		_, behind, found := bytes.Cut(body, []byte(`\u`))
		if !found {
			return false
		}
		if len(behind) > 0 && behind[0]|0x20 == 'd' {
			return true
		}
		body = behind
	}
}

// escape measures the escape at the beginning of a text, a pair of surrogates as one, and reports whether
// it is half a pair.
func escape(text []byte) (length int, half bool) {
	first, ok := hex4(text)
	if !ok {
		return min(2, len(text)), false
	}
	const short = len(`\ud83d`)
	if !utf16.IsSurrogate(first) {
		return short, false
	}
	if second, ok := hex4(text[short:]); ok && utf16.DecodeRune(first, second) != utf8.RuneError {
		return 2 * short, false
	}
	return short, true
}

// hex4 reads an escape of four hexadecimal digits.
func hex4(text []byte) (rune, bool) {
	const length = len(`\ud83d`)
	if len(text) < length || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:length]), 16, 16)
	return rune(n), err == nil
}

// lastOnes returns a JSON value without the attributes of its objects that come again later: of two with
// one name the last one counts, as in the SDK. SQLite's functions would take the first. A value without
// such is returned as it is.
func lastOnes(raw json.RawMessage) json.RawMessage {
	if !repeats(raw) {
		return raw
	}
	value, err := parse(string(raw))
	if err != nil {
		return raw // it was valid when it arrived
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return raw
	}
	return encoded
}

// fewNames is the number of names up to which comparing each with each is the fastest.
const fewNames = 16

// level is an object or a list that a scan is inside of.
type level struct {
	object bool
	name   bool            // a text here is an attribute's name
	first  int             // of its names among those of all levels
	many   map[string]bool // its names, where there are more than a few
}

// repeats reports whether an object in valid JSON has two attributes with one name. It reads each byte
// once, however deep the JSON is.
func repeats(raw json.RawMessage) bool {
	text := view(raw)
	var levels []level
	var names []string
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '{', '[':
			levels = append(levels, level{object: c == '{', name: c == '{', first: len(names)})
		case '}', ']':
			names = names[:levels[len(levels)-1].first]
			levels = levels[:len(levels)-1]
		case ',':
			if l := &levels[len(levels)-1]; l.object {
				l.name = true
			}
		case '"':
			end := stringEnd(text, i)
			if len(levels) > 0 && levels[len(levels)-1].name {
				l := &levels[len(levels)-1]
				l.name = false
				name := text[i+1 : end]
				if strings.IndexByte(name, '\\') >= 0 {
					name = unquote(raw[i : end+1])
				}
				if l.has(names[l.first:], name) {
					return true
				}
				names = append(names, name)
			}
			i = end
		}
	}
	return false
}

// has reports whether the level has a name, and adds the name to a large level.
func (l *level) has(names []string, name string) bool {
	switch {
	case l.many == nil && len(names) < fewNames:
		return slices.Contains(names, name)
	case l.many == nil:
		l.many = make(map[string]bool, 2*len(names))
		for _, n := range names {
			l.many[n] = true
		}
	}
	found := l.many[name]
	l.many[name] = true
	return found
}

// stringEnd finds the quote that ends the string which begins at a place in valid JSON.
func stringEnd(text string, begin int) int {
	for i := begin + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(text) - 1
}
