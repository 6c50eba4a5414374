package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lakeql/lakeql/provider"
)

// plain returns a value as text: strings as they are, everything else as JSON writes it. It is
// false for null.
func plain(v any) (text string, ok bool, err error) {
	switch v := v.(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	case provider.Secret:
		return v.Reveal(), true, nil
	case bool:
		return strconv.FormatBool(v), true, nil
	case int64:
		return strconv.FormatInt(v, 10), true, nil
	case float64:
		return number(v), true, nil
	case json.RawMessage:
		raw, err := compact(v)
		return string(raw), string(raw) != "null", err
	}
	return "", false, provider.Internalf("a row has a value of type %T", v)
}

// visible returns a value as people see it in one line.
func visible(v any) (string, error) {
	text, ok, err := plain(v)
	if !ok {
		text = "null"
	}
	return printable(text), err
}

// printable makes unprintable characters visible. Bytes that are not UTF-8 become U+FFFD first: a
// terminal may interpret a single such byte as a control character.
//
// The joiner inside of an emoji stays: without it a family becomes several people.
func printable(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	parts := strings.Split(s, joiner)
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			before, _ := utf8.DecodeLastRuneInString(parts[i-1])
			after, _ := utf8.DecodeRuneInString(part)
			if isEmoji(before) && isEmoji(after) {
				b.WriteString(joiner)
			} else {
				b.WriteString(provider.Printable(joiner))
			}
		}
		b.WriteString(provider.Printable(part))
	}
	return b.String()
}

// joiner joins emoji to one.
const joiner = "\u200d"

// isEmoji reports whether a joiner may be beside a character of an emoji.
func isEmoji(r rune) bool {
	const variation = 0xfe0f // asks for the emoji of a character
	return r == variation || unicode.In(r, unicode.So) || r >= 0x1f3fb && r <= 0x1f3ff
}

// appendJSON appends a value as JSON in one line.
func appendJSON(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return appendString(dst, v), nil
	case provider.Secret:
		return appendString(dst, v.Reveal()), nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return appendString(dst, number(v)), nil
		}
	case json.RawMessage:
		raw, err := compact(v)
		return appendEscaped(dst, raw), err
	}
	text, ok, err := plain(v)
	if !ok {
		text = "null"
	}
	return append(dst, text...), err
}

// number writes a float in the shortest form that reads back as the same value, as encoding/json does.
// JSON has no infinity and no NaN: number writes the names that protobuf uses for them in JSON.
func number(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	text, _ := json.Marshal(f) // fails for the three above only
	return string(text)
}

// compact takes the white space out of a JSON value. No value at all is null.
func compact(raw json.RawMessage) ([]byte, error) {
	if len(raw) == 0 {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, provider.Internalf("a row has a value that is not JSON: %v", err).Because(err)
	}
	return b.Bytes(), nil
}

func appendString(dst []byte, s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return appendEscaped(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// appendEscaped appends a JSON value, and writes the characters that control a terminal as escapes with
// the same meaning. encoding/json does not escape DEL, the C1 controls and the invisible format
// characters. They occur only inside strings. Each byte that is not UTF-8 becomes U+FFFD, as
// encoding/json does in strings.
func appendEscaped(dst, value []byte) []byte {
	for len(value) > 0 {
		r, size := utf8.DecodeRune(value)
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, `\ufffd`...)
		case r < 0x7f || !steers(r):
			dst = append(dst, value[:size]...)
		case r > 0xffff:
			const surrogates, low = 0xd800, 0xdc00
			r -= 0x10000
			dst = fmt.Appendf(dst, `\u%04x\u%04x`, surrogates+r>>10, low+r&0x3ff)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
		value = value[size:]
	}
	return dst
}

// steers reports whether a terminal shows something other than the character: a control, a
// format character such as a change of direction, or a line end.
func steers(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// writeError reports that the output could not be written. An error about the row itself stays as it is.
func writeError(err error) error {
	if _, ok := errors.AsType[*provider.Error](err); ok || err == nil {
		return err
	}
	return provider.Internalf("write results: %v", err).Because(err)
}
