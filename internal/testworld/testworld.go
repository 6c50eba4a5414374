// Package testworld is the world that tests run in: an emulator, the built command, a PostgreSQL
// server, and setup.sh, which installs what these need. Only tests import it.
package testworld
