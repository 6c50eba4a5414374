package provider

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Mask hides secrets in text that is printed, logged or stored. It recognises a secret in whatever
// way a server or a message writes it: escaped as JSON, HTML or part of a URL, with its quotes
// doubled, in base64 or hexadecimal, in another case. Of a long secret it also recognises a part.
// The zero value and nil hide nothing. A Mask may be used by several goroutines.
type Mask struct {
	whole []string        // folded, the longest first
	parts map[string]bool // folded, partLength bytes each
}

const (
	// shortestSecret is the length in bytes from which a text is looked for. A shorter one occurs in
	// every text.
	shortestSecret = 3
	// shortestInside is the length from which a secret is recognised inside a word.
	shortestInside = 5
	// partLength is how many bytes of a long secret, one after another, give it away.
	partLength = 12
)

// NewMask makes a mask for secrets. Empty ones, and those of one or two bytes, are left out.
func NewMask(secrets ...string) *Mask {
	m := &Mask{parts: map[string]bool{}}
	for _, secret := range secrets {
		if len(strings.TrimSpace(secret)) < shortestSecret {
			continue
		}
		for _, spelling := range spellings(secret) {
			text := fold(spelling).text
			if len(text) < shortestSecret {
				continue
			}
			m.whole = append(m.whole, text)
			for i := 0; i+partLength <= len(text); i++ {
				m.parts[text[i:i+partLength]] = true
			}
		}
	}
	slices.SortFunc(m.whole, func(a, b string) int { return len(b) - len(a) })
	m.whole = slices.Compact(m.whole)
	return m
}

// Whole returns a mask that hides the secrets as a whole only, and no parts of them.
func (m *Mask) Whole() *Mask { return &Mask{whole: m.whole} }

// spellings are the ways to write a secret that [fold] does not undo.
func spellings(secret string) []string {
	all := []string{secret, strings.TrimSpace(secret), hex.EncodeToString([]byte(secret))}
	// Base64 of a text that the secret is a part of depends on where the secret begins in it. The
	// characters at either end depend on its neighbours.
	for skip := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, skip), secret...))
		from, to := (skip*8+5)/6, len(encoded)
		if (skip+len(secret))%3 != 0 {
			to--
		}
		if to-from >= shortestInside {
			all = append(all, encoded[from:to])
		}
	}
	return all
}

// Text returns a text with a mask in place of each secret.
func (m *Mask) Text(text string) string {
	if m == nil || len(m.whole) == 0 || len(text) < shortestSecret {
		return text
	}
	folded := fold(text)
	hidden := make([]bool, len(text))
	found := false
	hide := func(from, to int) {
		found = true
		for i := folded.from[from]; i < folded.to[to-1]; i++ {
			hidden[i] = true
		}
	}
	for _, secret := range m.whole {
		for at := 0; ; {
			i := strings.Index(folded.text[at:], secret)
			if i < 0 {
				break
			}
			from, to := at+i, at+i+len(secret)
			if len(secret) >= shortestInside || !insideWord(folded.text, from, to) {
				hide(from, to)
			}
			at = from + 1
		}
	}
	for i := 0; i+partLength <= len(folded.text); i++ {
		if m.parts[folded.text[i:i+partLength]] {
			hide(i, i+partLength)
		}
	}
	if !found {
		return text
	}
	return covered(text, hidden)
}

// covered writes a mask in place of each run of bytes that is hidden.
func covered(text string, hidden []bool) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		_, size := utf8.DecodeRuneInString(text[i:])
		if slices.Contains(hidden[i:i+size], true) {
			if !strings.HasSuffix(b.String(), mask) {
				b.WriteString(mask)
			}
		} else {
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}

func insideWord(text string, from, to int) bool {
	return from > 0 && isAlphanumeric(text[from-1]) || to < len(text) && isAlphanumeric(text[to])
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
}

// Error returns an error that says the same with a mask in place of each secret. An error without
// one stays as it is. [errors.Is] finds the same causes in both.
func (m *Mask) Error(err error) error {
	if err == nil || m == nil || len(m.whole) == 0 {
		return err
	}
	return Reword(err, m.Text)
}

// Reword returns an error in which a function has changed every text. An error whose texts stay the
// same is returned itself. [errors.Is] finds the same causes in both.
func Reword(err error, reword func(string) string) error {
	changed, _ := reworded(err, reword)
	return changed
}

func reworded(err error, reword func(string) string) (told error, changed bool) {
	switch e := err.(type) { //nolint:errorlint // the error itself; those that it wraps follow
	case nil:
		return nil, false
	case *Error:
		return e.reworded(reword)
	}
	text := reword(err.Error())
	changed = text != err.Error()
	if inner, ok := errors.AsType[*Error](err); ok {
		var inside bool
		told, inside = inner.reworded(reword)
		changed = changed || inside
	}
	if !changed {
		return err, false
	}
	return rewordedError{err, told, text}, true
}

