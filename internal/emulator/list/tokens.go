package list

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
)

// Tokens makes and reads page tokens. A token holds the item after which a page begins, and is
// signed for the list that returned it. Tokens may be used by several goroutines.
type Tokens struct {
	key      []byte
	pageSize int
}

// NewTokens makes the tokens of an emulator, with how many items a page holds by default.
func NewTokens(pageSize int) *Tokens {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return &Tokens{key: key, pageSize: pageSize}
}

// Window is the part of a list that a request wants.
type Window struct {
	After string // id of the last item before the page; empty: the page is the first
	Size  int
}

// Read takes page_size and page_token from a query. A larger page than maximum is refused. If
// maximum is 0, pages have at most a thousand items, and larger sizes are cut.
func (t *Tokens) Read(query url.Values, list string, maximum int) (Window, error) {
	const most = 1000
	limit := maximum
	if limit == 0 {
		limit = most
	}
	wanted := Window{Size: min(t.pageSize, limit)}
	if text := query.Get("page_size"); text != "" {
		n, err := strconv.Atoi(text)
		switch {
		case err != nil || n < 0:
			return Window{}, apierror.Invalid("page_size must be a number that is not negative, not %q.", apierror.Printable(text))
		case maximum > 0 && n > maximum:
			return Window{}, apierror.Invalid("page_size may be at most %d, not %d.", maximum, n)
		case n > 0: // 0 means the default
			wanted.Size = min(n, limit)
		}
	}
	if token := query.Get("page_token"); token != "" {
		after, ok := t.open(token, list)
		if !ok {
			return Window{}, apierror.Invalid("page_token is not one that this list gave.")
		}
		wanted.After = after
	}
	return wanted, nil
}

// macSize is how many bytes of the MAC a token carries: too many to guess.
const macSize = 12

// Token makes the token of the page that begins after a position. list identifies the list: workspace,
// collection, filters.
func (t *Tokens) Token(list, after string) string {
	return base64.RawURLEncoding.EncodeToString(append(t.mac(list, after), after...))
}

func (t *Tokens) open(token, list string) (after string, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= macSize {
		return "", false
	}
	after = string(raw[macSize:])
	return after, hmac.Equal(raw[:macSize], t.mac(list, after))
}

func (t *Tokens) mac(list, after string) []byte {
	h := hmac.New(sha256.New, t.key)
	h.Write([]byte(strings.Join([]string{list, after}, "\x00")))
	return h.Sum(nil)[:macSize]
}
