// Package differential proves that a SELECT over the API has the same meaning as in SQLite: the same queries
// over resources of an emulated workspace, and over plain tables with the same rows, return the same.
//
// The package consists of tests. They read the emulator's lists with plain HTTP requests into ordinary tables
// of SQLite, in which a parameter of the API is a column like the others. lakeql queries the same emulator
// itself. A generator makes the queries. A seed determines them, and each has a number, so that a failing
// query can be run again alone:
//
//	LAKEQL_DIFFERENTIAL=seed:number go test ./internal/differential
//
// A query with unknown parameters must be refused with an error that names one of them; it may never return
// rows. LAKEQL_DIFFERENTIAL=seed:0-20000 runs more queries than usual, also with another seed.
package differential
