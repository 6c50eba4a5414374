package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"strings"
)

// encodings are compressed bodies, and bodies that wrongly claim to be compressed.
func encodings() []*fault {
	var all []*fault
	add := func(name, said string, of func(good string) string, want func(*surface) verdict) {
		all = append(all, &fault{name: name, want: want, play: func(_ answer, good string) script {
			headers := []string{"Content-Type: application/json"}
			if said != "" {
				headers = append(headers, "Content-Encoding: "+said)
			}
			return script{chunks: []string{respond("200 OK", headers, of(good))}}
		}})
	}
	same := func(good string) string { return good }
	add("gzip", "gzip", zipped, right)
	add("gzip that is said in capitals", "GZIP", zipped, rightOrFails)
	add("gzip in two parts", "gzip", func(good string) string { return zipped(good[:len(good)/2]) + zipped(good[len(good)/2:]) }, rightOrFails)
	add("gzip that is not said", "", zipped, failsUnlessEmpty)
	add("gzip that is none", "gzip", same, failsUnlessEmpty)
	add("gzip of nothing", "gzip", func(string) string { return zipped("") }, failsUnlessEmpty)
	add("gzip without a byte", "gzip", func(string) string { return "" }, failsUnlessEmpty)
	add("gzip that is cut", "gzip", func(good string) string { return zipped(good)[:len(zipped(good))/2] }, failsUnlessEmpty)
	add("gzip without its check sum", "gzip", func(good string) string { return zipped(good)[:len(zipped(good))-8] }, failsUnlessEmpty)
	add("gzip with a wrong check sum", "gzip", func(good string) string {
		wrong := []byte(zipped(good))
		wrong[len(wrong)-8] ^= 1
		return string(wrong)
	}, failsUnlessEmpty)
	add("gzip with something behind it", "gzip", func(good string) string { return zipped(good) + "xyz" }, rightOrFails)
	add("gzip twice, said once", "gzip", func(good string) string { return zipped(zipped(good)) }, failsUnlessEmpty)
	add("gzip twice, said twice", "gzip, gzip", func(good string) string { return zipped(zipped(good)) }, rightOrFails)
	add("deflate, not asked for", "deflate", func(good string) string {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, _ = w.Write([]byte(good)) // a buffer takes all
		_ = w.Close()
		return b.String()
	}, rightOrFails)
	for _, said := range []string{"br", "zstd", "identity", "no-such-thing", "gzip, br"} {
		add("said to be "+said, said, same, rightOrFails)
	}
	return all
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // a buffer takes all
	_ = w.Close()
	return b.String()
}

// framings say where the body ends, and lie.
func framings() []*fault {
	var all []*fault
	add := func(name string, want func(*surface) verdict, end ending, chunks func(good string) []string) {
		all = append(all, &fault{name: name, want: want, play: func(_ answer, good string) script { return script{chunks: chunks(good), end: end} }})
	}
	length := func(format string, more int) func(good string) []string {
		return func(good string) []string {
			said := strings.ReplaceAll(format, "%", fmt.Sprint(len(good)+more))
			return []string{head("200 OK", append([]string{"Content-Type: application/json"}, strings.Split(said, "\n")...)) + good}
		}
	}
	add("a length that is too long", failsUnlessEmpty, closed, length("Content-Length: %", 1))
	add("a length that is much too long", failsUnlessEmpty, closed, length("Content-Length: %00000", 0))
	add("a length without bounds", fails, closed, length("Content-Length: 99999999999999999999", 0))
	add("a length that is too short", failsUnlessEmpty, closed, length("Content-Length: %", -1))
	add("a length of 0", failsUnlessEmpty, closed, length("Content-Length: 0", 0))
	add("a length below 0", fails, closed, length("Content-Length: -%", 0))
	add("a length that is no number", fails, closed, length("Content-Length: many", 0))
	add("a length in hexadecimal", fails, closed, length("Content-Length: 0x%", 0))
	add("a length with a sign", rightOrFails, closed, length("Content-Length: +%", 0))
	add("an empty length", rightOrFails, closed, length("Content-Length: ", 0))
	add("the same length twice", rightOrFails, closed, length("Content-Length: %\nContent-Length: %", 0))
	add("two lengths", fails, closed, length("Content-Length: %\nContent-Length: 1", 0))
	add("no length", right, closed, length("Connection: close", 0))
	add("a length and an end of the connection", right, closed, length("Content-Length: %\nConnection: close", 0))
	add("the connection ends without a word", right, closed, length("Content-Length: %", 0))
	add("the connection is reset without a word", rightOrFails, reset, length("Content-Length: %", 0))

	parts := func(lines ...string) func(good string) []string {
		return func(good string) []string {
			out := []string{head("200 OK", []string{"Content-Type: application/json", "Transfer-Encoding: chunked"})}
			half := len(good) / 2
			for _, line := range lines {
				out = append(out, strings.NewReplacer(
					"FIRST", fmt.Sprintf("%x\r\n%s\r\n", half, good[:half]), "SECOND", fmt.Sprintf("%x\r\n%s\r\n", len(good)-half, good[half:]),
				).Replace(line))
			}
			return out
		}
	}
	add("in chunks", right, keepOpen, parts("FIRST", "SECOND", "0\r\n\r\n"))
	add("in chunks, with a trailer", right, keepOpen, parts("FIRST", "SECOND", "0\r\nX-Checked: yes\r\n\r\n"))
	add("in chunks, without the last one", failsUnlessEmpty, closed, parts("FIRST", "SECOND"))
	add("in chunks, without the last line", failsUnlessEmptyOrRight, closed, parts("FIRST", "SECOND", "0\r\n"))
	add("in chunks, half of them", failsUnlessEmpty, closed, parts("FIRST"))
	add("in chunks, half of them and an end", failsUnlessEmpty, keepOpen, parts("FIRST", "0\r\n\r\n"))
	add("in chunks, none", failsUnlessEmpty, keepOpen, parts("0\r\n\r\n"))
	add("a chunk's size is no number", failsUnlessEmpty, closed, parts("FIRST", "zz\r\nx\r\n", "SECOND", "0\r\n\r\n"))
	add("a chunk's size is too long", failsUnlessEmpty, closed, parts("FIRST", "ffffffffffffffffff\r\n", "SECOND", "0\r\n\r\n"))
	add("a chunk's size is below 0", failsUnlessEmpty, closed, parts("FIRST", "-1\r\n", "SECOND", "0\r\n\r\n"))
	add("a chunk is longer than it says", failsUnlessEmpty, closed, parts("FIRST", "1\r\nxyz\r\n", "SECOND", "0\r\n\r\n"))
	add("something comes behind the last chunk", rightOrFails, closed, parts("FIRST", "SECOND", "0\r\n\r\nxyz"))
	add("chunks that are none", failsUnlessEmpty, closed, func(good string) []string {
		return []string{head("200 OK", []string{"Transfer-Encoding: chunked"}), good}
	})
	add("chunks that are not said", failsUnlessEmpty, closed, func(good string) []string {
		return []string{head("200 OK", []string{"Connection: close"}), fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(good), good)}
	})
	for _, coding := range []string{"gzip, chunked", "identity", "chunked, chunked", "Chunked", "x"} {
		add("transfer coding "+coding, rightOrFails, closed, func(good string) []string {
			return []string{head("200 OK", []string{"Transfer-Encoding: " + coding}), fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(good), good)}
		})
	}
	add("a length and chunks", rightOrFails, closed, func(good string) []string {
		return []string{head("200 OK", []string{"Content-Length: 3", "Transfer-Encoding: chunked"}), fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(good), good)}
	})
	add("byte by byte", right, keepOpen, func(good string) []string { return strings.Split(ok(good), "") })
	return all
}

