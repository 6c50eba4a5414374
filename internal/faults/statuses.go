package main

import (
	"fmt"
	"strings"
)

const (
	apiError = `{"error_code": "QUOTA_EXCEEDED", "message": "the quota of seven is used up"}`
	quota    = "the quota of seven is used up"
	htmlPage = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>"
)

// statuses are statuses of every class, each with every body.
func statuses() []*fault {
	var all []*fault
	for _, status := range []string{
		"200 OK", "201 Created", "202 Accepted", "203 Non-Authoritative Information", "204 No Content", "205 Reset Content", "206 Partial Content", "207 Multi-Status", "226 IM Used", "299 Fine",
		"300 Multiple Choices", "301 Moved Permanently", "302 Found", "303 See Other", "304 Not Modified", "305 Use Proxy", "306 Unused", "307 Temporary Redirect", "308 Permanent Redirect", "399 Odd",
		"400 Bad Request", "401 Unauthorized", "402 Payment Required", "403 Forbidden", "405 Method Not Allowed", "406 Not Acceptable", "407 Proxy Authentication Required", "408 Request Timeout",
		"409 Conflict", "410 Gone", "411 Length Required", "412 Precondition Failed", "413 Content Too Large", "414 URI Too Long", "415 Unsupported Media Type", "416 Range Not Satisfiable",
		"417 Expectation Failed", "418 I'm a teapot", "421 Misdirected Request", "422 Unprocessable Content", "423 Locked", "425 Too Early", "426 Upgrade Required", "428 Precondition Required",
		"429 Too Many Requests", "431 Request Header Fields Too Large", "451 Unavailable For Legal Reasons", "499 Odd",
		"500 Internal Server Error", "501 Not Implemented", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout", "505 HTTP Version Not Supported", "507 Insufficient Storage",
		"508 Loop Detected", "511 Network Authentication Required", "599 Odd", "600 Odd", "700 Odd", "999 Odd",
	} {
		all = append(all, statusWith(status)...)
	}
	return all
}

// statusWith is a status with every body.
func statusWith(status string) []*fault {
	success := status[0] == '2'
	bare := func(_ answer, _ string) script {
		return script{chunks: []string{head(status, []string{"Content-Length: 0"})}}
	}
	bodyless := strings.HasPrefix(status, "204") || strings.HasPrefix(status, "304")
	if bodyless {
		bare = func(_ answer, _ string) script { return script{chunks: []string{head(status, nil)}} }
	}
	noBody := &fault{name: status + ", no body", play: bare, want: fails}
	if success {
		noBody.want = failsUnlessEmpty // an object or a list is documented, and nothing came
	}
	if bodyless {
		return []*fault{waitsOut(noBody)}
	}
	with := func(name, contentType, body string, want func(*surface) verdict) *fault {
		return waitsOut(&fault{name: status + ", " + name, want: want, play: func(_ answer, good string) script {
			text := body
			if text == "" {
				text = good
			}
			return script{chunks: []string{respond(status, []string{"Content-Type: " + contentType}, text)}}
		}})
	}
	good, told := fails, failsSaying(quota)
	if success {
		good = right
	}
	switch status[:3] {
	case "203", "205", "206", "207", "226", "299":
		good = rightOrFails // what a proxy changed, a part, or nothing: whoever takes the body must take all of it
	case "401", "403":
		told = fails // the advice is told, and may stand for the message
	}
	if status[0] == '3' {
		told = fails // it names the place instead
	}
	return []*fault{
		waitsOut(noBody),
		with("the good body", "application/json", "", good),
		with("an error", "application/json", apiError, told),
		with("a page", "text/html", htmlPage, fails),
	}
}

// waitsOut marks a fault that a pipeline repeats for a while before it gives up: these cells test one
// attempt, and belong to passing.
func waitsOut(f *fault) *fault {
	if strings.HasPrefix(f.name, "429") || strings.HasPrefix(f.name, "503") {
		f.applies = func(s *surface) bool { return !s.pipeline }
	}
	return f
}

// statusLines are invalid status lines, and odd ones that are valid.
func statusLines() []*fault {
	var all []*fault
	add := func(line string, want func(*surface) verdict) {
		all = append(all, &fault{name: fmt.Sprintf("%q", line), want: want, play: func(_ answer, good string) script {
			return script{chunks: []string{line + strings.TrimPrefix(ok(good), "HTTP/1.1 200 OK")}}
		}})
	}
	for _, line := range []string{
		"HTTP/1.1 000 Zero", "HTTP/1.1 099 Odd", "HTTP/1.1 0 Odd", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 20x OK", "HTTP/1.1 -200 OK", "HTTP/1.1 +20 OK", "HTTP/1.1 OK", "HTTP/1.1", "HTTP/1.1 ",
		"HTTP/1.1 200OK", "HTTP/ 200 OK", "HTTP/x.y 200 OK", "200 OK", "ICY 200 OK", "SSH-2.0-OpenSSH_9.6", "\x15\x03\x01\x00\x02\x02\x28", "PRI * HTTP/2.0", "\x00\x00\x00", "<html>", "{}", "\r\n", "",
	} {
		add(line, fails)
	}
	add("HTTP/1.1 200", right) // the reason is nobody's business (RFC 9112, 4)
	add("HTTP/1.1 200 ", right)
	add("HTTP/1.1 200 Entirely fine", right)
	add("HTTP/1.0 200 OK", right)
	for _, line := range []string{"HTTP/2.0 200 OK", "HTTP/9.9 200 OK", "http/1.1 200 OK", "HTTP/1.1  200 OK", "\r\nHTTP/1.1 200 OK"} {
		add(line, rightOrFails)
	}
	return all
}

