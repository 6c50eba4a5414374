package main

import (
	"fmt"
	"time"
)

// workload is an emulator and the subjects to measure against it.
type workload struct {
	emulator []string // its flags
	most     int      // runs of each subject
	subjects []subject
}

// subject is a command line to measure.
type subject struct {
	name  string
	argv  []string
	aim   string // what was aimed at, for the report
	floor floor  // that it is measured against
}

const (
	postgres  = "databricks_workspace.postgres.postgres_"
	projects  = postgres + "projects"
	branches  = postgres + "branches"
	endpoints = postgres + "endpoints"

	latency = 50 * time.Millisecond
	atOnce  = 16 // calls that a workspace gets at once
	// own is the number of projects that an emulator lists besides those of --scale.
	own = 6
)

// workloads are all that is measured.
func workloads() []workload {
	join := projects + " p JOIN " + branches + " b ON b.parent = p.name"
	return []workload{
		{most: 20, subjects: []subject{
			{name: "version, whole process", argv: []string{"version"}, aim: "≤ 1.5 × the floor", floor: empty},
			over(call, statement("one EXEC, whole process", "≤ 2 × the floor, ≤ 20 MB", "EXEC "+postgres+"credentials.generate @endpoint = 'projects/p/branches/b/endpoints/e'")),
			statement("one SELECT, whole process", "", "SELECT name FROM "+projects),
			statement("SHOW METHODS, small service", "as version, and 2 ms", "SHOW METHODS IN databricks_workspace.dataclassification.catalog_configs"),
			statement("SHOW METHODS, large service", "", "SHOW METHODS IN databricks_workspace.catalog.tables"),
		}},
		{emulator: flags(100, latency), most: 5, subjects: []subject{
			statement("join, 100 inner calls of 50 ms", "≤ 0.5 s; "+least(1, 100), "SELECT p.name, b.name FROM "+join),
			statement("the same, by a subquery", least(1, 100), "SELECT name FROM "+branches+" WHERE parent IN (SELECT name FROM "+projects+")"),
			statement("three levels, 100 and 200 calls", least(1, 100, 201), "SELECT e.name FROM "+join+" JOIN "+endpoints+" e ON e.parent = b.name"),
			statement("the same under LIMIT 10", "≤ 28 calls", "SELECT e.name FROM "+join+" JOIN "+endpoints+" e ON e.parent = b.name LIMIT 10"),
		}},
		{emulator: flags(20_000, 0), most: 10, subjects: []subject{
			statement("20,000 rows in 200 pages", "≤ 0.4 s, ≤ 40 MB", "SELECT name, uid, create_time, update_time FROM "+projects),
			statement("20,000 rows, every column", "≤ 40 MB", "SELECT * FROM "+projects),
			statement("20,000 rows counted", "", counted()),
			statement("20,000 rows grouped", "", grouped()),
			statement("LIMIT 1 over 200 pages", "1 call", "SELECT name FROM "+projects+" LIMIT 1"),
			statement("the same list twice", "200 calls", "SELECT count(*) FROM (SELECT name FROM "+projects+" UNION ALL SELECT name FROM "+projects+")"),
		}},
		{emulator: flags(1_000_000, 0), most: 1, subjects: []subject{
			statement("1,000,000 rows counted", "memory as for 20,000", counted()),
			statement("1,000,000 rows grouped", "", grouped()),
		}},
	}
}

// counted is an aggregate that keeps no row.
func counted() string { return "SELECT count(*), max(update_time) FROM " + projects }

// grouped is a query whose rows SQLite sorts, which needs memory and a temporary file of SQLite.
func grouped() string {
	return "SELECT status ->> '$.owner', count(*), max(update_time) FROM " + projects + " GROUP BY 1"
}

func statement(name, aim, text string) subject {
	return subject{name: name, argv: []string{"exec", "-o", "json", text}, aim: aim}
}

// over is a subject with a floor.
func over(f floor, s subject) subject {
	s.floor = f
	return s
}

// flags are the flags of an emulator with a number of projects.
func flags(projects int, latency time.Duration) []string {
	return []string{"--scale", fmt.Sprint(projects - own), "--latency", latency.String()}
}

// least words the least time that levels of calls take of which each needs the one before.
func least(levels ...int) string {
	var total time.Duration
	for _, calls := range levels {
		total += time.Duration((calls+atOnce-1)/atOnce) * latency
	}
	return fmt.Sprintf("floor %.2f s", total.Seconds())
}
