// Command lakeql puts a Databricks workspace behind SQL.
package main

import (
	"os"

	"github.com/lakeql/lakeql/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
