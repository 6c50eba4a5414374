package docgen

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// plain words a value of a document: text as it is, lists and objects as JSON.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return "null"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any, map[string]any:
		var b strings.Builder
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err == nil {
			return strings.TrimSuffix(b.String(), "\n")
		}
	}
	return fmt.Sprint(v)
}

// safeScalar matches texts that YAML takes for the same text without quotes.
var safeScalar = regexp.MustCompile(`^[A-Za-z][\w ()/,'.;-]*$`)

// yamlScalar writes a text so that YAML reads it as that text, on one line.
func yamlScalar(text string) string {
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
	default:
		if safeScalar.MatchString(text) && !strings.HasSuffix(text, " ") {
			return text
		}
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
