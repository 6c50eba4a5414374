package emulator

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/list"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// listRecords answers a list, page by page as its documents say.
func listRecords(c *call) (any, error) {
	p := c.route.target
	in := p.Kind.Collection(c.values(p.Above))
	if parents, ok := p.Kind.CatalogParams(); ok {
		if err := c.checkCatalog(c.values(parents)); err != nil {
			return nil, err
		}
		in = p.Kind.Collection(c.values(parents))
	}
	ids := c.home.collections.GeneratedIDs(in)
	if narrow, ok := narrowers[p.Kind.Name]; ok {
		ids = narrow(c, ids)
	}
	request := list.Request{
		Collections: c.home.collections, In: in, IDs: ids,
		Kind: p.Kind, Paging: c.route.method.Paging, Above: p.Above, Query: c.query, Body: c.object(),
		Scope: c.home.name, Tokens: c.emulator.tokens, Now: c.emulator.opts.Clock(), Conditions: peopleConditions,
	}
	if request.Paging != nil {
		request.Token = c.value(request.Paging.RequestToken)
	}
	page, err := request.Page()
	if err != nil {
		return nil, err
	}
	return c.page(page.Items, page.More), nil
}

// peopleConditions are the conditions that compare people.
var peopleConditions = map[string]func(values []string) list.Condition{
	"@/budget-policies?filter_by.creator_user_id":   madeBy(numberOf),
	"@/budget-policies?filter_by.creator_user_name": madeBy(loginOf),
}

// madeBy tests who created a resource. The company's first user created what it began with.
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

// page puts items into the answer that the documents have for the list.
func (c *call) page(items []resource.Item, more resource.Record) json.RawMessage {
	rows := make([]any, len(items))
	for i, it := range items {
		if value, ok := it.Record[resource.ValueField]; ok {
			rows[i] = value
		} else {
			rows[i] = c.shownFields(it.Record)
		}
	}
	r := c.route.method.Response
	whole := c.emulator.shapes.Response(c.route.method)
	return whole.AppendPage(make([]byte, 0, 256*(len(items)+1)), r.ObjectKey, rows, more)
}