func (e *Error) reworded(reword func(string) string) (told error, changed bool) {
	copied := *e
	for _, field := range []*string{&copied.Message, &copied.Hint, &copied.ErrorCode, &copied.URL, &copied.RequestID, &copied.Arg} {
		text := reword(*field)
		changed = changed || text != *field
		*field = text
	}
	copied.Path = slices.Clone(e.Path)
	for i, step := range copied.Path {
		if name, ok := step.(string); ok {
			copied.Path[i] = reword(name)
			changed = changed || copied.Path[i] != step
		}
	}
	var inside bool
	if copied.Err, inside = reworded(e.Err, reword); !changed && !inside {
		return e, false
	}
	return &copied, true
}

// rewordedError is an error with another text.
type rewordedError struct {
	was  error
	told error // the [Error] in its chain, with other texts; nil where there was none
	text string
}

func (e rewordedError) Error() string        { return e.text }
func (e rewordedError) Unwrap() error        { return e.told }
func (e rewordedError) Is(target error) bool { return errors.Is(e.was, target) }

// As finds all causes except an [Error], because that has the original text.
func (e rewordedError) As(target any) bool {
	if _, ok := target.(**Error); ok {
		return false
	}
	return errors.As(e.was, target)
}

// folded is a text without the escapes that formats put around characters, and with one case. Text
// that differs in those alone is the same.
type folded struct {
	text     string
	from, to []int // of each byte: where the characters that stand for it begin and end in the original
}

// mostUnescaped is how many times text is unescaped that was escaped more than once.
const mostUnescaped = 4

func fold(text string) folded {
	f := folded{text: text, from: make([]int, len(text)), to: make([]int, len(text))}
	for i := range len(text) {
		f.from[i], f.to[i] = i, i+1
	}
	for range mostUnescaped {
		before := f.text
		if f = f.unescaped(); f.text == before {
			break
		}
	}
	return f
}

// unescaped undoes one level of escapes.
func (f folded) unescaped() folded {
	var text []byte
	from, to := make([]int, 0, len(f.text)), make([]int, 0, len(f.text))
	for i := 0; i < len(f.text); {
		decoded, length := unescape(f.text[i:])
		for j := range len(decoded) {
			text = append(text, decoded[j])
			from, to = append(from, f.from[i]), append(to, f.to[i+length-1])
		}
		i += length
	}
	return folded{string(text), from, to}
}

// unescape decodes the escape at the beginning of a text, and returns the escape's length.
func unescape(s string) (decoded string, length int) {
	switch c := s[0]; {
	case c == '%' && len(s) >= 3:
		if b, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			return string([]byte{byte(b)}), 3
		}
	case c == '\\' && len(s) >= 2:
		return unescapeBackslash(s)
	case (c == '\'' || c == '"') && len(s) >= 2 && s[1] == c: // a quote in a quoted text
		return s[:1], 2
	case c == '&':
		if end := strings.IndexByte(s[:min(len(s), 10)], ';'); end > 0 {
			if text := html.UnescapeString(s[:end+1]); text != s[:end+1] {
				return text, end + 1
			}
		}
	case c == '+' || c == '-': // a blank in a query; URLs have - for the + of base64
		return " ", 1
	case c == '_':
		return "/", 1
	case c >= 'A' && c <= 'Z':
		return string(c - 'A' + 'a'), 1
	case c < ' ':
		return " ", 1
	}
	return s[:1], 1
}

// unescapeBackslash reads the escapes of JSON, Go and SQL strings.
func unescapeBackslash(s string) (decoded string, length int) {
	digits := map[byte]int{'u': 4, 'x': 2, 'U': 8}[s[1]]
	switch {
	case digits > 0 && len(s) >= 2+digits:
		r, ok := hexadecimal(s[2 : 2+digits])
		switch {
		case !ok:
			return s[1:2], 2
		case digits == 2: // a byte
			decoded, err := hex.DecodeString(s[2:4])
			if err != nil {
				return s[1:2], 2
			}
			return string(decoded), 4
		case utf16.IsSurrogate(r) && len(s) >= 12 && s[6:8] == `\u`:
			if low, ok := hexadecimal(s[8:12]); ok {
				return string(utf16.DecodeRune(r, low)), 12
			}
		}
		return string(r), 2 + digits
	case strings.IndexByte("nrtbfav", s[1]) >= 0:
		return " ", 2
	default:
		return s[1:2], 2
	}
}

func hexadecimal(digits string) (rune, bool) {
	n, err := strconv.ParseInt(digits, 16, 32)
	return rune(n), err == nil
}
