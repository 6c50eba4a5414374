// Package testworld is the world that tests run in: a PostgreSQL server, and setup.sh, which installs
// what tests need. Only tests import it.
package testworld
