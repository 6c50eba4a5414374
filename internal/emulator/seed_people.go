package emulator

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// peopleSeeds are who works for the company. A workspace and the account know them by the same ids.
var peopleSeeds = map[string]seed{
	"/preview/scim/v2/Users":             {ids: userIDs, make: userRecord},
	"/preview/scim/v2/Groups":            {ids: groupIDs, make: groupRecord},
	"/preview/scim/v2/ServicePrincipals": {ids: servicePrincipalIDs, make: servicePrincipalRecord},
	"/preview/scim/v2/Me":                {ids: alone, make: ownRecord},
	"@/scim/v2/Users":                    {ids: userIDs, make: userRecord},
	"@/scim/v2/Groups":                   {ids: groupIDs, make: groupRecord},
	"@/scim/v2/ServicePrincipals":        {ids: servicePrincipalIDs, make: servicePrincipalRecord},
}

// alone is the one id of what is alone at its path.
func alone(*company, []string) resource.Sequence { return resource.Sequence{Names: []string{single}} }

const (
	firstUser      = 7_104_220_950_318_001
	firstGroup     = 7_104_220_950_400_001
	firstPrincipal = 7_104_220_950_500_001
	moreUsers      = "800000000" // then numberWidth digits
)

// humans are the people of the story. Those whose tokens and roles are elsewhere are among them.
func humans() []person {
	all := []string{
		"ada.okafor", "bruno.keller", "mei.tanaka", "ines.duarte", "tomas.lindqvist", "noor.haddad",
		"carla.moretti", "jonas.weber", "priya.raman", "felix.osei", "lena.novak", "sam.whitaker",
	}
	people := make([]person, len(all))
	for i, name := range all {
		people[i] = person{id: strings.ReplaceAll(name, ".", "-"), email: name + "@harbor-finch.example", identity: "USER"}
	}
	return people
}

// group is some of the people, by their places in humans.
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

// teamOf is the first group that somebody is in, but for admins.
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

func userIDs(co *company, _ []string) resource.Sequence {
	return resource.Sequence{Names: numbersFrom(firstUser, len(humans())), Prefix: moreUsers, Count: co.scale}
}

func groupIDs(*company, []string) resource.Sequence {
	return resource.Sequence{Names: numbersFrom(firstGroup, len(groups()))}
}

func servicePrincipalIDs(*company, []string) resource.Sequence {
	return resource.Sequence{Names: numbersFrom(firstPrincipal, len(robots()))}
}

// placeOf is the place of something in its list, by its id.
func placeOf(id string, first int64) int {
	n, _ := strconv.ParseInt(id, 10, 64)
	return int(n - first)
}

func userRecord(co *company, _ []string, id string) resource.Record {
	if number, ok := strings.CutPrefix(id, moreUsers); ok {
		return personRecord(co, id, "user-"+number, "User", strings.TrimLeft(number, "0"), nil)
	}
	at := placeOf(id, firstUser)
	login, _, _ := strings.Cut(humans()[at].email, "@")
	given, family, _ := strings.Cut(login, ".")
	var in []any
	for i, g := range groups() {
		if slices.Contains(g.members, at) {
			in = append(in, resource.Record{"display": g.name, "type": "direct", "value": strconv.Itoa(firstGroup + i), "$ref": "Groups/" + strconv.Itoa(firstGroup+i)})
		}
	}
	return personRecord(co, id, login, title(given), title(family), in)
}

func personRecord(co *company, id, login, given, family string, in []any) resource.Record {
	email := login + "@harbor-finch.example"
	r := resource.Record{
		"id": id, "userName": email, "displayName": given + " " + family, "active": true,
		"name":       resource.Record{"givenName": given, "familyName": family},
		"emails":     []any{resource.Record{"type": "work", "value": email, "primary": true}},
		"schemas":    []any{"urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:workspace:2.0:User"},
		"account_id": co.accountID(),
	}
	if len(in) > 0 {
		r["groups"] = in
	}
	return r
}

// ownRecord is the user behind the personal access token.
func ownRecord(co *company, _ []string, _ string) resource.Record {
	return userRecord(co, nil, strconv.Itoa(firstUser))
}

func groupRecord(co *company, _ []string, id string) resource.Record {
	g := groups()[placeOf(id, firstGroup)]
	members := make([]any, len(g.members))
	for i, m := range g.members {
		user := strconv.Itoa(firstUser + m)
		login, _, _ := strings.Cut(humans()[m].email, "@")
		given, family, _ := strings.Cut(login, ".")
		members[i] = resource.Record{"display": title(given) + " " + title(family), "value": user, "$ref": "Users/" + user, "type": "direct"}
	}
	r := resource.Record{
		"id": id, "displayName": g.name, "members": members, "meta": resource.Record{"resourceType": "Group"},
		"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "account_id": co.accountID(),
	}
	if g.name == "data-engineers" || g.name == "admins" {
		r["entitlements"] = []any{resource.Record{"value": "allow-cluster-create"}}
	}
	return r
}

// robots are the service principals, by their client ids.
func robots() []person {
	return []person{
		{id: "ingest-service", email: "5f0c1d6e-8b1a-4c39-9a77-2d4be0c6a913"},
		{id: "report-mailer", email: "c81b7f02-66a5-4a0e-b7a4-0f6d2c9e5b11"},
	}
}

func servicePrincipalRecord(co *company, _ []string, id string) resource.Record {
	p := robots()[placeOf(id, firstPrincipal)]
	return resource.Record{
		"id": id, "applicationId": p.email, "displayName": p.id, "active": true,
		"schemas":      []any{"urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal"},
		"entitlements": []any{resource.Record{"value": "workspace-access"}}, "account_id": co.accountID(),
	}
}
