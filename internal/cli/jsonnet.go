package cli

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/google/go-jsonnet"

	"github.com/lakeql/lakeql/provider"
)

// dataBlock finds the blocks of StackQL with values for placeholders: <<<jsonnet … >>>.
func dataBlock() *regexp.Regexp { return regexp.MustCompile(`(?s)<<<(jsonnet|json)\s(.*?)>>>`) }

// cutBlocks takes the blocks out of a text. The rest of the text keeps its places.
func cutBlocks(text string) (rest string, blocks [][]string) {
	if !strings.Contains(text, "<<<") {
		return text, nil
	}
	pattern := dataBlock()
	blank := func(block string) string {
		return regexp.MustCompile(`[^\r\n]`).ReplaceAllString(block, " ")
	}
	return pattern.ReplaceAllStringFunc(text, blank), pattern.FindAllStringSubmatch(text, -1)
}

// jsonnetValues evaluates Jsonnet, and returns the fields of the object that it gives. variables are the
// values of std.extVar. It reads no other file. Jsonnet may run for ever: after the end of the context its
// goroutine is left alone, and ends with the command.
func jsonnetValues(ctx context.Context, name, text string, variables map[string]string) (map[string]any, error) {
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.MemoryImporter{})
	for name, value := range variables {
		vm.ExtVar(name, value)
	}
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		evaluated, err := vm.EvaluateAnonymousSnippet(name, text)
		done <- result{evaluated, err}
	}()
	select {
	case <-ctx.Done():
		return nil, provider.Stopped(ctx, "the evaluation of Jsonnet ended early")
	case r := <-done:
		if r.err != nil {
			return nil, jsonnetError(r.err, variables)
		}
		return jsonValues(r.text)
	}
}

// jsonnetError words an error of Jsonnet, without the values of variables.
func jsonnetError(err error, variables map[string]string) error {
	message := err.Error()
	for _, value := range variables {
		if value != "" {
			message = strings.ReplaceAll(message, value, "****")
		}
	}
	lines := strings.Fields(strings.ReplaceAll(message, "\n", " "))
	hint := "give the values of std.extVar with --var name=value"
	if strings.Contains(message, "import") {
		hint = "write what it imports into the file: only one file is read"
	}
	return provider.Usagef("%s", provider.Printable(strings.Join(lines, " "))).Hintf("%s", hint)
}

// jsonValues reads an object of JSON. Numbers stay as they are written.
func jsonValues(text string) (map[string]any, error) {
	values := map[string]any{}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		return nil, provider.Usagef("not a JSON object: %v", err).Because(err)
	}
	return values, nil
}
