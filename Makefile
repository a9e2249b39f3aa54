# Two commands do everything on a fresh Debian 12 with a Swift 6.3 toolchain: `make run` and `make test`.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run build test autobahn bench push-vs-poll soak-crashes format packages test-packages bench-packages clean
.PHONY: help run build test peers format packages test-packages clean

BUILD_PACKAGES := libssl-dev zlib1g-dev libsqlite3-dev pkg-config
TEST_PACKAGES := protobuf-compiler openssl python3-venv python3-lib2to3 curl
BENCH_PACKAGES := protobuf-compiler libprotobuf-dev
AUTOBAHN := .build/autobahn-venv

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: build ## build and start a server with a demo on-sale; RUN="--port 9443 …" adds settings
	@exec .build/release/usher serve --demo $(RUN)

build: packages ## the release build, .build/release/usher
	swift build -c release --product usher

test: packages test-packages .build/venv/.complete $(AUTOBAHN)/.complete .build/powercut.so ## all tests
	swift build --build-tests
	USHER_PYTHON=$(CURDIR)/.build/venv/bin/python USHER_BINARY=$(CURDIR)/.build/debug/usher \
	    AUTOBAHN_VENV=$(CURDIR)/$(AUTOBAHN) USHER_POWERCUT=$(CURDIR)/.build/powercut.so swift test --skip-build

autobahn: build test-packages $(AUTOBAHN)/.complete ## all 517 cases of Autobahn|Testsuite against the release build
	$(AUTOBAHN)/bin/python Tests/conformance/autobahn/suite.py .build/release/usher $(AUTOBAHN)/ported

push-vs-poll: build ## the same crowds pushed and polling, 9 minutes: table and plot of docs/performance.md
	python3 Tests/pushes/push_vs_poll.py

soak-crashes: build .build/powercut.so ## a server that dies KILLS times (1000) under load; SEED repeats a campaign
	swift build --build-tests
	USHER_CRASH_KILLS=$(or $(KILLS),1000) USHER_CRASH_SEED=$(SEED) USHER_BINARY=$(CURDIR)/.build/release/usher \
		USHER_POWERCUT=$(CURDIR)/.build/powercut.so swift test --skip-build --filter CrashTests.CampaignTests

# The package of the benchmarks and what protoc writes for its peer in C++.
BENCH := Tests/Benchmarks
BENCH_CPP := $(BENCH)/Sources/CppPeer/generated/bench.pb.cc

bench: packages bench-packages $(BENCH_CPP) ## the tables of docs/performance.md, written into it; BENCH_ONLY="codec seats" does some
	swift build -c release --package-path $(BENCH) --product Bench
	USHER_COMMIT="$$(git describe --always --dirty)" $(BENCH)/.build/release/Bench --data $(CURDIR)/.build \
		$(if $(BENCH_ONLY),$(BENCH_ONLY),--write docs/performance.md)

$(BENCH_CPP): $(BENCH)/bench.proto
	@mkdir -p $(@D)
	protoc --proto_path=$(BENCH) --cpp_out=$(@D) $<

peers: build test-packages ## Usher beside SwiftNIO on the same work: builds both, measures in turn, prints a table (10 min)
	swift build -c release --package-path Tests/Peers
	python3 Tests/Peers/peers.py --usher .build/release/usher --nio Tests/Peers/.build/release/nio-peer \
		--loader Tests/Peers/.build/release/loader $(PEERS)

format: ## put every Swift file into the house format
	swift format --in-place --recursive --parallel Package.swift Sources Tests

packages:
	@.ci/install-packages $(BUILD_PACKAGES)

test-packages:
	@.ci/install-packages $(TEST_PACKAGES)

bench-packages:
	@.ci/install-packages $(BENCH_PACKAGES)

.build/venv/.complete: Tests/conformance/requirements.txt
	python3 -m venv .build/venv
	.build/venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(AUTOBAHN)/.complete: Tests/conformance/autobahn/requirements.txt Tests/conformance/autobahn/port.py
	python3 -m venv $(AUTOBAHN)
	$(AUTOBAHN)/bin/pip install --quiet --disable-pip-version-check -r $<
	$(AUTOBAHN)/bin/python -W ignore Tests/conformance/autobahn/port.py $(AUTOBAHN)/ported
	@touch $@

.build/powercut.so: Tests/powercut/powercut.c
	@mkdir -p $(@D)
	clang -std=gnu11 -O1 -Wall -Wextra -Werror -shared -fPIC -o $@ $<

clean: ## remove what was built; data folders stay
	rm -rf .build
