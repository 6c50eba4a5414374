package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// emulator is one in another process.
type emulator struct {
	cmd *exec.Cmd
	url string
	env []string // that points at it
}

// startEmulator runs an emulator.
func startEmulator(ctx context.Context, binary string, flags []string) (*emulator, error) {
	cmd := exec.CommandContext(ctx, binary, append([]string{"emulator"}, flags...)...) //nolint:gosec // the command to measure is the caller's choice
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	e := &emulator{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		e.stop()
		return nil, fmt.Errorf("start the emulator: %w", err)
	}
	variables := strings.Fields(strings.TrimPrefix(line, "export "))
	for _, variable := range variables {
		if url, ok := strings.CutPrefix(variable, "DATABRICKS_HOST="); ok {
			e.url = url
		}
	}
	e.env = append(os.Environ(), variables...)
	return e, nil
}

func (e *emulator) stop() {
	_ = e.cmd.Process.Signal(os.Interrupt) // it may be gone already
	_ = e.cmd.Wait()
}

// sample is the cost of one run of a subject.
type sample struct {
	wall  time.Duration
	cpu   time.Duration // that the command used
	other time.Duration // that the emulator used meanwhile, on the same processors
	store time.Duration // that PostgreSQL used meanwhile, on the same processors
	peak  int64         // bytes; no less than what this process has, from which the run's was forked
	calls int
}

// run runs a command once.
func (e *emulator) run(ctx context.Context, argv []string) (sample, error) {
	if err := e.control(ctx, http.MethodDelete, nil); err != nil {
		return sample{}, err
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the command to measure is the caller's choice
	cmd.Env = e.env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	before := e.cpu()
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	if err != nil {
		return sample{}, fmt.Errorf("%w: %s", err, stderr.String())
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return sample{}, errors.New("this system does not tell what a process used")
	}
	var counted struct{ Total int }
	if err := e.control(ctx, http.MethodGet, &counted); err != nil {
		return sample{}, err
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return sample{wall: wall, cpu: cpu, other: e.cpu() - before, peak: usage.Maxrss << 10, calls: counted.Total}, nil // Linux counts in KiB
}

// cpu is the time that the emulator has used the processors; 0 if the system does not tell.
func (e *emulator) cpu() time.Duration { return cpuOf(e.cmd.Process.Pid) }

// control asks the emulator for its count of requests, or has it begin anew.
func (e *emulator) control(ctx context.Context, verb string, into any) error {
	req, err := http.NewRequestWithContext(ctx, verb, e.url+"/_emulator/requests", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", verb, req.URL, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
