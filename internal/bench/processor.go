package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// process is what /proc tells about a process.
type process struct {
	parent int
	own    time.Duration // on the processors, of the program and of the system for it
	ended  time.Duration // the same of the children that have ended
}

// processOf reads about a process; not ok if there is none, or if the system does not tell.
func processOf(pid int) (p process, ok bool) {
	const ticks = 100 // a second, in all files of /proc that programs see
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, false
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name may have blanks
	fields := strings.Fields(after)
	if len(fields) < 15 {
		return p, false
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(fields[i]) // 0 where it is none
		return n
	}
	took := func(user, system int) time.Duration {
		return time.Duration(number(user)+number(system)) * time.Second / ticks
	}
	return process{parent: number(1), own: took(11, 12), ended: took(13, 14)}, true
}

// cpuOf is the time that a process has used the processors; 0 if the system does not tell.
func cpuOf(pid int) time.Duration {
	p, _ := processOf(pid)
	return p.own
}

// serverCPU is the time that a PostgreSQL server on this machine has used the processors, with all of its
// processes; 0 if it is on another one, or if the system does not tell.
func serverCPU(ctx context.Context, conn *pgx.Conn) (time.Duration, error) {
	var backend int
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return 0, err
	}
	of, ok := processOf(backend)
	if !ok {
		return 0, nil
	}
	server, _ := processOf(of.parent)
	total := server.own + server.ended
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		pid, _ := strconv.Atoi(filepath.Base(name)) // it is a number
		if p, ok := processOf(pid); ok && p.parent == of.parent {
			total += p.own
		}
	}
	return total, nil
}
