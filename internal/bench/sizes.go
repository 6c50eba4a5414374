package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"debug/gosym"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const longest = 15 // lines of each list

// printSizes prints the size of each build and of the modules in it, and the cost of the packages'
// initialisation before main begins, as the runtime traces it (GODEBUG=inittrace=1).
func printSizes(ctx context.Context, binaries []string, runs int) error {
	for _, binary := range binaries {
		info, err := os.Stat(binary)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %.1f MB\n", binary, float64(info.Size())/1e6)
		modules, err := codeOfModules(binary)
		if err != nil {
			return fmt.Errorf("%s: %w", binary, err)
		}
		largest := slices.SortedFunc(maps.Keys(modules), func(a, b string) int { return cmp.Compare(modules[b], modules[a]) })
		for _, module := range largest[:min(longest, len(largest))] {
			fmt.Printf("  %7.2f MB of code  %s\n", float64(modules[module])/1e6, module)
		}
		if err := printInitialisation(ctx, binary, runs); err != nil {
			return fmt.Errorf("%s: %w", binary, err)
		}
	}
	return nil
}

// codeOfModules returns the bytes of machine code by module. The table of functions is in stripped builds
// too; it is read where builds are ELF files.
func codeOfModules(binary string) (map[string]uint64, error) {
	file, err := elf.Open(binary)
	if err != nil {
		return nil, nil // no ELF file: nothing is said about its modules
	}
	defer func() { _ = file.Close() }() // it was only read
	table, err := file.Section(".gopclntab").Data()
	if err != nil {
		return nil, err
	}
	functions, err := gosym.NewTable(nil, gosym.NewLineTable(table, file.Section(".text").Addr))
	if err != nil {
		return nil, err
	}
	build, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	modules := []string{build.Main.Path}
	for _, dep := range build.Deps {
		modules = append(modules, dep.Path)
	}
	code := map[string]uint64{}
	for _, f := range functions.Funcs {
		code[moduleOf(strings.ReplaceAll(f.Name, "%2e", "."), modules)] += f.End - f.Entry
	}
	return code, nil
}

// moduleOf returns the module that a function is from: the longest that its name begins with, else Go's own.
func moduleOf(function string, modules []string) string {
	of := ""
	for _, module := range modules {
		rest, ok := strings.CutPrefix(function, module)
		if ok && len(module) > len(of) && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "/")) {
			of = module
		}
	}
	return cmp.Or(of, "Go")
}

// initialisation is the cost of a package's initialisation: the median of several runs.
type initialisation struct {
	name  string
	ms    float64
	bytes int
}

func printInitialisation(ctx context.Context, binary string, runs int) error {
	took := map[string][]float64{}
	allocated := map[string]int{}
	var totals []float64
	for range runs {
		cmd := exec.CommandContext(ctx, binary, "version")
		cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
		var trace bytes.Buffer
		cmd.Stderr = &trace
		if err := cmd.Run(); err != nil {
			return err
		}
		total := 0.0
		for lines := bufio.NewScanner(&trace); lines.Scan(); {
			var p initialisation
			var at float64
			if n, _ := fmt.Sscanf(lines.Text(), "init %s @%f ms, %f ms clock, %d bytes", &p.name, &at, &p.ms, &p.bytes); n < 4 {
				continue
			}
			took[p.name], allocated[p.name] = append(took[p.name], p.ms), p.bytes
			total += p.ms
		}
		totals = append(totals, total)
	}
	var all []initialisation
	sum := 0
	for name, ms := range took {
		all = append(all, initialisation{name, median(ms), allocated[name]})
		sum += allocated[name]
	}
	slices.SortFunc(all, func(a, b initialisation) int { return cmp.Compare(b.ms, a.ms) })
	fmt.Printf("  %d packages are initialised in %.2f ms (median of %d runs), with %.2f MB allocated\n", len(all), median(totals), runs, float64(sum)/1e6)
	for _, p := range all[:min(longest, len(all))] {
		fmt.Printf("  %7.3f ms %7d bytes  %s\n", p.ms, p.bytes, p.name)
	}
	return nil
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}
