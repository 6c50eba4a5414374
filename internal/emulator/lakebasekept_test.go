package emulator_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/apierr"
	"github.com/databricks/databricks-sdk-go/common/types/fieldmask"
	"github.com/databricks/databricks-sdk-go/service/postgres"
)

// TestADeletedBranchIsKept deletes a branch, lists it, takes the deletion back, and purges it.
func TestADeletedBranchIsKept(t *testing.T) {
	s := start(t, nil)
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"}).Postgres
	ctx, name := t.Context(), "projects/p/branches/b"
	listed := func(deleted bool) (found *postgres.Branch) {
		t.Helper()
		all, err := w.ListBranchesAll(ctx, postgres.ListBranchesRequest{Parent: "projects/p", ShowDeleted: deleted})
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			if all[i].Name == name {
				found = &all[i]
			}
		}
		return found
	}
	remove := func(purge bool) {
		t.Helper()
		op, err := w.DeleteBranch(ctx, postgres.DeleteBranchRequest{Name: name, Purge: purge})
		if err == nil {
			err = op.Wait(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	remove(false)
	if listed(false) != nil {
		t.Error("a deleted branch is in the list")
	}
	switch kept := listed(true); {
	case kept == nil:
		t.Fatal("a deleted branch is not kept")
	case kept.Status.DeleteTime == nil || kept.Status.PurgeTime == nil:
		t.Errorf("a deleted branch has no times: %+v", kept.Status)
	}
	_, err := w.GetEndpoint(ctx, postgres.GetEndpointRequest{Name: name + "/endpoints/e"})
	wantCode(t, err, 404, "NOT_FOUND")
	_, err = w.DeleteBranch(ctx, postgres.DeleteBranchRequest{Name: name})
	wantCode(t, err, 404, "NOT_FOUND")
	_, err = w.CreateBranch(ctx, postgres.CreateBranchRequest{Parent: "projects/p", BranchId: "b", Branch: postgres.Branch{Spec: &postgres.BranchSpec{NoExpiry: true}}})
	wantCode(t, err, 409, "ALREADY_EXISTS")

	op, err := w.UndeleteBranch(ctx, postgres.UndeleteBranchRequest{Name: name})
	if err == nil {
		err = op.Wait(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	if back := listed(false); back == nil || back.Status.DeleteTime != nil || back.Status.PurgeTime != nil {
		t.Errorf("after its deletion was taken back: %+v", back)
	}
	if _, err := w.GetEndpoint(ctx, postgres.GetEndpointRequest{Name: name + "/endpoints/e"}); err != nil {
		t.Error(err)
	}
	_, err = w.UndeleteBranch(ctx, postgres.UndeleteBranchRequest{Name: name})
	wantCode(t, err, 400, "FAILED_PRECONDITION")

	remove(true)
	if listed(true) != nil {
		t.Error("a purged branch is kept")
	}
	_, err = w.UndeleteBranch(ctx, postgres.UndeleteBranchRequest{Name: name})
	wantCode(t, err, 404, "NOT_FOUND")
}

func wantCode(t *testing.T, err error, status int, code string) {
	t.Helper()
	var e *apierr.APIError
	if !errors.As(err, &e) || e.StatusCode != status || e.ErrorCode != code {
		t.Errorf("got %v, want %d %s", err, status, code)
	}
}

// TestWhatBelongsToADatabase goes through the Data API, the replication and the snapshots.
func TestWhatBelongsToADatabase(t *testing.T) {
	s := start(t, nil)
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"}).Postgres
	ctx, branch := t.Context(), "projects/p/branches/b"
	database := branch + "/databases/app-data"

	made, err := w.CreateDataApi(ctx, postgres.CreateDataApiRequest{Parent: database, DataApi: postgres.DataApi{Spec: &postgres.DataApiDataApiSpec{DbMaxRows: 10}}})
	if err != nil {
		t.Fatal(err)
	}
	api, err := made.Wait(ctx)
	if err != nil || api.Name != database+"/data-api" || api.Parent != database || api.Status.DbMaxRows != 10 || strings.Join(api.Status.DbSchemas, " ") != "public" {
		t.Errorf("%+v, %v", api, err)
	}
	_, err = w.CreateDataApi(ctx, postgres.CreateDataApiRequest{Parent: database})
	wantCode(t, err, 409, "ALREADY_EXISTS")
	changed, err := w.UpdateDataApi(ctx, postgres.UpdateDataApiRequest{Name: api.Name, UpdateMask: fieldmask.FieldMask{Paths: []string{"spec.db_max_rows"}}, DataApi: postgres.DataApi{Spec: &postgres.DataApiDataApiSpec{DbMaxRows: 20}}})
	if err != nil {
		t.Fatal(err)
	}
	if api, err = changed.Wait(ctx); err != nil || api.Status.DbMaxRows != 20 || !api.Status.DbAggregatesEnabled {
		t.Errorf("%+v, %v", api, err)
	}
	_, err = w.GetDataApi(ctx, postgres.GetDataApiRequest{Name: branch + "/databases/reporting-none/data-api"})
	wantCode(t, err, 404, "NOT_FOUND")

	config := postgres.CdfConfig{Catalog: "main", Schema: "shop", PostgresSchema: "public"}
	replicating, err := w.CreateCdfConfig(ctx, postgres.CreateCdfConfigRequest{Parent: database, CdfConfig: config})
	if err != nil {
		t.Fatal(err)
	}
	got, err := replicating.Wait(ctx)
	if err != nil || got.Name != database+"/cdf-configs/public" || got.CdfConfigId != "public" || got.Schema != "shop" {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = w.CreateCdfConfig(ctx, postgres.CreateCdfConfigRequest{Parent: database, CdfConfigId: "other", CdfConfig: config})
	wantCode(t, err, 409, "ALREADY_EXISTS")
	if states, err := w.ListCdfStatusesAll(ctx, postgres.ListCdfStatusesRequest{Parent: got.Name}); err != nil || len(states) != 1 || states[0].UcTable != "main.shop."+states[0].PostgresTable {
		t.Errorf("%+v, %v", states, err)
	}

	_, err = w.CreateSnapshot(ctx, postgres.CreateSnapshotRequest{Parent: "projects/p", SnapshotId: "s", Snapshot: postgres.Snapshot{Spec: &postgres.SnapshotSpec{SourceBranch: "projects/orders/branches/production"}}})
	wantCode(t, err, 400, "INVALID_PARAMETER_VALUE")
	copying, err := w.CreateSnapshot(ctx, postgres.CreateSnapshotRequest{Parent: "projects/p", SnapshotId: "s", Snapshot: postgres.Snapshot{Spec: &postgres.SnapshotSpec{SourceBranch: branch, NoExpiry: true}}})
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := copying.Wait(ctx)
	if err != nil || snapshot.Name != "projects/p/snapshots/s" || snapshot.Status.SourceBranch != branch || snapshot.Status.FullSizeBytes == 0 || !snapshot.Status.NoExpiry {
		t.Errorf("%+v, %v", snapshot, err)
	}
	if schedule, err := w.GetSnapshotSchedule(ctx, postgres.GetSnapshotScheduleRequest{Name: branch + "/snapshot-schedule"}); err != nil || schedule.Name != branch+"/snapshot-schedule" || len(schedule.Schedule) != 0 {
		t.Errorf("%+v, %v", schedule, err)
	}

	op, err := w.DeleteDatabase(ctx, postgres.DeleteDatabaseRequest{Name: database})
	if err == nil {
		err = op.Wait(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.GetDataApi(ctx, postgres.GetDataApiRequest{Name: database + "/data-api"})
	wantCode(t, err, 404, "NOT_FOUND")
}
