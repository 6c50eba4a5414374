package functions

import (
	"crypto/md5" //nolint:gosec // md5() is a function of PostgreSQL's, for keys and checks of equality
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"
)

func textFunctions() []function {
	length := func(s string) (any, error) { return int64(utf8.RuneCountInString(s)), nil }
	return []function{
		{name: "split_part", args: []int{3}, call: splitPart},
		{name: "lakeql_left", args: []int{2}, call: left},
		{name: "lakeql_right", args: []int{2}, call: right},
		{name: "lpad", args: []int{2, 3}, call: func(args []sqlite3.Value) (any, error) { return pad(args, true) }},
		{name: "rpad", args: []int{2, 3}, call: func(args []sqlite3.Value) (any, error) { return pad(args, false) }},
		text("initcap", func(s string) (any, error) { return initcap(s), nil }),
		text("reverse", func(s string) (any, error) { return reverse(s), nil }),
		text("char_length", length),
		text("character_length", length),
		text("md5", func(s string) (any, error) {
			sum := md5.Sum([]byte(s)) //nolint:gosec // see the import
			return hex.EncodeToString(sum[:]), nil
		}),
		text("sha256", func(s string) (any, error) {
			sum := sha256.Sum256([]byte(s))
			return sum[:], nil
		}),
		text("ascii", func(s string) (any, error) {
			if s == "" {
				return int64(0), nil
			}
			r, _ := utf8.DecodeRuneInString(s)
			return int64(r), nil
		}),
		{name: "chr", args: []int{1}, call: func(args []sqlite3.Value) (any, error) {
			if code := args[0].Int64(); code > 0 && code <= utf8.MaxRune && utf8.ValidRune(rune(code)) {
				return string(rune(code)), nil
			}
			return nil, errors.New("the number is that of no character")
		}},
		text("quote_literal", func(s string) (any, error) { return "'" + strings.ReplaceAll(s, "'", "''") + "'", nil }),
		text("quote_ident", func(s string) (any, error) { return quoteIdent(s), nil }),
		{name: "repeat", args: []int{2}, call: repeat},
		{name: "strpos", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			return position(args[1].Text(), args[0].Text()), nil
		}},
		{name: "lakeql_position", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			return position(args[0].Text(), args[1].Text()), nil
		}},
		{name: "starts_with", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			return strings.HasPrefix(args[0].Text(), args[1].Text()), nil
		}},
		{name: "translate", args: []int{3}, call: translate},
		{name: "btrim", args: []int{1, 2}, call: func(args []sqlite3.Value) (any, error) {
			set := " "
			if len(args) > 1 {
				set = args[1].Text()
			}
			return strings.Trim(args[0].Text(), set), nil
		}},
		{name: "lakeql_trim", args: []int{2, 3}, call: trim},
		{name: "lakeql_substring", args: []int{2, 3}, call: substring},
		{name: "lakeql_overlay", args: []int{3, 4}, call: overlay},
		{name: "encode", args: []int{2}, call: encode},
		{name: "decode", args: []int{2}, call: decode},
	}
}

// splitPart is split_part(text, separator, n): the n-th part from 1, or from the end if n is negative;
// an empty text if there are fewer.
func splitPart(args []sqlite3.Value) (any, error) {
	text, separator, n := args[0].Text(), args[1].Text(), args[2].Int()
	if n == 0 {
		return nil, errors.New("parts count from 1, or from -1 at the end")
	}
	parts := []string{text}
	if separator != "" {
		parts = strings.Split(text, separator)
	}
	if n < 0 {
		n += len(parts) + 1
	}
	if n < 1 || n > len(parts) {
		return "", nil
	}
	return parts[n-1], nil
}

// left is left(text, n): the first n characters, or all but the last -n.
func left(args []sqlite3.Value) (any, error) {
	runes, n := []rune(args[0].Text()), args[1].Int64()
	if n < 0 {
		n += int64(len(runes))
	}
	return string(runes[:min(max(n, 0), int64(len(runes)))]), nil
}

// right is right(text, n): the last n characters, or all but the first -n.
func right(args []sqlite3.Value) (any, error) {
	runes, n := []rune(args[0].Text()), args[1].Int64()
	if n < 0 {
		n += int64(len(runes))
	}
	return string(runes[int64(len(runes))-min(max(n, 0), int64(len(runes))):]), nil
}

// longest bounds how long a text becomes that repeats another one.
const longest = 16 << 20

func pad(args []sqlite3.Value, atLeft bool) (any, error) {
	runes, n, fill := []rune(args[0].Text()), args[1].Int64(), []rune(" ")
	if len(args) > 2 {
		fill = []rune(args[2].Text())
	}
	if n > longest {
		return nil, errors.New("the text becomes too long")
	}
	n = max(n, 0)
	if int64(len(runes)) >= n {
		return string(runes[:n]), nil
	}
	if len(fill) == 0 {
		return string(runes), nil
	}
	padding := make([]rune, n-int64(len(runes)))
	for i := range padding {
		padding[i] = fill[i%len(fill)]
	}
	if atLeft {
		return string(padding) + string(runes), nil
	}
	return string(runes) + string(padding), nil
}

