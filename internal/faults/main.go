// Command faults runs the built command against servers that fail, and checks that each run ends with exactly
// the right rows, or with an error message.
//
// The matrix has a row for each fault (a status, a shape of the body, a moment at which the connection
// ends) and a column for each statement (an EXEC, a page of a list, the inner call of a join, a pipeline).
// A cell is one process. It holds if
//
//   - its rows are exactly those that the fault leaves, and its exit status is 0; or
//   - its exit status is not 0, standard error has the reason, and standard output does not look like a
//     complete result. A pipeline keeps the rows of its last run, marked stale.
//
// Which of the two is right for a cell follows from rules for its fault (statuses.go, shapes.go, values.go,
// framing.go, cuts.go, retries.go) and for its statement (surfaces.go), never from the command's behaviour.
//
// The server (server.go) writes bytes to sockets. It shares no code with the command, the emulator, or
// net/http, so that it can send bytes that none of them would send.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
)

func main() {
	command := flag.String("command", "bin/lakeql", "the command to run")
	only := flag.String("cell", "", "run only the cells whose name (fault × statement) this regular expression matches, and show each run")
	part := flag.Bool("part", false, "run the part of the cells that the tests run")
	parallel := flag.Int("parallel", runtime.NumCPU(), "how many processes run at once; cells that wait run beside them")
	flag.Parse()
	m := matrix{command: *command, only: *only, part: *part, parallel: *parallel, out: os.Stdout}
	totals, err := m.interruptible()
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(2)
	}
	if totals.failed > 0 {
		os.Exit(1)
	}
}

// interruptible calls run, until Ctrl-C.
func (m *matrix) interruptible() (totals, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return m.run(ctx)
}
