# lakeql: `make help` lists the targets.

MODULE  := github.com/lakeql/lakeql
VERSION  = $(or $(patsubst v%,%,$(shell git describe --tags --always --dirty 2>/dev/null)),dev)
LDFLAGS  = -s -w -X $(MODULE)/internal/cli.version=$(VERSION)

# The folder that `make registry` writes to.
REGISTRY ?= .

# The tools have their own go.mod, so that they do not change the versions of lakeql's modules.
TOOL    := go tool -modfile=internal/tools/go.mod

# The licences that shipped modules may have.
ALLOWED_LICENSES := Apache-2.0,BSD-2-Clause,BSD-3-Clause,ISC,MIT,MPL-2.0

# The licence checker does not recognise this module's LICENSE: MIT-0, over SQLite in the public domain.
KNOWN_LICENSES := github.com/ncruces/go-sqlite3-wasm/v6

# Folders with generated files in git.
GENERATED := openapi docs

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Use

.PHONY: build
build: ## build bin/lakeql without cgo
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/lakeql .

.PHONY: demo
demo: build ## mint a password and open psql with it; this needs no account
	@PATH="$$PWD/bin:$$PATH" internal/cli/testdata/demo.sh

.PHONY: docs
docs: build ## write the documentation pages to docs/databricks_*
	rm -rf docs/databricks_*
	./bin/lakeql docs

SITE := docs/site

.PHONY: site
site: $(SITE)/node_modules/.package-lock.json ## build the documentation as a site in docs/site/build; this needs Node.js 20
	cd $(SITE) && rm -rf build && NO_UPDATE_NOTIFIER=1 node_modules/.bin/docusaurus build && node lib/check-links.mjs

.PHONY: site-serve
site-serve: ## show the site that is built, on this machine
	@node $(SITE)/lib/serve.mjs $(PORT)

.PHONY: site-test
site-test: ## test the site that is built, in Chromium (SHOTS=folder keeps pictures)
	cd $(SITE) && node --test test/

# The modules are those of the lockfile. Nothing of theirs runs while they are installed.
$(SITE)/node_modules/.package-lock.json: $(SITE)/package-lock.json
	cd $(SITE) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: registry
registry: ## write the registry for StackQL to src/ and dist/ in the folder REGISTRY (default: .)
	go run ./internal/openapigen registry $(REGISTRY)

##@ Check

.PHONY: test
test: ## install what the tests need, then run every one (one: make test PKG=./openapi ARGS='-run Load')
	@internal/testworld/setup.sh
	$(TEST_RACES) $(if $(CI),-count=1) $(ARGS) $(or $(PKG),$$(go list ./... | grep -vE '/internal/($(SERIAL))(/|$$)'))
	$(if $(PKG),,$(TEST_SERIAL) $(if $(CI),-count=1) $(ARGS) $$(go list ./... | grep -E '/internal/($(SERIAL))(/|$$)'))
	$(if $(PKG),,go test -C internal/release -vet=off -timeout 30m $(if $(CI),-count=1) $(ARGS) .)
	$(if $(PKG),,go test -C internal/deploycheck -vet=off $(if $(CI),-count=1) $(ARGS) .)

# The race detector watches all but SQLite's own code, which is C translated to Go: each connection has its
# memory to itself, and watching that memory triples the time of a query. `make lint` vets the code.
TEST_RACES := CGO_ENABLED=1 go test -vet=off -timeout 30m -race -gcflags=github.com/ncruces/go-sqlite3-wasm/v6=-race=false

# Packages whose tests call one thing after the other, or run the command as a process: there is no race to
# detect. any-sdk, which judges the documents here, brings along a SQLite in C that only cgo would compile.
SERIAL := cli|openapigen|docgen|wire
TEST_SERIAL := CGO_ENABLED=0 go test -vet=off -timeout 30m

.PHONY: faults
faults: build ## run statements against servers that fail in every way (some cells: make faults CELL='regular expression')
	go run ./internal/faults -command bin/lakeql $(if $(CELL),-cell '$(CELL)')

# How long each fuzz target runs. On a busy machine go test fails with "context deadline exceeded" alone when
# the time is up; of a crash it names the input. Making inputs shorter may take a second each, or slow targets do
# nothing else.
TIME ?= 1m

