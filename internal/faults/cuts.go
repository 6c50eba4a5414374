package main

import (
	"fmt"
	"strings"
)

// endings are how a connection may end, by name.
func endings() map[string]ending {
	return map[string]ending{"closed": closed, "reset": reset, "silence": silent, "silence and Ctrl-C": cancelled}
}

// cuts end the connection at every moment of an answer. Whatever is left is not taken for the whole.
func cuts() []*fault {
	var all []*fault
	add := func(name string, want func(*surface) verdict, early bool, chunks func(good string) []string) {
		for how, end := range endings() {
			f := &fault{name: name + ": " + how, slow: true, want: sentAgain(end, want), play: func(_ answer, good string) script {
				return script{chunks: chunks(good), end: end, early: early}
			}}
			if early {
				f.applies = func(s *surface) bool { return s.calls[s.target].has == "" || !s.writes() } // the head tells the call
			}
			all = append(all, f)
		}
	}
	none := func(string) []string { return nil }
	add("before the request is read", fails, true, none)
	add("before the status line", fails, false, none)
	add("within the status line", fails, false, func(string) []string { return []string{"HTTP/1.1 20"} })
	add("behind the status line", fails, false, func(string) []string { return []string{"HTTP/1.1 200 OK\r\n"} })
	add("within the headers", fails, false, func(string) []string { return []string{"HTTP/1.1 200 OK\r\nContent-Type: applica"} })
	long := func(good string) string {
		return head("200 OK", []string{"Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(good))})
	}
	add("before the body", failsUnlessEmpty, false, func(good string) []string { return []string{long(good)} })
	add("within the body", failsUnlessEmpty, false, func(good string) []string { return []string{long(good), good[:len(good)/2]} })
	add("before the last byte", failsUnlessEmpty, false, func(good string) []string { return []string{long(good), good[:len(good)-1]} })
	chunked := head("200 OK", []string{"Content-Type: application/json", "Transfer-Encoding: chunked"})
	chunk := func(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }
	add("before the first chunk", failsUnlessEmpty, false, func(string) []string { return []string{chunked} })
	add("behind a chunk", failsUnlessEmpty, false, func(good string) []string { return []string{chunked, chunk(good[:len(good)/2])} })
	add("within a chunk", failsUnlessEmpty, false, func(good string) []string {
		text := chunk(good)
		return []string{chunked, text[:len(text)/2]}
	})
	add("before the last chunk", failsUnlessEmpty, false, func(good string) []string { return []string{chunked, chunk(good)} })
	add("within a body of unknown length", failsUnlessEmpty, false, func(good string) []string {
		return []string{head("200 OK", []string{"Connection: close"}), good[:len(good)/2]}
	})
	add("within a compressed body", failsUnlessEmpty, false, func(good string) []string {
		text := zipped(good)
		return []string{head("200 OK", []string{"Content-Encoding: gzip", fmt.Sprintf("Content-Length: %d", len(text))}), text[:len(text)/2]}
	})
	add("within an error", fails, false, func(string) []string {
		return []string{head("500 Internal Server Error", []string{"Content-Type: application/json", "Content-Length: 900"}), apiError[:20]}
	})
	return all
}

// sentAgain allows the rows where only the first request fails, if a connection that ended may be to blame
// and the call may be sent again on another one.
func sentAgain(end ending, want func(*surface) verdict) func(*surface) verdict {
	return func(s *surface) verdict {
		if s.once && !s.writes() && (end == closed || end == reset) {
			return want(s).or(right(s))
		}
		return want(s)
	}
}

// passing are faults that are gone at the second request. A request that is safe to repeat is repeated, and
// returns the rows; a request that may have had an effect is not sent twice.
func passing() []*fault {
	var all []*fault
	add := func(name string, want func(*surface) verdict, play func(a answer, good string) script) {
		all = append(all, &fault{name: name, once: true, slow: true, want: want, play: play})
	}
	// repeated is right for every method: the server says that it did nothing.
	repeated := func(s *surface) verdict {
		v := right(s)
		v.sent = 2
		return v
	}
	readOnly := func(s *surface) verdict {
		if s.writes() {
			return fails(s)
		}
		return right(s)
	}
	for name, line := range map[string]string{
		"": "", " with Retry-After 0": "Retry-After: 0", " with Retry-After 1": "Retry-After: 1", " with Retry-After in the past": "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT", " with a Retry-After that is none": "Retry-After: soon",
		" with a Retry-After below 0": "Retry-After: -5",
	} {
		for _, status := range []string{"429 Too Many Requests", "503 Service Unavailable"} {
			add(status[:3]+name, repeated, func(answer, string) script {
				headers := []string{"Content-Type: application/json"}
				if line != "" {
					headers = append(headers, line)
				}
				return script{chunks: []string{respond(status, headers, `{"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "later"}`)}}
			})
		}
	}
	add("429 with a page", repeated, func(answer, string) script {
		return script{chunks: []string{respond("429 Too Many Requests", []string{"Content-Type: text/html"}, htmlPage)}}
	})
	add("503 without a body", repeated, func(answer, string) script {
		return script{chunks: []string{respond("503 Service Unavailable", nil, "")}}
	})
	// Messages with which the official SDK sends again, whatever the status (apierr/error_overrides.go).
	for _, message := range []string{
		"com.databricks.backend.manager.util.UnknownWorkerEnvironmentException: x", "Workspace 1 does not have any associated worker environments", "There is no worker environment with id x", "Unknown worker environment",
		"ClusterNotReadyException: x", "worker env x not found", "Timed out after 5 seconds", "deadline exceeded",
	} {
		add("400: "+message, repeated, func(answer, string) script {
			return script{chunks: []string{respond("400 Bad Request", nil, `{"error_code": "BAD_REQUEST", "message": "`+message+`"}`)}}
		})
	}
	for _, end := range []string{"closed", "reset", "silence"} {
		add("before the status line: "+end, readOnly, func(answer, string) script { return script{end: endings()[end]} })
		add("within the headers: "+end, readOnly, func(answer, string) script {
			return script{chunks: []string{"HTTP/1.1 200 OK\r\nX: "}, end: endings()[end]}
		})
		add("within the body: "+end, readOnly, func(_ answer, good string) script {
			text := ok(good)
			return script{chunks: []string{text[:strings.Index(text, "\r\n\r\n")+5]}, end: endings()[end]}
		})
	}
	return all
}
