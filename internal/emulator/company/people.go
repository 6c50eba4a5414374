package company

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// peopleData is the users, groups and service principals. They have the same ids in workspaces and
// in the account.
var peopleData = map[string]dataset{
	"/preview/scim/v2/Users":             {ids: userIDs, make: userRecord},
	"/preview/scim/v2/Groups":            {ids: groupIDs, make: groupRecord},
	"/preview/scim/v2/ServicePrincipals": {ids: servicePrincipalIDs, make: servicePrincipalRecord},
	"/preview/scim/v2/Me":                {ids: alone, make: ownRecord},
	"@/scim/v2/Users":                    {ids: userIDs, make: userRecord},
	"@/scim/v2/Groups":                   {ids: groupIDs, make: groupRecord},
	"@/scim/v2/ServicePrincipals":        {ids: servicePrincipalIDs, make: servicePrincipalRecord},
}

// identityIDs are the ids in the identity API, by kind. It has the people of SCIM with the same ids,
// in records of another form.
var identityIDs = map[string]func(*Company, []string) resource.Sequence{
	"/identity/users":              userIDs,
	"/identity/groups":             groupIDs,
	"/identity/service-principals": servicePrincipalIDs,

	"@/identity/users":              userIDs,
	"@/identity/groups":             groupIDs,
	"@/identity/service-principals": servicePrincipalIDs,
}

// identify gives a record of the identity API the names of SCIM. It modifies the record.
func identify(co *Company, kindName, id string, r resource.Record) {
	r["account_id"] = co.AccountID()
	switch resource.ID(kindName) {
	case "users":
		user := userRecord(co, nil, id)
		name := resource.Object(user, "name")
		r["username"] = user["userName"]
		r["full_name"] = resource.Record{"given_name": name["givenName"], "family_name": name["familyName"]}
	case "groups":
		r["group_name"] = groupRecord(co, nil, id)["displayName"]
	default:
		robot := servicePrincipalRecord(co, nil, id)
		r["application_id"], r["display_name"] = robot["applicationId"], robot["displayName"]
	}
}

// alone is the one id of a resource that is the only one of its path.
func alone(*Company, []string) resource.Sequence { return resource.Sequence{Names: []string{single}} }

const (
	// FirstUser is the lowest id of a user.
	FirstUser      = 7_104_220_950_318_001
	firstGroup     = 7_104_220_950_400_001
	firstPrincipal = 7_104_220_950_500_001
	moreUsers      = "800000000" // then numberWidth digits
)

// Person is a user, a group or a service principal.
type Person struct {
	ID       string // as a role's id
	Email    string // as a role's name in Postgres: an address, a group's name, a client id
	identity string
}

// Owner is the user whose personal access token opens the workspaces.
func Owner() Person {
	return Person{"ada-okafor", "ada.okafor@harbor-finch.example", "USER"}
}

func people() []Person {
	return []Person{ // by id
		Owner(),
		{"bruno-keller", "bruno.keller@harbor-finch.example", "USER"},
		{"data-engineers", "data-engineers", "GROUP"},
		{"ingest-service", "5f0c1d6e-8b1a-4c39-9a77-2d4be0c6a913", "SERVICE_PRINCIPAL"},
		{"mei-tanaka", "mei.tanaka@harbor-finch.example", "USER"},
		{"reporting", "reporting", ""}, // logs in with a Postgres password
	}
}

// Humans are the users, by the order of their ids from [FirstUser] on.
func Humans() []Person {
	all := []string{
		"ada.okafor", "bruno.keller", "mei.tanaka", "ines.duarte", "tomas.lindqvist", "noor.haddad",
		"carla.moretti", "jonas.weber", "priya.raman", "felix.osei", "lena.novak", "sam.whitaker",
	}
	people := make([]Person, len(all))
	for i, name := range all {
		people[i] = Person{ID: strings.ReplaceAll(name, ".", "-"), Email: name + "@harbor-finch.example", identity: "USER"}
	}
	return people
}

// group is a group of users, by their places in [Humans].
type group struct {
	name    string
	members []int
}