.PHONY: fuzz
fuzz: ## run every fuzz target for TIME (default: 1m)
	@list=$$(go test -vet=off -list '^Fuzz' ./...) || { printf '%s\n' "$$list"; exit 1; }; \
	printf '%s\n' "$$list" | awk '/^Fuzz/ { names[++n] = $$1 } /^ok/ { for (i = 1; i <= n; i++) print $$2, names[i]; n = 0 }' | { \
	  tried=0; failed=0; \
	  while read -r package target; do \
	    tried=$$((tried + 1)); \
	    if out=$$(go test -vet=off $(ARGS) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(TIME) -fuzzminimizetime 1s "$$package" 2>&1 </dev/null) || \
	      printf '%s\n' "$$out" | grep -A 1 '^--- FAIL: ' | grep -qx ' *context deadline exceeded'; then \
	      printf 'ok    %s %s: %s\n' "$$package" "$$target" "$$(printf '%s\n' "$$out" | grep '^fuzz: elapsed' | tail -n 1)"; \
	    else \
	      failed=$$((failed + 1)); printf 'FAIL  %s %s\n%s\n' "$$package" "$$target" "$$out"; \
	    fi; \
	  done; \
	  printf 'tried %d, failed %d\n' $$tried $$failed; test $$tried -gt 0 -a $$failed = 0; }

.PHONY: lint
lint: ## run the linters; check formatting, go.mod, and merge-conflict markers
	@git grep -nIE '^(<{7}|={7}$$|>{7})'; \
	case $$? in \
	  1) ;; \
	  0) echo 'these lines are merge-conflict markers: resolve them' >&2; exit 1;; \
	  *) exit 1;; \
	esac
	go mod tidy -diff
	go vet ./...
	$(TOOL) golangci-lint run ./...
	$(TOOL) golangci-lint fmt --diff
	cd internal/release && go mod tidy -diff && go vet . && go tool -modfile=../tools/go.mod golangci-lint run .
	cd internal/deploycheck && go mod tidy -diff && go vet . && go tool -modfile=../tools/go.mod golangci-lint run .
	go tool -modfile=internal/tools/actionlint.mod actionlint
	go tool -modfile=internal/tools/actionlint.mod actionlint docs/deploy/github/*.yml

.PHONY: verify
verify: ## regenerate, and fail if a generated file in git is stale
	$(MAKE) generate
	$(MAKE) docs
	@git diff --exit-code -- $(GENERATED) && \
	  new=$$(git ls-files --others --exclude-standard -- $(GENERATED)) && test -z "$$new" || { \
	  echo "generated files in git are stale: run 'make generate docs' and commit"; \
	  printf '%s\n' $$new; exit 1; } >&2

.PHONY: licenses
licenses: ## check the licences of all shipped modules (any-sdk is not shipped)
	CGO_ENABLED=0 $(TOOL) go-licenses check --logtostderr=false --stderrthreshold=2 --allowed_licenses=$(ALLOWED_LICENSES) --ignore $(KNOWN_LICENSES) . ./openapi ./provider/...

.PHONY: vuln
vuln: ## check for known vulnerabilities (needs the network)
	$(TOOL) govulncheck ./...

.PHONY: bench
bench: build ## measure statements and pipelines as processes (POSTGRES=postgres://… takes that store, which it empties, and adds the proxy)
	go run ./internal/bench $(if $(POSTGRES),-postgres '$(POSTGRES)')
	LAKEQL_BENCH_POSTGRES='$(POSTGRES)' go test ./internal/pipeline -run '^$$' -bench . -benchtime 3x

.PHONY: sizes
sizes: build ## print the size of the command by module, and the initialisation time of its packages
	go run ./internal/bench -sizes

##@ Change

.PHONY: fmt
fmt: ## format the code
	$(TOOL) golangci-lint fmt

.PHONY: generate
generate: ## run every generator
	go generate ./...

.PHONY: openapi
openapi: ## generate the OpenAPI documents and compile the catalogue
	go generate ./openapi/...

# The versions of the official SDK that are upgraded to in turn. The last should be the one in go.mod.
SDKS ?= v0.132.0 v0.170.0 v0.175.0 v0.180.0 v0.182.0

.PHONY: upgrade-drill
upgrade-drill: ## upgrade from version to version of the SDK, and print what changes and waits
	go run ./internal/openapigen drill $(SDKS)

.PHONY: release
release: ## build a release for all platforms in dist/lakeql-VERSION: make release VERSION=0.2.0 [KEY=minisign.key] [PLATFORMS=linux/amd64]
	go run -C internal/release . -version '$(VERSION)' $(if $(KEY),-key '$(abspath $(KEY))') -platforms '$(PLATFORMS)'

.PHONY: clean
clean: ## delete build results
	rm -rf bin dist src coverage.out

.PHONY: help
help: ## show this help
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
