# Two commands do everything on a fresh Debian 12 with a Swift 6.3 toolchain: `make run` and `make test`.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run cluster cluster-figures cluster-kills build test autobahn mutants bench peers push-vs-poll \
	soak soak-crashes soak-chaos soak-simulation soak-sanitizers fuzz fuzzer fuzz-corpora format packages test-packages bench-packages clean

BUILD_PACKAGES := libssl-dev zlib1g-dev libsqlite3-dev libnats-dev pkg-config
TEST_PACKAGES := protobuf-compiler openssl python3-venv python3-lib2to3 curl haproxy
BENCH_PACKAGES := protobuf-compiler libprotobuf-dev

# Where the tests find what is not Swift.
VENV := .build/venv
AUTOBAHN := .build/autobahn-venv
POWERCUT := .build/powercut.so
PROMETHEUS := .build/prometheus
# Not for `run`: to a server a variable USHER_… is a setting.
test cluster cluster-figures cluster-kills soak-crashes soak-chaos soak-sanitizers bench: export USHER_PROMETHEUS := $(CURDIR)/$(PROMETHEUS)/usr/bin
test cluster cluster-figures cluster-kills soak-crashes soak-chaos soak-sanitizers bench: export USHER_NATS := $(CURDIR)/$(VENV)/bin/nats-server

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: build ## build and start a server with a demo on-sale; RUN="--listen 0.0.0.0:9443 …" adds settings
	@exec .build/release/usher serve --demo $(RUN)

cluster: build test-packages $(VENV)/.complete $(PROMETHEUS)/.complete ## docker-compose.yml's services as processes on this machine, until Ctrl-C
	@exec $(VENV)/bin/python Tests/cluster/cluster.py $(CLUSTER)

build: packages ## the release build, .build/release/usher
	swift build -c release --product usher

# Several runs: what takes both cores for long would starve what waits for a timer, and Foundation's Process, which tests use
# to start others, reads past its list of descriptors when there are more than some 1,300 in its own process.
CROWDS := ^ServerTests\.(SocketAbuseTests|StuckReaderTests)
SEVERAL := ^(EndToEndTests\.|ServerTests\.(InstancesTests|LeavingTests|SeveralInstancesTests))
LONG := ^(ChaosTests|CrashTests|ForeignTests|JournalTests|SimulationTests)\.
RUN_TESTS := USHER_PYTHON=$(CURDIR)/$(VENV)/bin/python USHER_BINARY=$(CURDIR)/.build/debug/usher \
	AUTOBAHN_VENV=$(CURDIR)/$(AUTOBAHN) USHER_POWERCUT=$(CURDIR)/$(POWERCUT) swift test --skip-build

test: packages test-packages $(VENV)/.complete $(AUTOBAHN)/.complete $(PROMETHEUS)/.complete $(POWERCUT) ## all tests
	swift build --build-tests
	$(RUN_TESTS) --skip '$(CROWDS)' --skip '$(SEVERAL)' --skip '$(LONG)'
	$(RUN_TESTS) --filter '$(CROWDS)'
	$(RUN_TESTS) --filter '^SimulationTests\.'
	$(RUN_TESTS) --filter '^(CrashTests|ForeignTests)\.'
	$(RUN_TESTS) --filter '^JournalTests\.'
	$(RUN_TESTS) --filter '$(SEVERAL)'
	$(RUN_TESTS) --filter '^ChaosTests\.'

# Proofs that take longer

autobahn: build test-packages $(AUTOBAHN)/.complete ## all 517 cases of Autobahn|Testsuite against the release build
	$(AUTOBAHN)/bin/python Tests/conformance/autobahn/suite.py .build/release/usher $(AUTOBAHN)/ported

mutants: packages ## break the promises one by one and see that each is noticed
	Tests/mutants/mutants.py $(MUTANTS)

soak: soak-crashes soak-chaos soak-simulation soak-sanitizers fuzz ## all of the next four and fuzz, with their settings

soak-crashes: build $(POWERCUT) ## a server that dies KILLS times (1000) under load; SEED repeats a campaign
	swift build --build-tests
	USHER_CRASH_KILLS=$(or $(KILLS),1000) USHER_CRASH_SEED=$(SEED) USHER_BINARY=$(CURDIR)/.build/release/usher \
		USHER_POWERCUT=$(CURDIR)/$(POWERCUT) swift test --skip-build --filter CrashTests.CampaignTests

soak-chaos: build test-packages $(VENV)/.complete ## a cluster that suffers FAULTS faults (280) under load; SEED repeats a campaign
	swift build --build-tests
	USHER_CHAOS_FAULTS=$(or $(FAULTS),280) USHER_CHAOS_SEED=$(SEED) USHER_BINARY=$(CURDIR)/.build/release/usher \
		swift test --skip-build --filter ChaosTests.ChaosTests

soak-simulation: build ## live through simulated worlds, SEEDS=1000000 of them from FIRST=1 on
	.build/release/usher simulate --seeds $(or $(FIRST),1)..$$(( $(or $(FIRST),1) + $(or $(SEEDS),1000000) - 1 ))

# Debug builds, each of its own; the tests of other modules have neither threads nor pointers. One test at a time and no crowds:
# everything is many times slower, and what waits 5 s would otherwise give up.
THREAD_TESTS := SeatMapTests|ReactorTests|JournalTests|ServerTests|ServerUnitTests|ClientTests
ADDRESS_TESTS := WireTests|CryptoTests|WebSocketTests|SeatMapTests|ReactorTests|JournalTests|ServerTests|ServerUnitTests|FuzzTests
SLOW_TESTS := $(CROWDS)|^ServerTests\.DescriptorTests

