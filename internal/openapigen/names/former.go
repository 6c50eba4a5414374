package names

import (
	"fmt"
	"io/fs"
	"strings"
)

// Former is a name under which StackQL published an operation, and which is not the operation's name
// today, or not with that SQL verb: a line of former-names.csv. The lines stay for ever.
type Former struct {
	Provider, Service, Resource, Method string
	SQLVerb                             string
	// Operation is the SDK's operation; the zero Key if the SDK has none any more.
	Operation Key
	// HTTPVerb and Path are the request that the name meant.
	HTTPVerb, Path string
	// LastPublished is the day of the last version of StackQL's provider with the name.
	LastPublished string
	// Reason says why there is no operation, or why its request is another one today.
	Reason string
}

// Name is provider.service.resource.method.
func (f Former) Name() string {
	return f.Provider + "." + f.Service + "." + f.Resource + "." + f.Method
}

// readFormer reads former-names.csv. Its column operation is provider/service/Group.Name.
func (t *Table) readFormer(overlays fs.FS) error {
	seen := map[string]bool{}
	return readCSV(overlays, "former-names.csv", 10, func(r []string) error {
		f := Former{
			Provider: r[0], Service: r[1], Resource: r[2], Method: r[3], SQLVerb: r[4],
			HTTPVerb: r[6], Path: r[7], LastPublished: r[8], Reason: r[9],
		}
		if key := strings.Split(r[5], "/"); len(key) == 3 {
			f.Operation = Key{key[0], key[1], key[2]}
		} else if r[5] != "" {
			return fmt.Errorf("%q is not provider/service/Group.Name", r[5])
		}
		if f.Operation == (Key{}) && f.Reason == "" {
			return fmt.Errorf("%s: no reason says why there is no operation", f.Name())
		}
		if key := f.Name() + " " + f.SQLVerb; seen[key] {
			return fmt.Errorf("%s stands there twice", key)
		} else {
			seen[key] = true
		}
		t.Former = append(t.Former, f)
		return nil
	})
}
