# lakeql: `make help` lists what there is to make.

MODULE  := github.com/lakeql/lakeql
VERSION  = $(or $(patsubst v%,%,$(shell git describe --tags --always --dirty 2>/dev/null)),dev)
LDFLAGS  = -s -w -X $(MODULE)/internal/cli.version=$(VERSION)

# The tools have a go.mod of their own, so that they do not move the versions of the product's modules.
REGISTRY ?= .

TOOL    := go tool -modfile=internal/tools/go.mod

# What ships has to be under one of these licences.
ALLOWED_LICENSES := Apache-2.0,BSD-2-Clause,BSD-3-Clause,ISC,MIT,MPL-2.0

# Its LICENSE is MIT-0, over SQLite in the public domain; the checker does not know the text.
KNOWN_LICENSES := github.com/ncruces/go-sqlite3-wasm/v6

# Folders whose generated files are kept in git.
GENERATED := openapi docs

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Use

.PHONY: build
build: ## build bin/lakeql, without cgo
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/lakeql .

.PHONY: demo
demo: build ## run a statement against the emulator; no account needed
	./bin/lakeql exec --emulator -i internal/cli/testdata/demo.sql

.PHONY: docs
docs: build ## write the documentation pages to docs/
	rm -rf docs/databricks_*
	./bin/lakeql docs

.PHONY: registry
registry: ## write the bundle for StackQL to src/ and dist/ below REGISTRY (here by default)
	go run ./internal/openapigen registry $(REGISTRY)

##@ Check

.PHONY: test
test: test-needs ## run every test with the race detector (one: make test PKG=./openapi ARGS='-run Load')
	CGO_ENABLED=1 go test -race $(if $(CI),-count=1) $(ARGS) $(or $(PKG),./...)

# What the tests need beyond Go: checked before, with the way to get it, rather than found out halfway.
.PHONY: test-needs
test-needs:
	@echo '#include <stdlib.h>' | $$(go env CC) -E - >/dev/null 2>&1 || { \
	  echo 'make test needs a C compiler and its headers, for the race detector. To install them:'; \
	  echo '  Debian, Ubuntu   apt-get install gcc libc6-dev'; \
	  echo '  Fedora           dnf install gcc glibc-devel'; \
	  echo '  Alpine           apk add gcc musl-dev'; \
	  echo '  macOS            xcode-select --install'; \
	  exit 1; } >&2
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
	  echo 'make test needs the programs of PostgreSQL 14 or newer: a test runs a server of its own. To install them:'; \
	  echo '  Debian, Ubuntu   apt-get install --no-install-recommends postgresql'; \
	  echo '  Fedora           dnf install postgresql-server'; \
	  echo '  Alpine           apk add postgresql postgresql-client'; \
	  echo '  macOS            brew install postgresql'; \
	  exit 1; } >&2

.PHONY: lint
lint: ## run the linters, and check formatting, go.mod and leftovers of merges
	@git grep -nIE '^(<{7}|={7}$$|>{7})'; \
	case $$? in \
	  1) ;; \
	  0) echo 'these lines are left over from a merge: settle them' >&2; exit 1;; \
	  *) exit 1;; \
	esac
	go mod tidy -diff
	go vet ./...
	$(TOOL) golangci-lint run ./...
	$(TOOL) golangci-lint fmt --diff

.PHONY: verify
verify: ## check that the generated files in git are current
	$(MAKE) generate
	$(MAKE) docs
	@git diff --exit-code -- $(GENERATED) && \
	  new=$$(git ls-files --others --exclude-standard -- $(GENERATED)) && test -z "$$new" || { \
	  echo "generated files are not what is in git: run 'make generate docs' and commit"; \
	  printf '%s\n' $$new; exit 1; } >&2

.PHONY: licenses
licenses: ## check the licences of all that ships (not of any-sdk, which only generates and tests)
	CGO_ENABLED=0 $(TOOL) go-licenses check --logtostderr=false --stderrthreshold=2 --allowed_licenses=$(ALLOWED_LICENSES) --ignore $(KNOWN_LICENSES) . ./openapi ./provider/...

.PHONY: vuln
vuln: ## look for known vulnerabilities (reads their database over the network)
	$(TOOL) govulncheck ./...

.PHONY: bench
bench: build ## measure cost: statements and pipelines as whole processes (POSTGRES=postgres://… to share runs in, all in it goes)
	go run ./internal/bench $(if $(POSTGRES),-postgres '$(POSTGRES)')
	LAKEQL_BENCH_POSTGRES='$(POSTGRES)' go test ./internal/pipeline -run '^$$' -bench . -benchtime 3x

.PHONY: sizes
sizes: build ## print the size of the command by module, and what its packages cost before main begins
	go run ./internal/bench -sizes

##@ Change

.PHONY: fmt
fmt: ## format the code
	$(TOOL) golangci-lint fmt

.PHONY: generate
generate: ## run every generator
	go generate ./...

.PHONY: openapi
openapi: ## generate the OpenAPI documents and the catalogue compiled from them
	go generate ./openapi/...

.PHONY: clean
clean: ## delete what was built
	rm -rf bin dist src coverage.out

.PHONY: help
help: ## show this help
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