soak-sanitizers: packages test-packages $(VENV)/.complete ## concurrent tests under ThreadSanitizer, those with pointers under AddressSanitizer
	swift build --build-tests --sanitize=thread --scratch-path .build-tsan
	TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/Sanitizers/thread.txt halt_on_error=0 exitcode=66" SWIFT_BACKTRACE=enable=no \
		swift test --skip-build --sanitize=thread --scratch-path .build-tsan --no-parallel --filter '^($(THREAD_TESTS))\.' --skip '$(SLOW_TESTS)'
	swift build --build-tests --sanitize=address --scratch-path .build-asan
	ASAN_OPTIONS="suppressions=$(CURDIR)/Tests/Sanitizers/address.txt detect_leaks=0" SWIFT_BACKTRACE=enable=no \
		swift test --skip-build --sanitize=address --scratch-path .build-asan --no-parallel --filter '^($(ADDRESS_TESTS))\.' --skip '$(SLOW_TESTS)'

# A release build, for speed; the harness looks inside the modules, hence -enable-testing. Of several -sanitize, swiftc obeys
# the last alone, so it is given both in one; --sanitize is for C and for linking.
# The plan is made anew: SwiftPM does not see which files have come and gone in a package that another uses by its path.
fuzzer: packages
	rm -f .build-fuzz/*.yaml .build-fuzz/workspace-state.json
	swift build --package-path Tests/Fuzzing --scratch-path .build-fuzz -c release \
		--sanitize=fuzzer --sanitize=address -Xswiftc -sanitize=fuzzer,address -Xswiftc -enable-testing

fuzz: fuzzer ## fuzz every target; TARGET="websocket http" MINUTES=30 JOBS=2, WRITE=1 puts the figures into docs/fuzzing.md
	python3 Tests/Fuzzing/campaign.py run $(addprefix --target ,$(TARGET)) --minutes $(or $(MINUTES),30) \
		--jobs $(or $(JOBS),2) $(if $(WRITE),--write)

fuzz-corpora: fuzzer ## minimise what `make fuzz` has collected into Tests/Fuzzing/Corpora
	python3 Tests/Fuzzing/campaign.py minimise $(addprefix --target ,$(TARGET))

# Figures

# The package of the benchmarks and what protoc writes for its peer in C++.
BENCH := Tests/Benchmarks
BENCH_CPP := $(BENCH)/Sources/CppPeer/generated/bench.pb.cc

bench: packages bench-packages test-packages $(VENV)/.complete $(BENCH_CPP) ## what the parts cost: tables of docs/performance.md; BENCH_ONLY="codec seats" prints
	swift build -c release --package-path $(BENCH) --product Bench
	USHER_COMMIT="$$(git describe --always --dirty)" $(BENCH)/.build/release/Bench --data $(CURDIR)/.build \
		$(if $(BENCH_ONLY),$(BENCH_ONLY),--write docs/performance.md)

$(BENCH_CPP): $(BENCH)/bench.proto
	@mkdir -p $(@D)
	protoc --proto_path=$(BENCH) --cpp_out=$(@D) $<

peers: build test-packages ## Usher beside SwiftNIO on the same work, 10 minutes: prints a table
	swift build -c release --package-path Tests/Peers
	python3 Tests/Peers/peers.py --usher .build/release/usher --nio Tests/Peers/.build/release/nio-peer \
		--loader Tests/Peers/.build/release/loader $(PEERS)

push-vs-poll: build ## the same crowds pushed and polling, 9 minutes: table and plot of docs/performance.md
	python3 Tests/pushes/push_vs_poll.py

cluster-figures: build $(VENV)/.complete ## one, two and three instances on one replicated journal, 4 minutes: prints the table of docs/performance.md; CROWD=19000 more at each of two
	$(VENV)/bin/python Tests/cluster/figures.py $(if $(CROWD),--crowd $(CROWD))

cluster-kills: build test-packages $(VENV)/.complete ## a stampede through the balancer while each instance and the stream's leader are killed, 3 minutes; ROUNDS=3, SEED repeats
	$(VENV)/bin/python Tests/cluster/kills.py $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) $(if $(FANS),--fans $(FANS))

# Housekeeping

format: ## put every Swift file into the house format
	swift format --in-place --recursive --parallel Package.swift Sources Tests

packages:
	@.ci/install-packages $(BUILD_PACKAGES)

test-packages:
	@.ci/install-packages $(TEST_PACKAGES)

bench-packages:
	@.ci/install-packages $(BENCH_PACKAGES)

$(VENV)/.complete: Tests/conformance/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(AUTOBAHN)/.complete: Tests/conformance/autobahn/requirements.txt Tests/conformance/autobahn/port.py
	python3 -m venv $(AUTOBAHN)
	$(AUTOBAHN)/bin/pip install --quiet --disable-pip-version-check -r $<
	$(AUTOBAHN)/bin/python -W ignore Tests/conformance/autobahn/port.py $(AUTOBAHN)/ported
	@touch $@

# Taken out of its package: installed, it would be a service of this machine.
$(PROMETHEUS)/.complete: .ci/fetch-package
	.ci/fetch-package prometheus $(PROMETHEUS)
	@touch $@

$(POWERCUT): Tests/powercut/powercut.c
	@mkdir -p $(@D)
	clang -std=gnu11 -O1 -Wall -Wextra -Werror -shared -fPIC -o $@ $<

clean: ## remove what was built; data folders stay
	rm -rf .build .build-* Tests/*/.build
