// Package deploycheck has the tests that hold the files of docs/deploy against the rules of the programs that
// read them: Kubernetes' own types, the schema of the Compose specification, and Grafana's schema of dashboards.
// A mistake is put into each file once, to show that it is found. The tests of internal/cli run the commands of
// the same files.
package deploycheck
