//go:build unix

package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSchedulesThatFollow shows that each run of a schedule with --follow reads the folder again, that a folder
// that became invalid fails the run, and that a schedule without it runs its copy.
func TestSchedulesThatFollow(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store) {
		t.Helper()
		_, env := openGate(t)
		dir := projectsOf(t, "workspaces: [dbc-1]\n"+never)
		const query = "-- table: projects\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_projects"
		rewrite(t, dir, map[string]string{"projects.sql": query})
		schedule := func(args ...string) result {
			t.Helper()
			got := pipelineCommand(t, env, append([]string{"schedule"}, append(args, "--store", s.name, "-o", "json")...)...)
			if got.status != 0 {
				t.Fatalf("%v: %+v", args, got)
			}
			return got
		}
		var worker *machine
		// ran begins a run, waits for its end, and returns its row.
		ran := func() map[string]any {
			t.Helper()
			schedule("trigger", dir)
			var runs []map[string]any
			eventually(t, "the run is over", func() bool {
				got := pipelineCommand(t, nil, "status", "gated", "--store", s.name, "-o", "json")
				if got.status != 0 {
					t.Fatalf("%+v", got)
				}
				runs = jsonRows(t, got.stdout)
				return runs[0]["ended_at"] != nil
			})
			if took := fmt.Sprint(runs[0]["seconds"]); strings.HasPrefix(took, "-") || took == "<nil>" {
				t.Errorf("the run took %s s", took)
			}
			return runs[0]
		}

		if got := schedule("install", "--follow", dir); !strings.Contains(got.stderr, "note: a worker starts the runs, and none is running: lakeql worker --store ") {
			t.Errorf("%+v", got)
		}
		worker = startWorker(t, env, s)
		eventually(t, "the worker begins", func() bool { return len(worker.events(t, "worker begins")) == 1 })
		if run := ran(); run["state"] != "done" {
			t.Fatalf("%v", run)
		}
		rewrite(t, dir, map[string]string{"projects.sql": strings.Replace(query, "SELECT name", "SELECT name, uid", 1)})
		if run := ran(); run["state"] != "done" || mustCount(t, s, "projects WHERE uid = '1'") != 1 {
			t.Errorf("the run of the edited folder: %v, with %v", run, s.ask(t, "SELECT * FROM projects"))
		}
		rewrite(t, dir, map[string]string{"projects.sql": "-- table: projects\n-- key: name\nSELECT nom FROM databricks_workspace.postgres.postgres_projects"})
		if run := ran(); run["state"] != "failed" || !strings.Contains(fmt.Sprint(run["error"]), "the folder "+dir+": ") || !strings.Contains(fmt.Sprint(run["error"]), "nom") {
			t.Errorf("the run of the invalid folder: %v", run)
		}
		if n := mustCount(t, s, "projects WHERE stale"); n != 1 {
			t.Error("its rows are not stale")
		}

		// Without --follow, the copy runs, whatever becomes of the folder.
		rewrite(t, dir, map[string]string{"projects.sql": query})
		if got := schedule("install", dir); !strings.Contains(got.stderr, "note: a worker starts the runs: one is running, on ") {
			t.Errorf("%+v", got)
		}
		rewrite(t, dir, map[string]string{"projects.sql": "SELECT"})
		if run := ran(); run["state"] != "done" {
			t.Errorf("%v", run)
		}
		rewrite(t, dir, map[string]string{"projects.sql": query})
		schedule("install", dir, "--follow")
		if err := os.Rename(dir, dir+"-away"); err != nil {
			t.Fatal(err)
		}
		schedule("trigger", "gated")
		eventually(t, "the run without its folder fails", func() bool {
			got := pipelineCommand(t, nil, "status", "gated", "--store", s.name, "-o", "json")
			return strings.Contains(got.stdout, "the folder "+dir+" is not on the machines of the workers")
		})
		worker.stop(t)
	})
}

// TestNewStoreOfWorker shows that a worker says that its store does not exist, before it makes it.
func TestNewStoreOfWorker(t *testing.T) {
	t.Parallel()
	postgres := postgresStore(t, startCluster(t))
	for name, says := range map[string]string{
		filepath.Join(t.TempDir(), "new.db"): " does not exist yet: the worker makes its tables, and waits for a pipeline",
		postgres.name:                        " is empty: the worker makes its tables, and waits for a pipeline",
	} {
		for _, again := range []bool{false, true} {
			worker := startWorker(t, nil, store{name: name})
			eventually(t, "the worker begins", func() bool { return len(worker.events(t, "worker begins")) == 1 })
			if said := strings.Contains(worker.logged()[0], says); said == again {
				t.Errorf("the worker on %s begins with %s", name, worker.logged())
			}
			worker.stop(t)
		}
	}
}

