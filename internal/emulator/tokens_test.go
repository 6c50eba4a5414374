package emulator_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/service/iam"
	"github.com/databricks/databricks-sdk-go/service/settings"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestATokenAlwaysExpiresSoon looks at several workspaces over two years.
func TestATokenAlwaysExpiresSoon(t *testing.T) {
	const day = 24 * time.Hour
	var passed atomic.Int64
	now := func() time.Time { return noon().Add(time.Duration(passed.Load())) }
	s := start(t, func(o *emulator.Options) { o.Clock = now })
	for _, workspace := range []string{"", "finch-a", "finch-b", "finch-c"} {
		ids := map[string]int{}
		kept := 0
		var before []map[string]any
		for at := time.Duration(0); at < 730*day; at += 5 * day {
			passed.Store(int64(at))
			tokens := rows(t, s, request{path: "/api/2.0/token-management/tokens", workspace: workspace}, "token_infos")
			soon := 0
			for _, token := range tokens {
				ids[token["token_id"].(string)]++
				expiry, err := token["expiry_time"].(json.Number).Int64()
				if err != nil {
					t.Fatal(err)
				}
				switch left := time.UnixMilli(expiry).Sub(now()); {
				case expiry == -1:
				case left <= 0 || left > 365*day:
					t.Errorf("in %q a token expires in %v", workspace, left)
				case left <= 30*day:
					soon++
				}
			}
			if soon < 1 || soon > 2 || soon == len(tokens) {
				t.Errorf("in %q, %d of %d tokens expire within 30 days of %v", workspace, soon, len(tokens), now())
			}
			if fmt.Sprint(before) == fmt.Sprint(tokens) {
				kept++
			}
			before = tokens
		}
		if len(ids) != 4 || kept < 730/5/2 {
			t.Errorf("in %q there are %d tokens, and %d lists are like the one before", workspace, len(ids), kept)
		}
	}
}

func TestTokensBelongToUsers(t *testing.T) {
	s := start(t, nil)
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"})
	asClient := sdk(t, &databricks.Config{Host: s.URL(), ClientID: s.ClientID(), ClientSecret: s.ClientSecret(), AuthType: "oauth-m2m"})
	me, err := w.CurrentUser.Me(t.Context(), iam.MeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	principals := rows(t, s, request{path: "/api/2.0/preview/scim/v2/ServicePrincipals"}, "Resources")
	var mine []string
	for _, client := range []*databricks.WorkspaceClient{w, asClient} {
		made, err := client.Tokens.Create(t.Context(), settings.CreateTokenRequest{Comment: "made", LifetimeSeconds: 3600})
		if err != nil {
			t.Fatal(err)
		}
		mine = append(mine, made.TokenInfo.TokenId)
	}
	behalf, err := w.TokenManagement.CreateOboToken(t.Context(), settings.CreateOboTokenRequest{ApplicationId: principals[1]["applicationId"].(string)})
	if err != nil {
		t.Fatal(err)
	}
	users := rows(t, s, request{path: "/api/2.0/preview/scim/v2/Users"}, "Resources")
	userOf := map[string]string{}
	for _, u := range users {
		userOf[u["id"].(string)] = u["userName"].(string)
	}
	tokens := rows(t, s, request{path: "/api/2.0/token-management/tokens"}, "token_infos")
	if len(tokens) != 7 {
		t.Errorf("%d tokens", len(tokens))
	}
	for _, token := range tokens {
		owner, creator := fmt.Sprint(token["owner_id"]), fmt.Sprint(token["created_by_id"])
		if userOf[creator] == "" || userOf[creator] != token["created_by_username"] {
			t.Errorf("%v was made by %s, who is %q", token, creator, userOf[creator])
		}
		switch {
		case token["token_id"] == behalf.TokenInfo.TokenId:
			if owner != principals[1]["id"] || creator != me.Id {
				t.Errorf("made by %s for %s, and not for %s", creator, owner, principals[1]["id"])
			}
		case owner != creator, slices.Contains(mine, fmt.Sprint(token["token_id"])) && owner != me.Id:
			t.Errorf("%v belongs to %s and was made by %s", token, owner, creator)
		}
	}
	public := rows(t, s, request{path: "/api/2.0/token/list"}, "token_infos")
	for _, name := range []string{"token_id", "comment", "creation_time", "expiry_time"} {
		if one, other := column(tokens, name), column(public, name); !slices.Equal(one, other) {
			t.Errorf("%s: %v, and in the other list %v", name, one, other)
		}
	}
}
