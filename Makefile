# Two commands do everything on a fresh Debian 12 with a Swift 6.3 toolchain: `make run` and `make test`.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run build test soak-simulation mutants format packages test-packages clean

BUILD_PACKAGES := libssl-dev zlib1g-dev libsqlite3-dev pkg-config
TEST_PACKAGES := protobuf-compiler openssl python3-venv curl

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: build ## build and start a server with a demo on-sale; RUN="--port 9443 …" adds settings
	@exec .build/release/usher serve --demo $(RUN)

build: packages ## the release build, .build/release/usher
	swift build -c release --product usher

test: packages test-packages .build/venv/.complete ## all tests
	swift build --build-tests
	USHER_PYTHON=$(CURDIR)/.build/venv/bin/python USHER_BINARY=$(CURDIR)/.build/debug/usher swift test --skip-build

soak-simulation: packages ## live through simulated worlds, SEEDS=1000000 of them from FIRST=1 on
	swift build -c release --product usher
	.build/release/usher simulate --seeds $(or $(FIRST),1)..$$(( $(or $(FIRST),1) + $(or $(SEEDS),1000000) - 1 ))

mutants: packages ## break the promises one by one and see that each is noticed
	Tests/mutants/mutants.py $(MUTANTS)

format: ## put every Swift file into the house format
	swift format --in-place --recursive --parallel Package.swift Sources Tests

packages:
	@.ci/install-packages $(BUILD_PACKAGES)

test-packages:
	@.ci/install-packages $(TEST_PACKAGES)

.build/venv/.complete: Tests/conformance/requirements.txt
	python3 -m venv .build/venv
	.build/venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

clean: ## remove what was built; data folders stay
	rm -rf .build
