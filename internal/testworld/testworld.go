// Package testworld provides the environment of tests: the shipped catalogue, emulators, a PostgreSQL
// server, and setup.sh, which installs the programs that tests need. Only tests import it.
package testworld
