package wire

import (
	"net/url"
	"reflect"
	"testing"
)

// TestForcedFieldsDoNotTravelInQueries calls the lists of which the SDK's iterators put MaxResults
// into ForceSendFields, meaning to send max_results=0. They do not send it: only the encoder of JSON
// bodies reads that field, and the one of queries leaves out what is empty. A version of the SDK that
// does send it fails here, and then the documents have to say so.
func TestForcedFieldsDoNotTravelInQueries(t *testing.T) {
	s := newSuite(t)
	forced := map[string]bool{
		"catalog.Catalogs.List": true, "catalog.Connections.List": true, "catalog.ExternalLocations.List": true, "catalog.Functions.List": true,
		"catalog.Metastores.List": true, "catalog.Schemas.List": true, "catalog.StorageCredentials.List": true, "catalog.SystemSchemas.List": true,
		"catalog.Tables.List": true, "catalog.WorkspaceBindings.GetBindings": true,
		"sharing.Providers.List": true, "sharing.Providers.ListShares": true, "sharing.Recipients.List": true, "sharing.Shares.ListShares": true,
	}
	found := 0
	for _, o := range s.api.Operations() {
		if !forced[o.ID()] {
			continue
		}
		found++
		m, err := s.method(o)
		if err != nil {
			t.Fatal(err)
		}
		iterator, err := s.official.method(o)
		if err != nil {
			t.Fatal(err)
		}
		all := s.official[o.Service+"."+o.Group].MethodByName(o.Name + "All")
		if !all.IsValid() {
			t.Errorf("%s has no form that reads all", o.ID())
			continue
		}
		filled := (&filler{filling: filling{"required", false}, api: s.api, operation: o, method: m}).request(requestType(iterator))
		for _, function := range []reflect.Value{iterator, all} {
			s.server.expect(empty(o))
			if _, err := call(t.Context(), function, filled); err != nil {
				t.Errorf("%s: %v", o.ID(), err)
			}
			sent := s.server.received()
			if len(sent) != 1 {
				t.Errorf("%s makes %d requests", o.ID(), len(sent))
				continue
			}
			if values, err := url.ParseQuery(sent[0].query); err != nil || values.Has("max_results") {
				t.Errorf("%s sends %q, %v", o.ID(), sent[0].query, err)
			}
		}
	}
	if found != len(forced) {
		t.Errorf("%d of %d lists are the SDK's", found, len(forced))
	}
}
