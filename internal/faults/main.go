// Command faults runs the built command against servers that fail, and checks that each run ends with
// exactly the right rows, or with an error that is told.
//
// The matrix has a row for each fault (a status, a shape of the body, a moment at which the connection
// ends) and a column for each statement (an EXEC, a page of a list, the inner call of a join, a pipeline).
// A cell is one process. It holds if
//
//   - its rows are those that the fault leaves, to the last character, and its exit status is 0; or
//   - its exit status is not 0, standard error tells why, and standard output holds nothing that could be
//     taken for a whole result. A pipeline keeps the rows of its last run, marked stale.
//
// Which of the two a cell must do is a rule of its fault (statuses.go, shapes.go, values.go, framing.go,
// cuts.go, retries.go) and of what the statement asked for (surfaces.go). No rule is made of what the
// command does.
//
// The server (server.go) writes bytes to sockets. It shares no code with the command, with the emulator, or
// with net/http, so that it can send what none of them would.
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

// interruptible is run until somebody presses Ctrl-C.
func (m *matrix) interruptible() (totals, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return m.run(ctx)
}
