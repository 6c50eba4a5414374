package overlay

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// beyondFile lists what the API takes and answers and the SDK does not know: attributes of types, and
// parameters of operations in the query. The source is the published documents of StackQL's providers.
const beyondFile = "beyond-sdk.csv"

// Beyond is a line of beyond-sdk.csv.
type Beyond struct {
	Service string
	// Of is a type of the SDK, for an attribute, or an operation (Group.Name), for a parameter.
	Of   string
	Name string
	// Type is one of the names in [beyondTypes].
	Type        string
	Description string
}

// beyondTypes are the types of beyond-sdk.csv. Objects and arrays have items of any shape.
func beyondTypes() map[string]*sdk.Type {
	text, anything := &sdk.Type{Kind: sdk.String}, &sdk.Type{Kind: sdk.Any}
	return map[string]*sdk.Type{
		"string":          text,
		"boolean":         {Kind: sdk.Bool},
		"integer":         {Kind: sdk.Int64},
		"date-time":       {Kind: sdk.Time},
		"array":           {Kind: sdk.List, Elem: anything},
		"array of string": {Kind: sdk.List, Elem: text},
		"object":          {Kind: sdk.Map, Elem: anything},
	}
}

// readBeyond reads beyond-sdk.csv; without the file there is nothing.
func readBeyond(overlays fs.FS) ([]Beyond, error) {
	records, err := readTable(overlays, beyondFile, 5)
	if err != nil {
		return nil, err
	}
	var all []Beyond
	for _, r := range records {
		if _, ok := beyondTypes()[r[3]]; !ok {
			return nil, fmt.Errorf("%s: %s.%s has the unknown type %s", beyondFile, r[1], r[2], r[3])
		}
		all = append(all, Beyond{Service: r[0], Of: r[1], Name: r[2], Type: r[3], Description: r[4]})
	}
	return all, nil
}

// readTable reads the lines of a CSV file below its heading; without the file there are none. Every line
// has the same number of values, none of them empty.
func readTable(overlays fs.FS, file string, values int) ([][]string, error) {
	f, err := overlays.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // reading it loses nothing
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, r := range records {
		if len(r) != values || slices.Contains(r, "") {
			return nil, fmt.Errorf("%s: each line has %d values: %q", file, values, r)
		}
	}
	return records[min(1, len(records)):], nil
}

// Extend adds to the API what beyond-sdk.csv lists. It returns the lines that no longer apply: the SDK
// has no such type or operation, or has the attribute or parameter by now.
func (o *Overlays) Extend(api *sdk.API) []Stale {
	var stale []Stale
	for _, b := range o.Beyond {
		message := ""
		if s, ok := api.Service(b.Service); !ok {
			message = "the SDK has no service " + b.Service
		} else if strings.Contains(b.Of, ".") {
			message = b.addParameter(s)
		} else {
			message = b.addAttribute(s)
		}
		if message != "" {
			stale = append(stale, Stale{File: beyondFile, Message: message})
		}
	}
	return stale
}

// addAttribute adds an attribute to a type; message says why it cannot.
func (b Beyond) addAttribute(s *sdk.Service) (message string) {
	m, ok := s.Messages[b.Of]
	if !ok {
		return "the SDK has no type " + b.Of
	}
	for _, f := range m.Fields {
		switch {
		case f.JSON != b.Name:
		case f.Beyond:
			return "" // of an earlier call
		default:
			return "the SDK has the attribute " + b.Of + "." + b.Name
		}
	}
	m.Fields = append(m.Fields, &sdk.Field{
		JSON: b.Name, URL: "-", Type: beyondTypes()[b.Type], Doc: b.Description, Beyond: true,
		ReadOnly: strings.HasPrefix(b.Name, "effective_"),
	})
	return ""
}

// addParameter adds a parameter to the query of an operation; message says why it cannot.
func (b Beyond) addParameter(s *sdk.Service) (message string) {
	for _, op := range s.Operations {
		if op.Group+"."+op.Name != b.Of {
			continue
		}
		for _, q := range op.Query {
			switch {
			case q.Name != b.Name:
			case q.Beyond:
				return "" // of an earlier call
			default:
				return "the SDK has the parameter " + b.Name + " of " + b.Of
			}
		}
		op.Query = append(op.Query, &sdk.Param{Name: b.Name, Type: beyondTypes()[b.Type], Doc: b.Description, Beyond: true})
		return ""
	}
	return "the SDK has no operation " + b.Of
}
