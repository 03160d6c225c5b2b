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

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(DEVSTACK) build ## run everything here: Temporal, PostgreSQL, an inbox and Throughline (state in .devstack)
	@LOG_LEVEL=$${LOG_LEVEL:-warn} $(DEVSTACK) run --dir .devstack -- $(PRODUCT) serve

.PHONY: build
build: ## build the product into .devstack/bin/throughline
	@go build -o $(PRODUCT) .

.PHONY: test
test: $(DEVSTACK) ## run all tests against real parts (T='packages and flags' narrows it down)
	$(DEVSTACK) run --throw-away -- go test -race -shuffle=on -timeout 30m $(T)
ifeq ($(T),./...)
	go -C devstack test -shuffle=on ./...
endif

.PHONY: e2e
e2e: $(DEVSTACK) e2e/node_modules/.package-lock.json ## drive the public tracking libraries against the product (needs node, npm and chromium)
	E2E=1 $(DEVSTACK) run --throw-away -- go test -count=1 -timeout 15m -run '^TestSDK' .

e2e/node_modules/.package-lock.json: e2e/package.json e2e/package-lock.json
	cd e2e && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: bench
bench: $(DEVSTACK) ## measure speed against the built-in baseline, and print a table
	BENCH=1 $(DEVSTACK) run --throw-away -- go test -p 1 -count=1 -v -run '^TestBench' -timeout 40m . ./internal/store

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
