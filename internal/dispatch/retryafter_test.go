package dispatch

import (
	"net/http"
	"testing"
	"time"
)

// FuzzRetryAfter shows that no header makes the client wait for less than nothing or for more than a day.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "5", "-1", "99999999999999999999", "1.5", "Fri, 31 Dec 9999 23:59:59 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "soon", "5, 6"} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		wait := retryAfter(http.Header{"Retry-After": {text}}, now)
		if wait < 0 || wait > 24*time.Hour {
			t.Errorf("%q: %s", text, wait)
		}
		if pause := backoff(&attemptError{after: wait}, 1<<30); pause < wait || pause > 2*wait+2*longestBackoff {
			t.Errorf("%q: the pause is %s", text, pause)
		}
	})
}
