package emulator

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
)

// pager makes and reads page tokens. A token says after which item to go on, and is good only for
// the list that gave it.
type pager struct {
	key         []byte
	defaultSize int
}

func newPager(defaultSize int) *pager {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return &pager{key: key, defaultSize: defaultSize}
}

// page is the part of a list that a request wants.
type page struct {
	list  string // what tells the list from others: workspace, collection, filters
	after string // id of the last item before the page; empty: from the start
	size  int
}

// read takes page_size and page_token from the query. A list that states a maximum refuses more;
// without one the size is cut to a thousand.
func (p *pager) read(c *call, list string, maximum int) (page, error) {
	const most = 1000
	limit := maximum
	if limit == 0 {
		limit = most
	}
	wanted := page{list: list, size: min(p.defaultSize, limit)}
	if text := c.query.Get("page_size"); text != "" {
		n, err := strconv.Atoi(text)
		switch {
		case err != nil || n < 0:
			return page{}, apierror.Invalid("page_size must be a number that is not negative, not %q.", apierror.Printable(text))
		case maximum > 0 && n > maximum:
			return page{}, apierror.Invalid("page_size may be at most %d, not %d.", maximum, n)
		case n > 0: // 0 is the same as not said
			wanted.size = min(n, limit)
		}
	}
	if token := c.query.Get("page_token"); token != "" {
		after, ok := p.open(token, list)
		if !ok {
			return page{}, apierror.Invalid("page_token is not one that this list gave.")
		}
		wanted.after = after
	}
	return wanted, nil
}

// macSize is how much of the MAC a token carries: enough that none is found by trying.
const macSize = 12

func (p *pager) token(list, after string) string {
	return base64.RawURLEncoding.EncodeToString(append(p.mac(list, after), after...))
}

func (p *pager) open(token, list string) (after string, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= macSize {
		return "", false
	}
	after = string(raw[macSize:])
	return after, hmac.Equal(raw[:macSize], p.mac(list, after))
}

func (p *pager) mac(list, after string) []byte {
	h := hmac.New(sha256.New, p.key)
	h.Write([]byte(strings.Join([]string{list, after}, "\x00")))
	return h.Sum(nil)[:macSize]
}

// pagingParams are the parameters by which lists are paged, ordered and cut to some attributes.
func pagingParams() []string {
	return []string{
		"page_token", "page_size", "max_results", "limit", "offset", "count", "startIndex", "page", "next_page_token",
		"attributes", "excludedAttributes", "sortBy", "sortOrder", "order", "order_by",
	}
}

func isPaging(name string) bool { return slices.Contains(pagingParams(), name) }
