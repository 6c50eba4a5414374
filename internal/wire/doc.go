// Package wire holds the proof that lakeql is exact on the wire: for every operation of the API it
// sends what the official SDK sends, and reads from the answer what the SDK reads.
//
// The package is its tests. Both sides get the same arguments and one recording server:
//
//   - The SDK's call is found on its clients by reflection, and its request is filled from the Go
//     types: every field, or only those that are required. The fillings are the same each time.
//   - Our call is made of that same request by its tags and by what internal/openapigen/sdk reads
//     of the SDK's source; what the SDK sent is not looked at.
//   - Both have the id of a workspace configured, which their calls of that workspace carry.
//   - Answers are generated from the response schemas of the committed documents.
//
// testdata/exceptions.csv lists the operations that may differ, each with its reason. A difference
// that is not listed fails, and so does a line that no longer differs.
package wire
