package overlay

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// formerFile lists the names that attributes and parameters had in earlier documents.
const formerFile = "former-fields.csv"

// FormerField is a line of former-fields.csv.
type FormerField struct {
	Service string
	// Of is a type of the SDK, for an attribute, or an operation (Group.Name), for a parameter.
	Of string
	// Name is the name of today, Former that of earlier documents.
	Name, Former string
}

// readFormer reads former-fields.csv; without the file there is nothing.
func readFormer(overlays fs.FS) ([]FormerField, error) {
	records, err := readTable(overlays, formerFile, 4)
	var all []FormerField
	for _, r := range records {
		all = append(all, FormerField{r[0], r[1], r[2], r[3]})
	}
	return all, err
}

// FormerFields returns the former names of an attribute of a type, or of a parameter of an operation.
func (o *Overlays) FormerFields(service, of, name string) []string {
	var former []string
	for _, f := range o.Former {
		if f.Service == service && f.Of == of && f.Name == name {
			former = append(former, f.Former)
		}
	}
	return former
}

// former checks that what has a former name is there.
func (c *checker) former(api *sdk.API, o *Overlays) {
	for _, f := range o.Former {
		s := c.service(api, formerFile, f.Service)
		switch {
		case s == nil:
		case !strings.Contains(f.Of, "."):
			c.field(s, f.Of, f.Name)
		case !parametersOf(s, o.FactsOf(f.Service))[f.Of+"."+f.Name]:
			c.failf("the SDK has no parameter %s.%s", f.Of, f.Name)
		}
		if slices.Contains(o.FormerFields(f.Service, f.Of, f.Former), f.Name) {
			c.failf("%s.%s and %s.%s are each other's former name", f.Of, f.Name, f.Of, f.Former)
		}
	}
}
