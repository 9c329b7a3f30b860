# Sage's workshop. `make run` and `make test` are all that a newcomer needs; both set up what is missing first.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export CGO_ENABLED := 0
# Podman's bindings need these to build without C headers; build, test, vet and lint all have them.
TAGS := remote exclude_graphdriver_btrfs containers_image_openpgp
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)
GO_BUILD = go build -trimpath -tags "$(TAGS)" -ldflags "$(LDFLAGS)"
GO_TEST = go test -tags "$(TAGS)"

# The engines that must be there for the tests; a missing one is a failure.
export SAGE_TEST_ENGINES ?= docker,podman,podman-rootless
export SAGE_TEST_REPORT ?= $(CURDIR)/.cache/engines-used

.PHONY: help
help: ## Say what there is.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done

.PHONY: run
run: ## Set up what is missing and serve on http://127.0.0.1:4024.
	@scripts/setup.sh run
	@$(MAKE) --no-print-directory build
	@server=$$(scripts/vnc-server.sh) && export SAGE_BUILD_ARGS="VNC_SERVER=$$server" && bin/sage build && exec bin/sage serve

.PHONY: build
build: web ## Build the program into bin/sage.
	@$(GO_BUILD) -o bin/sage ./cmd/sage

# The page is built again when one of its sources is newer than what was built.
WEB_SOURCES := $(shell find web/src web/public web/index.html web/vite.config.ts web/tsconfig.json -type f)

.PHONY: web
web: web/dist/index.html ## Build the page that is embedded into the program.

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	@echo "building the page"
	@cd web && npm run --silent build -- --logLevel warn && touch dist/index.html

%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	@echo "fetching the packages of $*"
	@cd $* && npm ci --silent --no-audit --no-fund && touch node_modules/.package-lock.json

.PHONY: test
test: ## Set up what is missing and run every test, on Docker, Podman and rootless Podman.
	@scripts/setup.sh test
	@$(MAKE) --no-print-directory check-web shots build e2e/browser/node_modules/.package-lock.json
	@scripts/test.sh

.PHONY: check-web
check-web: web/node_modules/.package-lock.json ## Check types and run the unit tests of the page.
	@cd web && npm run --silent check && npm test --silent

.PHONY: shots
shots: web ## Take pictures of every view of the page into .cache/shots: three sizes, light and dark; checked with axe-core.
	@cd web && node visual/shots.mjs ../.cache/shots

.PHONY: test-unit
test-unit: ## Run the tests that need no engine.
	@SAGE_TEST_ENGINES=none $(GO_TEST) ./...

.PHONY: generate
generate: ## Write again what is made from the code: the catalog's schema, the API's description, parts of the pages in docs.
	@SAGE_UPDATE_DOCS=1 $(GO_TEST) -count 1 -run 'TestDocumentedLife|TestSchemaIsThatOfTheTypes|TestReference|TestOpenAPIIsCommitted|TestExamplesPage|TestCodesPage|TestSettingsPage' ./session ./catalog ./httpapi ./cmd/sage

.PHONY: soak
soak: build ## Run the tests with a random course for a long time: SAGE_SOAK, 30 minutes each.
	@scripts/setup.sh test
	@SAGE_SOAK=$${SAGE_SOAK:-30m} scripts/test.sh -timeout 0 -run 'TestRandomLife|TestChaos' ./session ./e2e

.PHONY: bench
bench: build ## Measure starts against the engines' own programs, as ratios from one run.
	@scripts/setup.sh test
	@scripts/bench.sh

.PHONY: bench-stream
bench-stream: ## Measure the way to the pixels against other proxies; BENCH="-rounds 3" passes flags on.
	@scripts/setup.sh bench
	@scripts/bench-stream.sh $(BENCH)

.PHONY: bench-density
bench-density: ## Measure what quiet streams cost: memory, files, CPU with pings on.
	@scripts/setup.sh bench
	@scripts/bench-density.sh $(BENCH)

.PHONY: bench-latency
bench-latency: ## Measure from a key to its picture, and its price, for each VNC server that is installed.
	@scripts/setup.sh bench
	@scripts/bench-latency.sh $(BENCH)

GOLANGCI := .cache/bin/golangci-lint
GOLANGCI_VERSION := v2.6.2

.PHONY: lint
lint: $(GOLANGCI)-$(GOLANGCI_VERSION) ## Check style and layering.
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	@$(GOLANGCI)-$(GOLANGCI_VERSION) run --build-tags "$$(tr ' ' ',' <<<"$(TAGS)")" ./...

$(GOLANGCI)-$(GOLANGCI_VERSION):
	@echo "building the linter"
	@mkdir -p .cache/bin && GOBIN=$(CURDIR)/.cache/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION) && mv $(GOLANGCI) $@

ENGINE ?= docker

.PHONY: image
image: build ## Build the container image of Sage itself, localhost/sage/sage:latest, with Docker, or with ENGINE=podman.
	@scripts/base-image.sh $(ENGINE) >&2 && $(ENGINE) build -q -f deploy/Containerfile -t localhost/sage/sage:latest .

# Where "make install" puts things; DESTDIR stands before it for who makes packages.
PREFIX ?= /usr/local
SAGE ?= bin/sage

.PHONY: install
install: build ## Install the program, its manual page and completions below PREFIX (/usr/local).
	@share=$(DESTDIR)$(PREFIX)/share; \
	put() { install -D -m 644 /dev/stdin "$$1" && echo "installed $$1"; }; \
	install -D -m 755 $(SAGE) $(DESTDIR)$(PREFIX)/bin/sage && echo "installed $(DESTDIR)$(PREFIX)/bin/sage"; \
	$(SAGE) man | put $$share/man/man1/sage.1; \
	$(SAGE) completion bash | put $$share/bash-completion/completions/sage; \
	$(SAGE) completion zsh | put $$share/zsh/site-functions/_sage; \
	$(SAGE) completion fish | put $$share/fish/vendor_completions.d/sage.fish

.PHONY: install-plugin
install-plugin: build ## Install the program as the Docker command "docker sage".
	@dir=$${DOCKER_CONFIG:-$$HOME/.docker}/cli-plugins && mkdir -p "$$dir" && install -m 755 bin/sage "$$dir/docker-sage" && echo "installed $$dir/docker-sage"

.PHONY: clean
clean: ## Remove what was built; images and downloads stay.
	@rm -rf bin web/dist/assets web/dist/*.html web/dist/*.svg web/dist/*.md
