# Each target does all the set-up it needs; done once, it costs nothing again.
BIN := .venv/bin
# These import the package as Lambda does: from the layer's root.
RESILIENCE = PYTHONPATH=layers/dailies/python $(BIN)/python -m

# Each of the tests' and the stack's processes would compile all that it imports: two seconds of a processor each.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup browser up down media-up media-down logs demo invoke bench-archive bench-receive bench-suite examples fuzz proof aws-smoke smoke audit test check lint format lock clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

setup:  ## the environments (.venv, .local/sam) with the pinned packages
	@local/setup.sh

browser: setup  ## a Chromium for the console's tests and pictures, where the machine has none
	@$(BIN)/python -m local.chromium

up: setup  ## the bundle on this machine: builds, deploys, leaves it running
	@$(BIN)/python -m local.up

down: setup  ## ends what `up` started
	@$(BIN)/python -m local.down

media-up: setup  ## the media host of `dailies trigger`, which `up` starts too
	@$(BIN)/python -m local.media_site up

media-down: setup  ## ends that media host: see how the archive gives up
	@$(BIN)/python -m local.media_site down

logs: setup  ## follows the functions' logs
	@$(BIN)/python -m local.logs

demo: setup  ## up, then every webhook called as its provider calls it, and what became of it
	@$(BIN)/python -m demo

invoke: setup  ## one function with one event, in Lambda's image: needs Docker (EVENT=sync_generation/completed, ARGS=--help)
	@$(BIN)/python -m demo.invoke $(EVENT) $(ARGS)

bench-archive: setup  ## the archive's engine against others, ten minutes (ARGS=--quick: one)
	@$(BIN)/python -m bench.archive $(ARGS)

examples: setup  ## the examples as far as CDK, Terraform and `sam` go without an account, two minutes (ARGS=terraform: one)
	@local/examples.sh $(ARGS)

fuzz: setup  ## what strangers can reach, fuzzed: a million runs of each target, half an hour (ARGS=--help)
	@$(RESILIENCE) resilience.fuzz $(ARGS)

proof: setup  ## what Dailies promises, tried at length: faults, load, memory, states, other servers, fuzzing; twenty minutes (ARGS=--quick: two)
	@$(RESILIENCE) resilience $(ARGS)

aws-smoke: setup  ## all of it once on an AWS account of yours, then deleted: an hour, ten cents (ARGS=--local: emulated)
	@$(RESILIENCE) resilience.aws $(ARGS)

bench-receive: setup  ## a receiver's speed against others, three minutes (ARGS=--quick: one)
	@$(BIN)/python -m bench.receive $(ARGS)

bench-suite: setup  ## the tests' time beside another build's (ARGS="compare 285269f"), or under load (ARGS="repeat --burners 3")
	@$(BIN)/python -m bench.suite $(ARGS)

smoke: setup browser  ## every bench, proof and other script from end to end, as short as it goes: a minute
	@$(BIN)/python -m tests.smoke

audit: setup  ## the template against known mistakes, the pins against known vulnerabilities (ARGS=--offline)
	@local/audit.sh $(ARGS)

test: setup browser  ## all tests, in several processes (ARGS="--lf": those that failed; ARGS="-k archive": some)
	@$(BIN)/python -m pytest -n auto --no-loadscope-reorder --durations 10 $(ARGS)

check: lint test  ## format, lint, types, template, tests

lint: setup  ## check without the tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	PYTHONPATH=layers/dailies/python:. $(BIN)/lint-imports --no-logo --no-cache
	env -u AWS_PROFILE SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 .local/sam/bin/sam validate --lint
	local/preflight.sh

format: setup  ## rewrites what can be rewritten
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

lock: setup  ## compiles the pins (UPGRADE=1: the newest of everything)
	@local/lock.sh

clean:  ## ends the local stack and removes all that was made here, the environments included
	@test ! -x $(BIN)/python || $(BIN)/python -m local.down
	rm -rf .venv .local .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis
