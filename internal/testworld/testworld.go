// Package testworld is the world that tests run in: the shipped catalogue, emulators, a PostgreSQL
// server, and setup.sh, which installs what tests need. Only tests import it.
package testworld
