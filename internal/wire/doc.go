// Package wire proves that lakeql is exact on the wire: for every operation of the API it sends the same
// requests as the official SDK, and reads the same values from the answers.
//
// The package consists of tests. Both sides get the same arguments and one recording server:
//
//   - The SDK's call is found on its clients by reflection, and its request is filled according to the Go
//     types: every field, or only the required ones. The values are the same in each run.
//   - Our call is made from that request, by its tags and by the SDK's source as internal/openapigen/sdk
//     reads it. It does not depend on the requests that the SDK sent.
//   - Both have the id of a workspace configured, which the calls of that workspace carry.
//   - Answers are generated from the response schemas of the committed documents.
//
// testdata/exceptions.csv lists the operations that may differ, each with its reason. A difference that is
// not listed fails, and so does a line without a difference.
package wire
