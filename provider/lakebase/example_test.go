package lakebase_test

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lakeql/lakeql/provider/lakebase"
)

// config is the usual lakebase.Config{} for Lakebase; TestExamples sets it to a server of this machine.
var config lakebase.Config //nolint:gochecknoglobals // examples take no arguments

// A pool whose connections log in with a token that is good when they are opened.
func Example() {
	ctx := context.Background()
	endpoint, err := lakebase.Open(ctx, "orders/production", config)
	if err != nil {
		fmt.Println(err)
		return
	}
	pooled, err := pgxpool.ParseConfig("pool_max_conns=20 pool_max_conn_lifetime=45m")
	if err != nil {
		fmt.Println(err)
		return
	}
	pooled.BeforeConnect = endpoint.BeforeConnect
	pool, err := pgxpool.NewWithConfig(ctx, pooled)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()

	var user string
	if err := pool.QueryRow(ctx, "SELECT current_user").Scan(&user); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(user, "in", endpoint.Name())
}

// The same with database/sql.
func ExampleEndpoint_Connector() {
	ctx := context.Background()
	endpoint, err := lakebase.Open(ctx, "orders", config)
	if err != nil {
		fmt.Println(err)
		return
	}
	connector, err := endpoint.Connector(func(c *pgx.ConnConfig) { c.RuntimeParams["application_name"] = "report" })
	if err != nil {
		fmt.Println(err)
		return
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()

	var name, database string
	if err := db.QueryRowContext(ctx, "SELECT current_setting('application_name'), current_database()").Scan(&name, &database); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(name, "in", database)
}