// TestPipelinesAreNamed shows that every command takes the folder of a pipeline, or its name with the store.
func TestPipelinesAreNamed(t *testing.T) {
	t.Parallel()
	s := sqliteStore(t)
	_, env := openGate(t)
	dir := projectsOf(t, "workspaces: [dbc-1]\n"+never)
	other := folder(t, map[string]string{
		"pipeline.yaml": "name: other\nworkspaces: [dbc-1]\nstore: " + s.name + "\n",
		"others.sql":    "-- table: others\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_projects",
	})
	mustRun(t, env, other, s)
	mustRun(t, env, dir, s)
	if got := pipelineCommand(t, env, "schedule", "install", dir, "--store", s.name); got.status != 0 {
		t.Fatalf("%+v", got)
	}
	lake := t.TempDir()
	commands := []struct{ args, want string }{
		{"status PIPELINE -o csv -H", "2,gated,done,"},
		{"status PIPELINE --tables -o csv -H", "projects,gated,1,0,0,"},
		{"status PIPELINE --workspaces -o csv -H", "dbc-1,projects,fresh,"},
		{"diff PIPELINE projects -o csv -H", ",dbc-1,projects/dbc-1,added,,2"},
		{"export PIPELINE " + lake + " -o csv -H", "projects,dbc-1,2,"},
		{"schedule list PIPELINE -o csv -H", "gated,0 0 29 2 *,"},
		{"schedule pause PIPELINE -o csv -H", "gated,0 0 29 2 *,UTC,true,"},
		{"schedule resume PIPELINE -o csv -H", "gated,0 0 29 2 *,UTC,false,"},
		{"schedule trigger PIPELINE -o csv -H", "gated,0 0 29 2 *,"},
		{"stop PIPELINE", ""},
		{"forget PIPELINE --table projects --dry-run -o csv -H", "projects,,,queried,1,1"},
	}
	for _, name := range []string{"gated", dir} {
		for _, command := range commands {
			args := append(strings.Fields(strings.Replace(command.args, "PIPELINE", name, 1)), "--store", s.name)
			got := pipelineCommand(t, nil, args...)
			if got.status != 0 || !strings.Contains(got.stdout, command.want) || strings.Contains(got.stdout, "others") || strings.Contains(got.stdout, "other,") {
				t.Errorf("%v: %+v", args, got)
			}
		}
	}
	for _, command := range commands {
		if got := pipelineCommand(t, nil, strings.Fields(strings.Replace(command.args, "PIPELINE", "nothing", 1))...); got.status != 2 ||
			!strings.HasPrefix(got.stderr, "error: nothing is no folder of a pipeline: it has no pipeline.yaml\nhint: give the folder of the pipeline, or its name and the store: --store\n") {
			t.Errorf("%s without a store: %+v", command.args, got)
		}
	}
	for args, want := range map[string]string{
		"status none": `has no pipeline "none"`, "diff other projects": `the pipeline other has no table "projects"`, "export other " + lake + " --table projects": `the pipeline other has no table "projects"`,
	} {
		if got := pipelineCommand(t, nil, append(strings.Fields(args), "--store", s.name)...); got.status != 2 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %+v", args, got)
		}
	}

	for _, command := range []string{"run", "check", "schedule install"} {
		got := pipelineCommand(t, nil, append(strings.Fields(command), "gated", "--store", s.name)...)
		if got.status != 2 || got.stderr != "error: gated is no folder of a pipeline: it has no pipeline.yaml\nhint: this command reads the folder; the name in a store suffices for status, test, diff, export, report, stop, forget, and schedule trigger\n" {
			t.Errorf("%s of a name: %+v", command, got)
		}
	}

	// The ways of version 0.1.0.
	for args, want := range map[string]string{
		"status -C " + other + " -o csv -H": "1,other,done,", "diff others -C " + other + " -o csv -H": ",dbc-1,projects/dbc-1,added,,1",
		"diff others --folder " + other + " -o csv -H": ",dbc-1,projects/dbc-1,added,,1", "export " + lake + " --table others -C " + other + " -o csv -H": "others,dbc-1,1,1,",
		"schedule list -C " + other + " -o csv -H": "gated,0 0 29 2 *,", "schedule pause gated -C " + other + " -o csv -H": "gated,0 0 29 2 *,UTC,true,",
	} {
		if got := pipelineCommand(t, nil, strings.Fields(args)...); got.status != 0 || !strings.Contains(got.stdout, want) {
			t.Errorf("%s: %+v", args, got)
		}
	}
}
