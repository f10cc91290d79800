# Each target is one script of scripts/ or tools/; they have --help.
.DEFAULT_GOAL := help
.PHONY: help run build test test-unit test-api lint tidy fmt fault bench bench-quick bench-curves bench-ready openapi check-drift clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: ## install what is missing, build, and run marca on http://127.0.0.1:8000
	@scripts/run

build: ## leaves build/marca
	@scripts/setup --run
	@scripts/build marca

test: ## everything: lint, both compilers, unit, property, API on SQLite, PostgreSQL and a fleet, ASan + UBSan, the pages, what a request costs
	@scripts/test

test-unit: ## unit tests only
	@scripts/test gcc unit

test-api: ## API, HTTP and property tests only, against the sanitizers' build
	@scripts/test asan python

lint: ## layout, imports, style
	@scripts/setup --test
	@tools/lint.py

tidy: ## clang-tidy
	@scripts/test asan tidy

fmt: ## formats the C files in place
	@scripts/setup --test
	@tools/lint.py --fmt

fault: ## kills servers, relays, consumers and Redis, as often as a release wants it
	@scripts/fault

bench: bench-ready ## speed and cost, beside nginx, pgbench, a raw SQLite loop and two peers in the same run
	@bench/run

bench-quick: bench-ready ## the same once, on little: that all of it works
	@bench/run --quick

bench-curves: bench-ready ## curves and growth, drawn into docs/performance/; some ten minutes
	@bench/run --only P6,curves
	@bench/plots --take

bench-ready:
	@scripts/setup --bench
	@scripts/build marca bench/load bench/raw_loop bench/fill

openapi: build ## writes the committed files that come from marca's tables
	@scripts/generate

check-drift: build ## fails where such a file has drifted
	@scripts/generate --check

clean: ## removes what was built; .cache/ and data/ stay
	@rm -rf build build-asan
