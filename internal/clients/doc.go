// Package clients proves that clients of PostgreSQL can use lakeql srv: psql, drivers of five languages, ODBC and
// a foreign data wrapper.
//
// The package consists of tests. They start the built command over an emulator once, and one program for each
// client (testdata). Each program does the same, in its client's own way, and prints a report: a line for each
// step. The test compares every line with the expected one, and makes the table of clients in docs/server.md:
//
//	go test ./internal/clients -update
//
// internal/testworld/setup.sh installs the clients. A client that is not there is skipped, with the reason; if
// CI is set, its test fails.
package clients