func groups() []group {
	return []group{
		{"admins", []int{0, 1}},
		{"analysts", []int{4, 5, 8, 10}},
		{"data-engineers", []int{0, 1, 2, 3}},
		{"roastery", []int{3, 6, 7, 9}},
		{"users", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
	}
}

// teamOf is the first group of a user except admins.
func teamOf(human int) string {
	for _, g := range groups()[1:] {
		if slices.Contains(g.members, human) {
			return g.name
		}
	}
	return "users"
}

func numbersFrom(first int64, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.FormatInt(first+int64(i), 10)
	}
	return ids
}

func userIDs(co *Company, _ []string) resource.Sequence {
	return resource.Sequence{Names: numbersFrom(FirstUser, len(Humans())), Prefix: moreUsers, Count: co.Scale}
}

func groupIDs(*Company, []string) resource.Sequence {
	return resource.Sequence{Names: numbersFrom(firstGroup, len(groups()))}
}

func servicePrincipalIDs(*Company, []string) resource.Sequence {
	return resource.Sequence{Names: numbersFrom(firstPrincipal, len(robots()))}
}

// placeOf returns the place of an item in its list, from its id.
func placeOf(id string, first int64) int {
	n, _ := strconv.ParseInt(id, 10, 64)
	return int(n - first)
}

func userRecord(co *Company, _ []string, id string) resource.Record {
	if number, ok := strings.CutPrefix(id, moreUsers); ok {
		return personRecord(co, id, "user-"+number, "User", strings.TrimLeft(number, "0"), nil)
	}
	at := placeOf(id, FirstUser)
	login, _, _ := strings.Cut(Humans()[at].Email, "@")
	given, family, _ := strings.Cut(login, ".")
	var in []any
	for i, g := range groups() {
		if slices.Contains(g.members, at) {
			in = append(in, resource.Record{"display": g.name, "type": "direct", "value": strconv.Itoa(firstGroup + i), "$ref": "Groups/" + strconv.Itoa(firstGroup+i)})
		}
	}
	return personRecord(co, id, login, Title(given), Title(family), in)
}

func personRecord(co *Company, id, login, given, family string, in []any) resource.Record {
	email := login + "@harbor-finch.example"
	r := resource.Record{
		"id": id, "userName": email, "displayName": given + " " + family, "active": true,
		"name":       resource.Record{"givenName": given, "familyName": family},
		"emails":     []any{resource.Record{"type": "work", "value": email, "primary": true}},
		"schemas":    []any{"urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:workspace:2.0:User"},
		"account_id": co.AccountID(),
	}
	if len(in) > 0 {
		r["groups"] = in
	}
	return r
}

// ownRecord is the user behind the personal access token.
func ownRecord(co *Company, _ []string, _ string) resource.Record {
	return userRecord(co, nil, strconv.Itoa(FirstUser))
}

func groupRecord(co *Company, _ []string, id string) resource.Record {
	g := groups()[placeOf(id, firstGroup)]
	members := make([]any, len(g.members))
	for i, m := range g.members {
		user := strconv.Itoa(FirstUser + m)
		login, _, _ := strings.Cut(Humans()[m].Email, "@")
		given, family, _ := strings.Cut(login, ".")
		members[i] = resource.Record{"display": Title(given) + " " + Title(family), "value": user, "$ref": "Users/" + user, "type": "direct"}
	}
	r := resource.Record{
		"id": id, "displayName": g.name, "members": members, "meta": resource.Record{"resourceType": "Group"},
		"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "account_id": co.AccountID(),
	}
	if g.name == "data-engineers" || g.name == "admins" {
		r["entitlements"] = []any{resource.Record{"value": "allow-cluster-create"}}
	}
	return r
}

// robots are the service principals, by their client ids.
func robots() []Person {
	return []Person{
		{ID: "ingest-service", Email: "5f0c1d6e-8b1a-4c39-9a77-2d4be0c6a913"},
		{ID: "report-mailer", Email: "c81b7f02-66a5-4a0e-b7a4-0f6d2c9e5b11"},
	}
}

func servicePrincipalRecord(co *Company, _ []string, id string) resource.Record {
	p := robots()[placeOf(id, firstPrincipal)]
	return resource.Record{
		"id": id, "applicationId": p.Email, "displayName": p.ID, "active": true,
		"schemas":      []any{"urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal"},
		"entitlements": []any{resource.Record{"value": "workspace-access"}}, "account_id": co.AccountID(),
	}
}