func initcap(s string) string {
	inside := false
	return strings.Map(func(r rune) rune {
		was := inside
		inside = unicode.IsLetter(r) || unicode.IsDigit(r)
		if was {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

func reverse(s string) string {
	runes := []rune(s)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}

func quoteIdent(s string) string {
	plain := s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == "" && (s[0] < '0' || s[0] > '9')
	if plain {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

func repeat(args []sqlite3.Value) (any, error) {
	text, n := args[0].Text(), max(args[1].Int64(), 0)
	if n > longest || int64(len(text))*n > longest {
		return nil, errors.New("the text becomes too long")
	}
	return strings.Repeat(text, int(n)), nil
}

// position returns the position of a part of a text, from 1; 0 if the text does not have the part.
func position(part, text string) int64 {
	at := strings.Index(text, part)
	if at < 0 {
		return 0
	}
	return int64(utf8.RuneCountInString(text[:at])) + 1
}

func translate(args []sqlite3.Value) (any, error) {
	from, to := []rune(args[1].Text()), []rune(args[2].Text())
	into := map[rune]rune{}
	for i, r := range from {
		if _, known := into[r]; known {
			continue
		}
		into[r] = -1
		if i < len(to) {
			into[r] = to[i]
		}
	}
	return strings.Map(func(r rune) rune {
		if other, ok := into[r]; ok {
			return other
		}
		return r
	}, args[0].Text()), nil
}

// trim is lakeql_trim(side, [characters,] text).
func trim(args []sqlite3.Value) (any, error) {
	set, text := " ", args[len(args)-1].Text()
	if len(args) > 2 {
		set = args[1].Text()
	}
	switch args[0].Text() {
	case "leading":
		return strings.TrimLeft(text, set), nil
	case "trailing":
		return strings.TrimRight(text, set), nil
	default:
		return strings.Trim(text, set), nil
	}
}

// substring is substring(text FROM start [FOR length]), or substring(text FROM pattern).
func substring(args []sqlite3.Value) (any, error) {
	if args[1].Type() == sqlite3.TEXT {
		if len(args) > 2 {
			return nil, errors.New("a pattern with FOR is not supported")
		}
		return firstMatch(args[0].Text(), args[1].Text())
	}
	runes, start := []rune(args[0].Text()), args[1].Int64()
	end := int64(len(runes)) + 1
	if len(args) > 2 {
		length := args[2].Int64()
		if length < 0 {
			return nil, errors.New("the length is negative")
		}
		end = min(end, addSaturated(start, length))
	}
	start = max(start, 1)
	if start >= end {
		return "", nil
	}
	return string(runes[start-1 : end-1]), nil
}

func addSaturated(a, b int64) int64 {
	if sum := a + b; b >= 0 == (sum >= a) {
		return sum
	}
	return 1<<63 - 1
}

// overlay is overlay(text PLACING part FROM start [FOR length]).
func overlay(args []sqlite3.Value) (any, error) {
	runes, part, start := []rune(args[0].Text()), []rune(args[1].Text()), args[2].Int64()
	length := int64(len(part))
	if len(args) > 3 {
		length = args[3].Int64()
	}
	if start < 1 || length < 0 {
		return nil, errors.New("the start counts from 1, and the length from 0")
	}
	from := min(start-1, int64(len(runes)))
	to := min(addSaturated(from, length), int64(len(runes)))
	return string(runes[:from]) + string(part) + string(runes[to:]), nil
}

// encode is encode(bytes, format): hex or base64.
func encode(args []sqlite3.Value) (any, error) {
	data := args[0].Blob(nil)
	switch strings.ToLower(args[1].Text()) {
	case "hex":
		return hex.EncodeToString(data), nil
	case "base64":
		const line = 76 // as in MIME
		encoded := base64.StdEncoding.EncodeToString(data)
		var lines []string
		for len(encoded) > line {
			lines, encoded = append(lines, encoded[:line]), encoded[line:]
		}
		return strings.Join(append(lines, encoded), "\n"), nil
	}
	return nil, errors.New("the formats are hex and base64")
}

// decode is decode(text, format), which returns bytes.
func decode(args []sqlite3.Value) (any, error) {
	var data []byte
	var err error
	switch strings.ToLower(args[1].Text()) {
	case "hex":
		data, err = hex.DecodeString(args[0].Text())
	case "base64":
		data, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(args[0].Text()), ""))
	default:
		return nil, errors.New("the formats are hex and base64")
	}
	if err != nil {
		return nil, errors.New("the text is not of that format")
	}
	return data, nil
}

// randomUUID is gen_random_uuid(): a UUID of version 4.
func randomUUID(ctx sqlite3.Context, _ ...sqlite3.Value) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	ctx.ResultText(fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]))
}
