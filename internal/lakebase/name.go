package lakebase

import (
	"regexp"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// Name names an endpoint, whole or in part. Empty parts are to be found. Only one of Project and Instance
// is set, or neither: then Bare may be the name of either.
type Name struct {
	Project, Branch, Endpoint string
	Instance                  string
	Bare                      string // a single word: a project, or an instance
}

// forms lists the ways to write a name.
const forms = "write projects/PROJECT/branches/BRANCH/endpoints/ENDPOINT, PROJECT/BRANCH/ENDPOINT, PROJECT/BRANCH, PROJECT, or the name of an instance of the database service"

// isID matches what the API takes as an id: letters, digits and hyphens. Case is the API's to refuse.
var isID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`) })

// ParseName reads the name of an endpoint: projects/p/branches/b/endpoints/e, a beginning of it that ends
// with an id, p/b/e, p/b, p, instances/i, or nothing.
func ParseName(name string) (Name, error) {
	if name == "" {
		return Name{}, nil
	}
	parts := strings.Split(name, "/")
	if len(parts) > 1 && (parts[0] == "projects" || parts[0] == "instances") {
		collections := []string{"projects", "branches", "endpoints"}
		if parts[0] == "instances" {
			collections = collections[:0]
			collections = append(collections, "instances")
		}
		var ids []string
		for i := 0; i < len(parts); i += 2 {
			if i+1 == len(parts) || i/2 >= len(collections) || parts[i] != collections[i/2] {
				return Name{}, unreadable(name)
			}
			ids = append(ids, parts[i+1])
		}
		if parts[0] == "instances" {
			return checked(name, Name{Instance: ids[0]}, ids)
		}
		return checked(name, ofParts(ids), ids)
	}
	switch len(parts) {
	case 1:
		return checked(name, Name{Bare: name}, parts)
	case 2, 3:
		return checked(name, ofParts(parts), parts)
	}
	return Name{}, unreadable(name)
}

func ofParts(ids []string) Name {
	ids = append(ids, "", "")
	return Name{Project: ids[0], Branch: ids[1], Endpoint: ids[2]}
}

func checked(name string, n Name, ids []string) (Name, error) {
	for _, id := range ids {
		if !isID().MatchString(id) {
			return Name{}, unreadable(name)
		}
	}
	return n, nil
}

func unreadable(name string) error {
	return provider.Usagef("%s is not the name of an endpoint", provider.Quote(name)).Hintf(forms)
}

// IsWhole reports whether the name leaves nothing to be found.
func (n Name) IsWhole() bool { return n.Endpoint != "" || n.Instance != "" }

// String writes the name as the API does, as far as it is known. An instance is instances/i.
func (n Name) String() string {
	switch {
	case n.Instance != "":
		return "instances/" + n.Instance
	case n.Bare != "":
		return n.Bare
	case n.Project == "":
		return ""
	}
	name := "projects/" + n.Project
	if n.Branch != "" {
		name += "/branches/" + n.Branch
	}
	if n.Endpoint != "" {
		name += "/endpoints/" + n.Endpoint
	}
	return name
}

// Short writes the name in its short form: p/b/e. It leads to the same endpoint.
func (n Name) Short() string {
	if n.Project == "" {
		return n.String()
	}
	return strings.TrimRight(n.Project+"/"+n.Branch+"/"+n.Endpoint, "/")
}
