# Everything that a developer runs, one line each. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo

.PHONY: help run dev test check bench bench-check torture tools

help: ## List what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build and start the server on http://127.0.0.1:8080, data in ./data
	$(CARGO) run --release --bin pagefree -- serve

dev: ## The same, quick to build, and with more to read in the log
	PAGEFREE_LOG=info,pagefree=debug,commands=debug,storage=debug $(CARGO) run --bin pagefree -- serve

test: tools check ## Install what the tests need and run all of them, on SQLite and on a PostgreSQL of their own
	$(CARGO) test --workspace --locked
	cd bench && $(CARGO) test --locked

check: ## Format and lint
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

bench: tools ## Measure beside the peers, print the table, write docs/benchmarks.md
	cd bench && $(CARGO) run --release --locked -- --write ../docs/benchmarks.md

torture: tools ## The crash rounds at length (ROUNDS=200), whose result goes to docs/torture.md
	scripts/torture.sh

tools: ## Install what the tests need, or say what is missing
	@scripts/tools.sh
