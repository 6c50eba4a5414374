package postgres

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// PostgreSQL accepts no NUL character in a text or in JSON, and no invalid UTF-8. The store escapes such
// values, so that it can restore them, and a person with psql sees them:
//
//   - ␛␀ is a NUL character,
//   - ␛ and two hexadecimal digits are a byte that is not UTF-8,
//   - ␛␛ is the character ␛ itself.
const (
	escape     = '␛' // U+241B
	escapedNUL = "␛␀"
)

// EscapeText escapes a text for PostgreSQL.
func EscapeText(s string) string {
	if strings.IndexByte(s, 0) < 0 && !strings.ContainsRune(s, escape) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			const digits = "0123456789abcdef"
			b.WriteRune(escape)
			b.WriteByte(digits[s[i]>>4])
			b.WriteByte(digits[s[i]&15])
		case r == 0:
			b.WriteString(escapedNUL)
		case r == escape:
			b.WriteString(string(escape) + string(escape))
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// UnescapeText restores an escaped text. A ␛ that begins no escape stays, because older stores have it.
func UnescapeText(s string) string {
	if !strings.ContainsRune(s, escape) {
		return s
	}
	const mark = string(escape)
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, mark)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		switch {
		case strings.HasPrefix(after, mark):
			b.WriteString(mark)
			s = after[len(mark):]
		case strings.HasPrefix(after, "␀"):
			b.WriteByte(0)
			s = after[len("␀"):]
		default:
			if len(after) >= 2 {
				if n, err := strconv.ParseUint(after[:2], 16, 8); err == nil && n >= utf8.RuneSelf {
					b.WriteByte(byte(n))
					s = after[2:]
					continue
				}
			}
			b.WriteString(mark)
			s = after
		}
	}
}

// EscapeJSON escapes JSON for PostgreSQL.
func EscapeJSON(v json.RawMessage) json.RawMessage {
	if !bytes.Contains(v, []byte(`\u0000`)) && !bytes.ContainsRune(v, escape) {
		return v
	}
	return mapStrings(v, EscapeText)
}

// UnescapeJSON restores escaped JSON.
func UnescapeJSON(v json.RawMessage) json.RawMessage {
	if !bytes.ContainsRune(v, escape) {
		return v
	}
	return mapStrings(v, UnescapeText)
}

// mapStrings applies a function to the strings and keys of JSON. It returns other text unchanged.
func mapStrings(v json.RawMessage, change func(string) string) json.RawMessage {
	var walk func(value any) any
	walk = func(value any) any {
		switch value := value.(type) {
		case string:
			return change(value)
		case []any:
			for i := range value {
				value[i] = walk(value[i])
			}
		case map[string]any:
			changed := make(map[string]any, len(value))
			for key, member := range value {
				changed[change(key)] = walk(member)
			}
			return changed
		}
		return value
	}
	dec := json.NewDecoder(bytes.NewReader(v))
	dec.UseNumber()
	var value any
	if dec.Decode(&value) != nil || dec.More() {
		return v
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(walk(value)) != nil {
		return v
	}
	return json.RawMessage(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
