# Everything goes through `make`. The heavy programs (Temporal server, linters) are built once into .devstack/bin.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

BIN      := .devstack/bin
DEVSTACK := $(BIN)/devstack
PRODUCT  := $(BIN)/throughline
# What to test, and how: make test T='./internal/journey -run TestParse -v'
T ?= ./...

DEVSTACK_SOURCES := $(shell find devstack -type f \( -name '*.go' ! -name '*_test.go' -o -name '*.html' -o -name 'go.*' \))

# The pages of the designer. Nothing that is built is in the repository, and Go builds without it.
DESIGNER_SOURCES := $(shell find designer/src designer/public -type f ! -name openapi.json ! -name schema.d.ts) designer/index.html designer/vite.config.ts designer/tsconfig.json
HAS_NODE := $(shell node -e 'const [a,b]=process.versions.node.split(".").map(Number); if (a>20||a==20&&b>=19) console.log("yes")' 2>/dev/null)

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(DEVSTACK) build ## run everything here: Temporal, PostgreSQL, an inbox and Throughline (state in .devstack)
	@LOG_LEVEL=$${LOG_LEVEL:-warn} VERIFY_DNS=$${VERIFY_DNS:-false} $(DEVSTACK) run --dir .devstack -- $(PRODUCT) serve

.PHONY: build
build: pages ## build the product, with its pages where Node is there, into .devstack/bin/throughline
	@go build -o $(PRODUCT) .

.PHONY: pages
pages:
ifeq ($(HAS_NODE),yes)
	@$(MAKE) --no-print-directory designer
else
	@echo "The pages are not built: that takes Node 20.19 or newer. Everything else runs without them."
endif

.PHONY: designer
designer: designer/dist/index.html ## build the pages (needs Node 20.19 or newer)

designer/dist/index.html: $(DESIGNER_SOURCES) designer/src/api/openapi.json designer/node_modules/.package-lock.json
	rm -rf designer/dist/assets designer/dist/index.html
	cd designer && npm run -s build

# Only written anew when it says something else, so that the pages are not built for nothing.
designer/src/api/openapi.json: $(shell find api internal -name '*.go' ! -name '*_test.go')
	@go run . openapi > $@.new && { cmp -s $@.new $@ && rm $@.new && touch $@ || mv $@.new $@; }

designer/node_modules/.package-lock.json: designer/package.json designer/package-lock.json
	cd designer && npm ci --include=dev --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: test
test: $(DEVSTACK) ## run all tests against real parts (T='packages and flags' narrows it down)
	$(DEVSTACK) run --throw-away -- go test -race -shuffle=on -timeout 30m $(T)
ifeq ($(T),./...)
	go -C devstack test -shuffle=on ./...
ifeq ($(HAS_NODE),yes)
	@$(MAKE) --no-print-directory designer
	cd designer && npm run -s test
else
	@echo "The pure parts of the pages are not tested: that takes Node 20.19 or newer."
endif
endif

.PHONY: e2e
e2e: $(DEVSTACK) e2e/node_modules/.package-lock.json pages ## drive the public tracking libraries, and the pages in a browser (needs node, npm and chromium)
	E2E=1 $(DEVSTACK) run --throw-away -- go test -count=1 -timeout 30m -run '^Test(SDK|Designer)' .

e2e/node_modules/.package-lock.json: e2e/package.json e2e/package-lock.json
	cd e2e && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: bench
bench: $(DEVSTACK) ## measure speed against the built-in baseline, and print a table
	BENCH=1 $(DEVSTACK) run --throw-away -- go test -p 1 -count=1 -v -run '^TestBench' -timeout 40m . ./internal/store ./internal/email

.PHONY: chaos
chaos: $(DEVSTACK) ## break everything on purpose and print the table of faults (CHAOS_ROUNDS=200: a long one)
	CHAOS=1 CHAOS_ROUNDS=$${CHAOS_ROUNDS:-20} $(DEVSTACK) run --throw-away -- go test -count=1 -v -run '^TestChaos$$' -timeout 120m .

.PHONY: lint
lint: $(BIN)/golangci-lint $(BIN)/workflowcheck $(BIN)/sqlc ## check style, the import law, workflow determinism and generated SQL
	$(BIN)/golangci-lint run ./...
	cd devstack && ../$(BIN)/golangci-lint run ./...
	$(BIN)/workflowcheck -config .workflowcheck.yaml ./workflows/...
	$(if $(wildcard sqlc.yaml),$(BIN)/sqlc diff)
	go -C tools run ./composecheck ../docker-compose.yml

.PHONY: vuln
vuln: $(BIN)/govulncheck ## look for known vulnerabilities (asks vuln.go.dev)
	$(BIN)/govulncheck ./...

.PHONY: generate
generate: $(BIN)/sqlc ## regenerate what is generated (SQL access code)
	$(if $(wildcard sqlc.yaml),$(BIN)/sqlc generate)
	go generate ./...

.PHONY: golden
golden: $(DEVSTACK) ## rewrite golden files from what the code does now; read the diff before you commit it
	$(DEVSTACK) run --throw-away -- env UPDATE_GOLDEN=1 go test -count=1 ./...

.PHONY: clean
clean: ## remove the stack's state and everything that was built (mails, journeys and the local database are gone then)
	rm -rf .devstack

$(DEVSTACK): $(DEVSTACK_SOURCES) devstack/build
	@devstack/build devstack . $@

# Pure Go: no C compiler needed, and sqlc's PostgreSQL parser builds in a fraction of the time.
$(BIN)/golangci-lint: tools/go.mod tools/go.sum
	@CGO_ENABLED=0 devstack/build tools github.com/golangci/golangci-lint/v2/cmd/golangci-lint $@
$(BIN)/workflowcheck: tools/go.mod tools/go.sum
	@CGO_ENABLED=0 devstack/build tools go.temporal.io/sdk/contrib/tools/workflowcheck $@
$(BIN)/sqlc: tools/go.mod tools/go.sum
	@CGO_ENABLED=0 devstack/build tools github.com/sqlc-dev/sqlc/cmd/sqlc $@
$(BIN)/govulncheck: tools/go.mod tools/go.sum
	@CGO_ENABLED=0 devstack/build tools golang.org/x/vuln/cmd/govulncheck $@