// interim are answers before the answer (RFC 9110, 15.2).
func interim() []*fault {
	var all []*fault
	add := func(name, first string, want func(*surface) verdict) {
		all = append(all, &fault{name: name, slow: strings.HasPrefix(name, "101"), want: want, play: func(_ answer, good string) script {
			return script{chunks: []string{first, ok(good)}}
		}})
	}
	add("100, then the answer", head("100 Continue", nil), right)
	add("102, then the answer", head("102 Processing", nil), right)
	add("103, then the answer", head("103 Early Hints", []string{"Link: </x.css>; rel=preload"}), right)
	add("199, then the answer", head("199 Odd", nil), right)
	add("100 three times, then the answer", strings.Repeat(head("100 Continue", nil), 3), right)
	add("100 a thousand times, then the answer", strings.Repeat(head("100 Continue", nil), 1000), rightOrFails)
	add("101, then the answer", head("101 Switching Protocols", []string{"Connection: Upgrade", "Upgrade: h2c"}), fails)
	add("101 without headers, then the answer", head("101 Switching Protocols", nil), fails)
	for _, status := range []string{"100 Continue", "101 Switching Protocols", "103 Early Hints"} {
		for name, end := range endings() {
			if status[:3] == "101" && end == cancelled {
				continue // 101 is an error at once, and nobody is waited for
			}
			all = append(all, &fault{name: status[:3] + ", then " + name, slow: true, want: sentAgain(end, fails), play: func(answer, string) script {
				return script{chunks: []string{head(status, nil)}, end: end}
			}})
		}
	}
	return all
}

// redirects lead to another host. They are not followed, because a credential goes only to its own host.
func redirects() []*fault {
	var all []*fault
	for _, status := range []string{"300 Multiple Choices", "301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"} {
		for _, location := range []string{"/elsewhere", "?x=1", "", "https://login.example/", "//login.example/", "::::", "javascript:alert(1)", "/a\x1b[31m"} {
			all = append(all, &fault{name: fmt.Sprintf("%s to %q", status[:3], location), want: fails, play: func(answer, string) script {
				return script{chunks: []string{respond(status, []string{"Location: " + location}, "")}}
			}})
		}
		all = append(all, &fault{name: status[:3] + " to two places", want: fails, play: func(answer, string) script {
			return script{chunks: []string{respond(status, []string{"Location: /a", "Location: /b"}, "")}}
		}})
	}
	return all
}

// notFound are answers with status 404. Such an answer means no row only if it reports, in the API's own
// form, that the resource does not exist, and if the statement named a resource.
func notFound() []*fault {
	gone := func(s *surface) verdict {
		switch s.missing {
		case noRow:
			return verdict{rows: []string{s.none}}
		case noRowOrError:
			return verdict{rows: []string{s.none}, fails: true}
		case isError:
		}
		return fails(s)
	}
	goneOrFails := func(s *surface) verdict { return gone(s).or(fails(s)) }
	var all []*fault
	add := func(name, contentType, body string, want func(*surface) verdict) {
		all = append(all, &fault{name: name, want: want, play: func(_ answer, good string) script {
			text := body
			if text == "good" {
				text = good
			}
			return script{chunks: []string{respond("404 Not Found", []string{"Content-Type: " + contentType}, text)}}
		}})
	}
	const form = "application/json"
	add("RESOURCE_DOES_NOT_EXIST", form, `{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "it does not exist"}`, gone)
	add("NOT_FOUND", form, `{"error_code": "NOT_FOUND", "message": "it does not exist", "details": []}`, gone)
	add("an error of SCIM", form, `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": "it does not exist", "status": "404"}`, goneOrFails)
	add("ENDPOINT_NOT_FOUND", form, `{"error_code": "ENDPOINT_NOT_FOUND", "message": "No API found for 'GET /x'"}`, fails)
	add("FEATURE_DISABLED", form, `{"error_code": "FEATURE_DISABLED", "message": "not here"}`, fails)
	add("an error of another code", form, apiError, fails)
	add("an error without a code", form, `{"message": "Not Found"}`, fails)
	add("a code without a message", form, `{"error_code": "NOT_FOUND"}`, goneOrFails)
	add("an error in text", "text/plain", `RESOURCE_DOES_NOT_EXIST: it does not exist`, goneOrFails)
	add("the good body", form, "good", fails)
	add("a page", "text/html", htmlPage, fails)
	add("a page that names the code", "text/html", "<pre>RESOURCE_DOES_NOT_EXIST: it does not exist</pre>", fails)
	add("text", "text/plain", "404 page not found", fails)
	add("an object without attributes", form, `{}`, fails)
	add("an empty list", form, `[]`, fails)
	add("null", form, `null`, fails)
	add("JSON that is cut", form, `{"error_code": "NOT_FOUND", "mess`, fails)
	add("no body", form, "", fails)
	all = append(all, &fault{name: "a body that is cut", slow: true, want: fails, play: func(answer, string) script {
		return script{chunks: []string{head("404 Not Found", []string{"Content-Type: application/json", "Content-Length: 900"}) + `{"error_code": "NOT_FOUND", "message": "it does`}, end: closed}
	}})
	// The official SDK takes this for a cluster that does not exist.
	all = append(all, &fault{name: "400 for a cluster", want: goneOrFails, play: func(answer, string) script {
		return script{chunks: []string{respond("400 Bad Request", nil, `{"error_code": "INVALID_PARAMETER_VALUE", "message": "Cluster c1 does not exist"}`)}}
	}})
	return all
}
