package wire

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// difference is a part of an exchange in which the two sides are not the same.
type difference struct {
	operation string // ID of the SDK's operation
	part      string // verb, path, query, header, body, rows, columns or call
	detail    string
}

// passedOver reports whether a header does not describe the call: the client, its credential, and the headers
// that net/http and tracing add. The length of a body does not matter, because its JSON is compared.
func passedOver(header string) bool {
	return slices.Contains([]string{"User-Agent", "Authorization", "Accept-Encoding", "Content-Length", "Traceparent"}, header)
}

// compareRequests lists the differences between the first request of each side.
func compareRequests(o *sdk.Operation, theirs, ours []*request) []difference {
	var found []difference
	differ := func(part, format string, args ...any) {
		found = append(found, difference{o.ID(), part, fmt.Sprintf(format, args...)})
	}
	if len(theirs) == 0 || len(ours) == 0 {
		differ("call", "the SDK made %d requests, we made %d", len(theirs), len(ours))
		return found
	}
	their, our := theirs[0], ours[0]
	if their.verb != our.verb {
		differ("verb", "%s, ours %s", their.verb, our.verb)
	}
	if their.path != our.path {
		differ("path", "%s, ours %s", their.path, our.path)
	}
	query(their, our, differ)
	headers(their.header, our.header, differ)
	bodies(o, their, our, differ)
	return found
}

type differ func(part, format string, args ...any)

// query compares queries as sets.
func query(their, our *request, differ differ) {
	theirs, err := url.ParseQuery(their.query)
	if err != nil {
		differ("query", "the SDK's: %v", err)
	}
	ours, err := url.ParseQuery(our.query)
	if err != nil {
		differ("query", "ours: %v", err)
	}
	for _, name := range union(theirs, ours) {
		a, b := theirs[name], ours[name]
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) && (!isUUID(a) || !isUUID(b)) {
			differ("query", "%s is %q, ours %q", name, a, b)
		}
	}
}

func headers(theirs, ours http.Header, differ differ) {
	for _, name := range union(theirs, ours) {
		if !passedOver(name) && !slices.Equal(theirs[name], ours[name]) {
			differ("header", "%s is %q, ours %q", name, theirs[name], ours[name])
		}
	}
}

// bodies compares bodies as JSON, and streams byte by byte.
func bodies(o *sdk.Operation, their, our *request, differ differ) {
	if o.Body.Kind == sdk.StreamBody {
		if string(their.body) != string(our.body) {
			differ("body", "%q, ours %q", short(string(their.body)), short(string(our.body)))
		}
		return
	}
	if len(their.body) == 0 || len(our.body) == 0 {
		if len(their.body) != len(our.body) {
			differ("body", "%q, ours %q", short(string(their.body)), short(string(our.body)))
		}
		return
	}
	values("", decoded(their.body), decoded(our.body), differ)
}

// values compares JSON values, and reports the places of differences.
func values(path string, theirs, ours any, differ differ) {
	a, isObject := theirs.(map[string]any)
	b, areObjects := ours.(map[string]any)
	if isObject && areObjects {
		for _, name := range union(a, b) {
			their, sent := a[name]
			our, weSent := b[name]
			switch {
			case sent && weSent:
				values(path+"."+name, their, our, differ)
			case sent:
				differ("body", "%s.%s is %s, ours is absent", path, name, short(fmt.Sprint(their)))
			default:
				differ("body", "%s.%s is absent, ours is %s", path, name, short(fmt.Sprint(our)))
			}
		}
		return
	}
	c, isList := theirs.([]any)
	d, areLists := ours.([]any)
	if isList && areLists && len(c) == len(d) {
		for i := range c {
			values(fmt.Sprintf("%s[%d]", path, i), c[i], d[i], differ)
		}
		return
	}
	if !reflect.DeepEqual(theirs, ours) && (!isUUID(theirs) || !isUUID(ours)) {
		differ("body", "%s is %s, ours %s", path, short(fmt.Sprint(theirs)), short(fmt.Sprint(ours)))
	}
}

var uuidForm = regexp.MustCompile(`^\[?[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\]?$`)

// isUUID reports whether a value is a UUID that was made up for the call.
func isUUID(value any) bool { return uuidForm.MatchString(fmt.Sprint(value)) }

// union returns the keys of two maps, sorted.
func union[M ~map[string]V, V any](a, b M) []string {
	keys := maps.Clone(a)
	if keys == nil {
		keys = M{}
	}
	maps.Copy(keys, b)
	return slices.Sorted(maps.Keys(keys))
}

// short cuts a text for a message.
func short(text string) string {
	const limit = 160
	if runes := []rune(strings.TrimSpace(text)); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}
