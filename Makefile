# Two commands do everything on a fresh Debian 12 with a Swift 6.3 toolchain: `make run` and `make test`.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run build test format packages test-packages clean fuzz fuzzer fuzz-corpora soak-sanitizers

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

# A release build, for speed; the harness looks inside the modules, hence -enable-testing.
fuzzer: packages
	swift build --package-path Tests/Fuzzing --scratch-path .build-fuzz -c release \
	  --sanitize=fuzzer --sanitize=address -Xswiftc -enable-testing

fuzz: fuzzer ## fuzz every target; TARGET="websocket http" MINUTES=30 JOBS=2, WRITE=1 puts the figures into docs/fuzzing.md
	python3 Tests/Fuzzing/campaign.py run $(addprefix --target ,$(TARGET)) --minutes $(or $(MINUTES),30) \
	  --jobs $(or $(JOBS),2) $(if $(WRITE),--write)

fuzz-corpora: fuzzer ## minimise what `make fuzz` has collected into Tests/Fuzzing/Corpora
	python3 Tests/Fuzzing/campaign.py minimise $(addprefix --target ,$(TARGET))

# Debug builds, each of its own; the tests of other modules have neither threads nor pointers.
THREAD_TESTS := SeatMapTests|ReactorTests|JournalTests|ServerTests|ServerUnitTests|ClientTests
ADDRESS_TESTS := WireTests|CryptoTests|WebSocketTests|SeatMapTests|ReactorTests|JournalTests|ServerTests|ServerUnitTests|FuzzTests

soak-sanitizers: packages test-packages ## concurrent tests under ThreadSanitizer, those with pointers under AddressSanitizer
	swift build --build-tests --sanitize=thread --scratch-path .build-tsan
	TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/Sanitizers/thread.txt halt_on_error=0 exitcode=66" SWIFT_BACKTRACE=enable=no \
	  swift test --skip-build --sanitize=thread --scratch-path .build-tsan --filter '^($(THREAD_TESTS))\.'
	swift build --build-tests --sanitize=address --scratch-path .build-asan
	ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no \
	  swift test --skip-build --sanitize=address --scratch-path .build-asan --filter '^($(ADDRESS_TESTS))\.'

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
	rm -rf .build .build-fuzz .build-tsan .build-asan
