# Everything a checkout needs is fetched by these targets from package
# registries: Go modules, the embedded ClickHouse engine (npm), Apache Kafka (Maven), the
# independent OCSF validator and TAXII server (PyPI; only for ocsf-check and taxii-check).

GO      ?= go
ARGS    ?=
BROKERS ?= 1
DATA    := ../shared/data
# How long one package may test on a slow machine; Go itself gives up after 10 minutes.
PATIENCE := 25m

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/interdict
	$(GO) build -o bin/interdict ./cmd/interdict

.PHONY: clickhouse-lib
clickhouse-lib: ## fetch and verify the embedded ClickHouse engine
	@store/chdb/fetch-lib.sh

.PHONY: demo
demo: build clickhouse-lib ## run everything embedded over a seeded attack (ARGS=--once exits when done)
	bin/interdict demo $(ARGS)

.PHONY: test
test: clickhouse-lib ## run the tests on embedded Kafka and ClickHouse
	REQUIRE_CLICKHOUSE=1 $(GO) test -timeout $(PATIENCE) ./...

.PHONY: race
race: clickhouse-lib ## run the tests under the race detector
	REQUIRE_CLICKHOUSE=1 $(GO) test -timeout $(PATIENCE) -race -short ./...

.PHONY: test-kafka
test-kafka: clickhouse-lib ## run the tests that need a broker against Apache Kafka
	@set -e; trap 'deploy/kafka/kafka.sh down' EXIT; \
	  addrs=$$(deploy/kafka/kafka.sh up 1); eval "$$addrs"; \
	  REQUIRE_CLICKHOUSE=1 INTERDICT_TEST_KAFKA="$$KAFKA_BROKERS" $(GO) test -timeout $(PATIENCE) -count=1 -p 1 ./pipeline/kafka/... ./bench/e2e/...

VENV := .cache/ocsfcheck

$(VENV)/.made: bench/ocsfcheck/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r bench/ocsfcheck/requirements.txt
	@touch $@

.PHONY: ocsf-check
ocsf-check: build $(VENV)/.made ## validate what every format gives with an independent OCSF validator (Python)
	bin/interdict normalize --quiet --validate $$(find stages/normalize/formats -path '*/cases/*' ! -name '*.golden') > .cache/ocsf.ndjson
	$(VENV)/bin/python bench/ocsfcheck/check.py < .cache/ocsf.ndjson
	@if test -d $(DATA)/vendors; then \
	  find $(DATA)/vendors -type f -print0 | xargs -0 bin/interdict normalize --quiet --validate > .cache/ocsf.ndjson && \
	  $(VENV)/bin/python bench/ocsfcheck/check.py < .cache/ocsf.ndjson; \
	  else echo "SKIPPED: $(DATA)/vendors is not present, only the formats' own cases were validated"; fi

TAXII_VENV := .cache/taxiicheck

$(TAXII_VENV)/.made: bench/taxiicheck/requirements.txt
	python3 -m venv $(TAXII_VENV)
	$(TAXII_VENV)/bin/pip install --quiet --disable-pip-version-check -r bench/taxiicheck/requirements.txt
	@touch $@

.PHONY: taxii-check
taxii-check: $(TAXII_VENV)/.made ## pull from an independent TAXII 2.1 server (Python) and compare what was had
	$(TAXII_VENV)/bin/python bench/taxiicheck/serve.py $(GO) test -count=1 -v -run '^TestTAXIIServer$$' ./intel/fetch

.PHONY: check
check: ## formatting, vet, generated files
	@test -z "$$(gofmt -l .)" || { echo "gofmt is needed on:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) mod verify
	$(GO) mod tidy -diff
	@if test -d $(DATA); then $(MAKE) --no-print-directory generate && git diff --exit-code -- schema/ocsf deploy docs/config.md docs/formats.md; \
	  else echo "SKIPPED: $(DATA) is not present, generated OCSF tables are not compared"; fi

.PHONY: generate
generate: ## regenerate the OCSF tables, the configuration reference and the list of formats
	$(GO) generate ./schema/ocsf
	$(GO) run ./cmd/interdict/internal/configdoc
	$(GO) run ./cmd/interdict/internal/formatdoc

.PHONY: golden
golden: ## accept the present output as the golden one
	$(GO) test ./schema/... ./stages/... ./store/... ./bench/gen/... -update

.PHONY: fuzz
fuzz: ## fuzz every decoder for FUZZTIME (default 30s) each
	@for p in $$(grep -rlE '^func Fuzz' --include=*_test.go . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9]+' $$p/*_test.go | sed 's/func //'); do \
	    echo "$$p $$f"; $(GO) test $$p -run xxx -fuzz "^$$f$$" -fuzztime $(or $(FUZZTIME),30s) -fuzzminimizetime 20x || exit 1; done; done

.PHONY: bench
bench: ## micro-benchmarks of the stages
	$(GO) test -run xxx -bench . ./stages/... ./schema

.PHONY: kafka-up kafka-down
kafka-up: ## start Apache Kafka on loopback (BROKERS=1 or 3)
	@deploy/kafka/kafka.sh up $(BROKERS)
kafka-down: ## stop it and delete its data
	@deploy/kafka/kafka.sh down
