package driver_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lakeql/lakeql/provider"
	"github.com/lakeql/lakeql/provider/driver"
)

// The usual way: import the package for its name, and open a workspace. A profile of ~/.databrickscfg
// is named by profile=production.
func Example() {
	host, stop := demo()
	defer stop()

	db, err := sql.Open("lakeql", "host="+host)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = db.Close() }()

	rows, err := db.QueryContext(context.Background(), `
		SELECT name, create_time
		FROM databricks_workspace.postgres.postgres_branches
		WHERE project_id = ?
		ORDER BY name`, "orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		var created sql.NullString
		if err := rows.Scan(&name, &created); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(name, created.Valid)
	}
	if err := rows.Err(); err != nil {
		fmt.Println(err)
		return
	}
	// Output:
	// projects/orders/branches/development true
	// projects/orders/branches/production true
}

// A connector takes settings that a data source name cannot hold.
func ExampleNewConnector() {
	host, stop := demo()
	defer stop()

	connector, err := driver.NewConnector(driver.Config{
		Host:      host,
		PageLimit: 1,
		Notes:     func(line string) { fmt.Println("note:", line) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()

	result, err := db.ExecContext(context.Background(), "CREATE TEMP TABLE seen AS SELECT :a AS name; INSERT INTO seen VALUES (:b), (:c)",
		sql.Named("a", "orders"), sql.Named("b", "fleet"), sql.Named("c", "payroll"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.RowsAffected())
	// Output:
	// note: 2 rows inserted
	// 2 <nil>
}

// Times scan into time.Time. JSON scans into json.RawMessage, or by JSON into a Go value.
func ExampleJSON() {
	host, stop := demo()
	defer stop()
	db, err := sql.Open("lakeql", "host="+host)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = db.Close() }()

	var created time.Time
	var raw json.RawMessage
	var status struct {
		ID      string `json:"branch_id"`
		Default bool
	}
	err = db.QueryRowContext(context.Background(),
		"SELECT create_time, status, status FROM databricks_workspace.postgres.postgres_branches WHERE name = ?",
		"projects/orders/branches/production").Scan(&created, &raw, driver.JSON(&status))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(created.Year(), json.Valid(raw), status.ID, status.Default)
	// Output: 2025 true production true
}

// Errors say what failed, where, and what to do.
func Example_errors() {
	host, stop := demo()
	defer stop()
	db, err := sql.Open("lakeql", "host="+host)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = db.Close() }()

	_, err = db.ExecContext(context.Background(), "SELECT name FROM databricks_workspace.postgres.postgres_branches")
	if e, ok := errors.AsType[*driver.Error](err); ok {
		fmt.Println(e.Code(), e.Code() == provider.Usage)
	}
	if e, ok := errors.AsType[*provider.Error](err); ok {
		fmt.Println(e.Message)
		fmt.Println(e.Hint)
	}
	// Output:
	// usage true
	// missing parameters: databricks_workspace.postgres.postgres_branches needs project_id
	// add WHERE project_id = '…', or join with a table that supplies them
}
