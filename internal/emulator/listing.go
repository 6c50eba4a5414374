package emulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/list"
	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// listRecords answers a list.
func listRecords(req *apiRequest) (any, error) {
	p := req.route.target
	in := p.Kind.Collection(req.values(p.Above))
	if parents, ok := p.Kind.CatalogParams(); ok {
		if err := req.checkCatalog(req.values(parents)); err != nil {
			return nil, err
		}
		in = p.Kind.Collection(req.values(parents))
	}
	ids := req.home.collections.GeneratedIDs(in)
	if narrow, ok := narrowers[p.Kind.Name]; ok {
		ids = narrow(req, ids)
	}
	request := list.Request{
		Collections: req.home.collections, In: in, IDs: ids,
		Kind: p.Kind, Paging: req.method.Paging, Above: p.Above, Query: req.query, Body: req.object(),
		Scope: req.home.name, Tokens: req.emulator.tokens, Now: req.now(), Conditions: peopleConditions,
	}
	if request.Paging != nil {
		request.Token = req.value(request.Paging.RequestToken)
	}
	page, err := request.Page()
	if err != nil {
		return nil, err
	}
	return req.page(page.Items, page.More), nil
}

// peopleConditions are the conditions that compare people.
var peopleConditions = map[string]func(values []string) list.Condition{
	"@/budget-policies?filter_by.creator_user_id":   madeBy(numberOf),
	"@/budget-policies?filter_by.creator_user_name": madeBy(loginOf),
}

// madeBy tests who created a resource. The company's first user created its original resources.
func madeBy(of func(company.Person) string) func([]string) list.Condition {
	return func(values []string) list.Condition {
		return func(r resource.Record) bool {
			maker := resource.TextOr(r["creator_user_name"], company.Humans()[0].Email)
			return slices.ContainsFunc(company.Humans(), func(p company.Person) bool { return p.Email == maker && slices.Contains(values, of(p)) })
		}
	}
}

// numberOf is the id of a user.
func numberOf(p company.Person) string {
	return strconv.Itoa(company.FirstUser + slices.IndexFunc(company.Humans(), func(other company.Person) bool { return other.ID == p.ID }))
}

// loginOf is the name with which a user logs in.
func loginOf(p company.Person) string { return p.Email }

// page writes the items of a page in the shape of the list's answer.
func (req *apiRequest) page(items []resource.Item, more resource.Record) json.RawMessage {
	rows := make([]any, len(items))
	for i, it := range items {
		if value, ok := it.Record[resource.ValueField]; ok {
			rows[i] = value
		} else {
			rows[i] = req.shownFields(it.Record)
		}
	}
	r := req.method.Response
	whole := req.shapes.Response(req.method)
	return whole.AppendPage(make([]byte, 0, 256*(len(items)+1)), r.ObjectKey, rows, more)
}

// shownFields returns the attributes of a record that a list shows. The request may omit
// attributes, and SCIM's requests may select them.
func (req *apiRequest) shownFields(r resource.Record) resource.Record {
	r = req.withoutOmitted(resource.Settled(r, req.now()))
	if req.method.Paging == nil || req.method.Paging.Kind != provider.ByOffset {
		return r
	}
	wanted, not := req.query.Get("attributes"), req.query.Get("excludedAttributes")
	if wanted == "" && not == "" {
		return r
	}
	r = maps.Clone(r)
	for name := range r {
		listed := func(list string) bool {
			return slices.ContainsFunc(strings.Split(list, ","), func(w string) bool {
				first, _, _ := strings.Cut(strings.TrimSpace(w), ".")
				return strings.EqualFold(first, name)
			})
		}
		if name != "id" && (wanted != "" && !listed(wanted) || not != "" && listed(not)) {
			delete(r, name)
		}
	}
	return r
}

// omissions are the attributes that parameters omit from a list.
var omissions = map[string][]string{
	"omit_columns":    {"columns"},
	"omit_properties": {"properties"},
	"omit_username":   {"owner", "created_by", "updated_by"},
}

func (req *apiRequest) withoutOmitted(r resource.Record) resource.Record {
	for param, attributes := range omissions {
		if req.query.Get(param) != "true" {
			continue
		}
		r = maps.Clone(r)
		for _, name := range attributes {
			delete(r, name)
		}
	}
	return r
}
