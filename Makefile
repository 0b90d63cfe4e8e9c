# An index of commands. Each target says what it does; `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-vm lint fmt aws-local aws-local-down documents schema pages functions generate build deploy prove-undo delete test-model ablate bench

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 24

setup: ## Install what the tests and the lab need (Debian packages; a Python venv under target/)
	@scripts/setup.sh

demo: ## Run one experiment in the lab, with a real fault on real processes
	@scripts/demo.sh

aws-local: ## Start an AWS on this machine: real functions, real hosts, nothing to pay
	@scripts/aws-local.sh up

aws-local-down: ## Stop it; nothing of it stays
	@scripts/aws-local.sh down

test: ## Run every ring that this machine can run; name those that it cannot
	@scripts/test.sh

test-model: ## Explore the model of the safety kernel with two failures at once (long, not timed yet)
	@STORMDRILL_MODEL=deep cargo test -q -p stormdrill-model --test model

ablate: ## Turn off each safety rule in turn, in a copy, and see its test fail (ARGS="R1 R8" for some)
	@tests/ablate/run.sh $(ARGS)

test-vm: ## Try every host document under systemd and netem, in a virtual machine (minutes)
	@scripts/setup.sh tests/host/vm/packages.txt
	@STORMDRILL_VM=1 cargo test -q -p stormdrill-tests --test host -- vm::

lint: ## Formatting, clippy, shellcheck, the validators of the state machine
	@scripts/lint.sh

fmt: ## Format the Rust code
	@cargo fmt --all

documents: ## Write the SSM documents, and what the templates grant for them, from the faults
	@cargo run -q -p drill-documents -- generate

schema: ## Write the JSON Schema of experiment files from the types
	@cargo run -q -p drill-model --example schema

pages: ## Write the page of each fault, their index, and the README's table, from the faults
	@cargo run -q -p drill-model --example pages

functions: ## Write down the ports and IAM actions of each function (builds the SDK)
	@STORMDRILL_WRITE=1 cargo test -q --workspace --test functions

generate: schema documents pages functions ## Write everything that is generated

build: ## Build the functions for AWS (cargo-lambda, through SAM)
	@infra/checks/setup.sh
	@SAM_CLI_TELEMETRY=0 PATH="$(CURDIR)/target/venvs/sam/bin:$$PATH" sam build

bench: build ## Count what a run asks of AWS and what its functions cost, compared with peers (docs/performance.md)
	@scripts/bench.sh

deploy: build ## Deploy the stack, after showing what changes (needs an AWS account)
	@SAM_CLI_TELEMETRY=0 PATH="$(CURDIR)/target/venvs/sam/bin:$$PATH" sam deploy
	@scripts/prove-undo.sh

prove-undo: ## Prove that the scheduler makes our undo calls (ARGS="--stack NAME"); until then, experiments that need them are refused
	@scripts/prove-undo.sh $(ARGS)

delete: ## Delete the stack (ARGS=--with-data: with tables, reports and logs); refuses while something is broken
	@scripts/delete.sh $(ARGS)
