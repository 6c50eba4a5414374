package deploycheck

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

func compose() judged {
	return judged{"compose/compose.yaml", composed, []mistake{
		{"restart: unless-stopped", "restarts: unless-stopped", "services.postgres.restarts false schema"},
		{"stop_grace_period: 60s", "stop_grace_period: sixty", "sixty"},
		{"replicas: 2", "replicas: two", "deploy.replicas"},
		{"condition: service_healthy", "condition: healthy", "depends_on.postgres.condition"},
		{"    postgres:\n      condition", "    postgresql:\n      condition", `depends on undefined service "postgresql"`},
		{"- store:/var/lib", "- stores:/var/lib", "refers to undefined volume stores"},
		{"${POSTGRES_PASSWORD:?a password of your choice}\n  depends_on", "${POSTGRES_PASSWORDS:?a password of your choice}\n  depends_on", "required variable POSTGRES_PASSWORDS is missing a value"},
		{"<<: *lakeql", "<<: *other", "unknown anchor 'other'"},
	}}
}

// composed judges a file by the schema of the specification, with the variables of environment.example.
func composed(text string) error {
	dir := filepath.Join("..", "..", "docs", "deploy", "compose")
	example, err := os.ReadFile(filepath.Join(dir, "environment.example"))
	if err != nil {
		return err
	}
	environment, err := dotenv.Parse(strings.NewReader(string(example)))
	if err != nil {
		return err
	}
	for name, value := range environment {
		if value == "" { // for the reader to fill in
			environment[name] = "given"
		}
	}
	_, err = loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml", Content: []byte(text)}},
		Environment: environment,
	}, func(o *loader.Options) {
		o.SetProjectName("lakeql", true)
		o.Profiles = []string{"*"}
	})
	return err
}
