// Package differential holds the proof that a SELECT over the API means what it means in SQLite: the
// same queries over resources of an emulated workspace, and over plain tables with the same rows,
// give the same answer.
//
// The package is its tests. The emulator's lists are read with plain HTTP requests into ordinary
// tables of SQLite's, in which what is a parameter of the API is a column like any other; lakeql asks
// the same emulator in its own way. Queries come from a generator that a seed determines, each by
// its number, so that one that fails can be run again alone:
//
//	LAKEQL_DIFFERENTIAL=seed:number go test ./internal/differential
//
// A query whose parameters cannot be known must be refused with an error that names one of them; it
// may never be answered in another way. LAKEQL_DIFFERENTIAL=seed:0-20000 runs more queries than the
// tests usually do, of another seed if need be.
package differential