// failsUnlessEmptyOrRight is for an answer without its last bytes, which have no meaning.
func failsUnlessEmptyOrRight(s *surface) verdict { return rightOrFails(s) }

// headers are odd headers of a good body.
func headers() []*fault {
	var all []*fault
	add := func(name string, want func(*surface) verdict, lines ...string) {
		all = append(all, &fault{name: name, want: want, play: func(_ answer, good string) script {
			return script{chunks: []string{respond("200 OK", lines, good)}}
		}})
	}
	for _, contentType := range []string{"application/json; charset=utf-8", "application/scim+json", "APPLICATION/JSON"} {
		add("content type "+contentType, right, "Content-Type: "+contentType)
	}
	// The API's front says other types at times. The body is JSON of the documented kind.
	for _, contentType := range []string{"text/plain", "text/html", "application/octet-stream", "image/png", "application/json; charset=utf-16", "", ";;;", "a\tb", "multipart/form-data; boundary=x"} {
		add("content type "+contentType, rightOrFails, "Content-Type: "+contentType)
	}
	add("no content type", right, "X-Nothing: 1")
	add("two content types", rightOrFails, "Content-Type: application/json", "Content-Type: text/html")
	add("a header of 2 MiB", failsUnlessEmptyOrRight, "X-Long: "+strings.Repeat("x", 2<<20))
	add("headers of 2 MiB", failsUnlessEmptyOrRight, strings.Split(strings.TrimSuffix(strings.Repeat("X-Many: "+strings.Repeat("x", 1000)+"\n", 2100), "\n"), "\n")...)
	add("a header without a colon", rightOrFails, "Content-Type: application/json", "nothing")
	add("a header without a name", rightOrFails, "Content-Type: application/json", ": nothing")
	add("a header's name with a blank", rightOrFails, "Content-Type: application/json", "X Y: nothing")
	add("a header on two lines", rightOrFails, "Content-Type: application/json", "X-Y: a", " b")
	add("a header with a NUL", rightOrFails, "Content-Type: application/json", "X-Y: a\x00b")
	add("a header with control characters", rightOrFails, "Content-Type: application/json", "X-Request-Id: \x1b[31mred")
	add("a header with bytes that are no UTF-8", rightOrFails, "Content-Type: application/json", "X-Request-Id: \xff\xfe")
	add("a cookie", right, "Content-Type: application/json", "Set-Cookie: a=b")
	add("a Retry-After with status 200", right, "Content-Type: application/json", "Retry-After: 3600")
	add("a range", rightOrFails, "Content-Type: application/json", "Content-Range: bytes 0-3/900")
	all = append(all, &fault{name: "lines that end in a line feed alone", want: rightOrFails, play: func(_ answer, good string) script {
		return script{chunks: []string{strings.ReplaceAll(head("200 OK", []string{fmt.Sprintf("Content-Length: %d", len(good))}), "\r\n", "\n") + good}}
	}})
	all = append(all, &fault{name: "something behind the body", want: rightOrFails, play: func(_ answer, good string) script {
		return script{chunks: []string{ok(good) + "xyz"}, end: closed}
	}})
	return all
}
