// Command profiled is the lakeql command, and writes a profile of its CPU time to the file that the
// variable LAKEQL_BENCH_PROFILE names.
package main

import (
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/lakeql/lakeql/internal/cli"
)

func main() { os.Exit(run(os.Getenv("LAKEQL_BENCH_PROFILE"))) }

func run(path string) int {
	profile, err := os.Create(path)
	if err == nil {
		err = pprof.StartCPUProfile(profile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		return 1
	}
	status := cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	pprof.StopCPUProfile()
	if err := profile.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		return 1
	}
	return status
}
