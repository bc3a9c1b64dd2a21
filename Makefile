# Each target does the set-up that it needs; repeating it costs nothing.
BIN := .venv/bin
# These import the package as Lambda does: from the layer's root.
RESILIENCE = PYTHONPATH=layers/dailies/python $(BIN)/python -m

# Otherwise each process of the tests and the stack compiles its imports: two CPU seconds each.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup browser up down media-up media-down logs demo invoke bench-archive bench-receive bench-suite examples fuzz proof aws-smoke smoke audit test check lint docs format lock clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

setup:  ## make the environments (.venv, .local/sam) with the pinned packages
	@local/setup.sh

browser: setup  ## install Chromium for the console's tests and pictures, if the machine has none
	@$(BIN)/python -m local.chromium

up: setup  ## build and deploy the bundle on this machine, and leave it running
	@$(BIN)/python -m local.up

down: setup  ## stop the local stack
	@$(BIN)/python -m local.down

media-up: setup  ## start the media host of `dailies trigger` (`make up` starts it too)
	@$(BIN)/python -m local.media_site up

media-down: setup  ## stop the media host: see how the archive gives up
	@$(BIN)/python -m local.media_site down

logs: setup  ## follow the functions' logs
	@$(BIN)/python -m local.logs

demo: setup  ## make up, then call every webhook as its provider does, and show the results
	@$(BIN)/python -m demo

invoke: setup  ## run one function with one event in Lambda's image; needs Docker (EVENT=sync_generation/completed, ARGS=--help)
	@$(BIN)/python -m demo.invoke $(EVENT) $(ARGS)

bench-archive: setup  ## compare the archive's engine with other tools, ten minutes (ARGS=--quick: one)
	@$(BIN)/python -m bench.archive $(ARGS)

examples: setup  ## test the examples without an AWS account, two minutes (ARGS=terraform: only one)
	@local/examples.sh $(ARGS)

fuzz: setup  ## fuzz what strangers can reach: a million runs of each target, half an hour (ARGS=--help)
	@$(RESILIENCE) resilience.fuzz $(ARGS)

proof: setup  ## long tests: faults, load, memory, states, other servers, fuzzing; twenty minutes (ARGS=--quick: two)
	@$(RESILIENCE) resilience $(ARGS)

aws-smoke: setup  ## deploy to your AWS account, test, delete: an hour, ten cents (ARGS=--local: emulated)
	@$(RESILIENCE) resilience.aws $(ARGS)

bench-receive: setup  ## compare a receiver's speed with other code, three minutes (ARGS=--quick: one)
	@$(BIN)/python -m bench.receive $(ARGS)

bench-suite: setup  ## measure the tests' time: against another build (ARGS="compare 285269f"), or under load (ARGS="repeat --burners 3")
	@$(BIN)/python -m bench.suite $(ARGS)

smoke: setup browser  ## run every script with its shortest options: a minute
	@$(BIN)/python -m tests.smoke

audit: setup  ## check the template for known mistakes, the pins for known vulnerabilities (ARGS=--offline)
	@local/audit.sh $(ARGS)

test: setup browser  ## run all tests in several processes (ARGS="--lf": the failed ones; ARGS="-k archive": some)
	@$(BIN)/python -m pytest -n auto --no-loadscope-reorder --durations 10 $(ARGS)

check: lint test  ## check format, lint, types and template, and run the tests

lint: setup  ## check everything except the tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	PYTHONPATH=layers/dailies/python:. $(BIN)/lint-imports --no-logo --no-cache
	env -u AWS_PROFILE SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 .local/sam/bin/sam validate --lint
	local/preflight.sh
	$(BIN)/python -m local.prose

docs: setup  ## write the generated pages: docs/cli.md, docs/cost.md
	$(BIN)/python -m cli.reference
	$(BIN)/python -m bench.cost

format: setup  ## format the code, and fix what Ruff can fix
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

lock: setup  ## compile the pins (UPGRADE=1: the newest of everything)
	@local/lock.sh

clean:  ## stop the local stack, and remove all generated files and environments
	@test ! -x $(BIN)/python || $(BIN)/python -m local.down
	rm -rf .venv .local .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis
