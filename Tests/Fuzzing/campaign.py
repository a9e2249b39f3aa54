#!/usr/bin/env python3
"""Runs the fuzzer, keeps what it found, and says what was run. `make fuzz` calls it; docs/fuzzing.md explains it.

    campaign.py run      [--target NAME ...] [--minutes 30] [--jobs 2] [--write]
    campaign.py minimise [--target NAME ...]

Works in .build-fuzz/: work/NAME/corpus grows from run to run, work/NAME/log is libFuzzer's, findings/ holds inputs that
broke something, results.json adds up, for each target, what was run at one state of the sources.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build-fuzz"
FUZZER = BUILD / "release" / "fuzz"
CORPORA = ROOT / "Tests/Fuzzing/Corpora"
FINDINGS = BUILD / "findings"
PAGE = ROOT / "docs/fuzzing.md"

# Longest input and, where one input may do much work, how long it may take (seconds, with the sanitizer on a busy machine).
TARGETS = {
    "websocket": 2048, "http": 10000, "frames": 4096, "calls": 2048, "messages": 1024, "journal": 2048, "snapshot": 4096,
    "jwt": 2048, "connection": 2048,
}
TIMEOUT_SECONDS = 20
MEMORY_MB = 1500
# The C alone has 4,000, everything 196,000.
COUNTERS_MIN = 100_000
BEGIN, END = "<!-- figures: make fuzz WRITE=1 -->", "<!-- end of figures -->"
HEAD = """| target | inputs tried | edges | features | corpus | time | CPU time | findings | commit |
|---|--:|--:|--:|--:|--:|--:|--:|---|"""
# What is committed of a corpus, at most.
FILES_MAX, BYTES_MAX = 200, 200_000


def environment(target):
    # Hash tables in the same order each time, so that an input does the same each time.
    sanitizer = "detect_leaks=1:allocator_may_return_null=0"
    # Swift's own crash report and the sanitizer's get into each other's way.
    return dict(
        os.environ, USHER_FUZZ=target, SWIFT_DETERMINISTIC_HASHING="1", SWIFT_BACKTRACE="enable=no", ASAN_OPTIONS=sanitizer)


def fuzzer(target, *arguments, log):
    """Starts the fuzzer at low priority; what it says goes to the log."""
    command = ["nice", "-n", "10", str(FUZZER), *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment(target), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=BUILD,
        process_group=0)


def write_seeds():
    subprocess.run(
        [str(FUZZER)], env=dict(os.environ, USHER_FUZZ_SEEDS=str(BUILD / "seeds")), check=True, stdin=subprocess.DEVNULL)


def demand_coverage():
    """Without counters in the Swift modules libFuzzer would try inputs blindly for hours, or throw a corpus away."""
    text = subprocess.run(
        [str(FUZZER), "-runs=0"], env=environment("calls"), capture_output=True, text=True, stdin=subprocess.DEVNULL).stderr
    counters = int((re.findall(r"\((\d+) inline 8-bit counters\)", text) or ["0"])[0])
    if counters < COUNTERS_MIN:
        sys.exit(f"{FUZZER} has {counters:,} counters of coverage, not {COUNTERS_MIN:,}: its Swift was compiled without them")


def sources():
    """Names the state of what is fuzzed: figures of another state are not added up with this one's."""
    digest = hashlib.sha256()
    for folder in ("Sources", "Tests/Fuzzing/Harness"):
        for path in sorted((ROOT / folder).rglob("*.swift")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def commit():
    return subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()


def start(target):
    work = BUILD / "work" / target
    corpus = work / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    FINDINGS.mkdir(exist_ok=True)
    folders = [corpus] + [f for f in (CORPORA / target, BUILD / "seeds" / target) if f.is_dir()]
    words = BUILD / "seeds" / f"{target}.dict"
    dictionary = [f"-dict={words}"] if words.stat().st_size else []  # libFuzzer takes no empty one
    log = open(work / "log", "w")
    process = fuzzer(
        target, *folders, f"-max_len={TARGETS[target]}", f"-timeout={TIMEOUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}", *dictionary, f"-artifact_prefix={FINDINGS}/{target}-",
        "-print_final_stats=1", "-use_value_profile=1", "-reload=0", "-len_control=50", log=log)
    process.started, process.target, process.log = time.monotonic(), target, work / "log"
    return process


def processor_seconds(process):
    """What it has used so far: what counts, since others may be at work on the machine."""
    after_name = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def finished(process):
    """What one run came to."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    text = process.log.read_text(errors="replace")
    numbers = dict(re.findall(r"stat::(\w+):\s+(\d+)", text))
    progress = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)/", text)
    coverage = progress[-1] if progress else ("0", "0", "0")
    return {
        "target": process.target, "executions": int(numbers.get("number_of_executed_units", 0)), "edges": int(coverage[0]),
        "features": int(coverage[1]), "corpus": int(coverage[2]), "wall": round(time.monotonic() - process.started),
        "cpu": round(usage.ru_utime + usage.ru_stime), "finding": finding(process, text),
    }


def finding(process, text):
    """The input that broke something; None if nothing did."""
    if process.returncode == 0:
        return None
    named = re.findall(r"Test unit written to (\S+)", text)
    why = re.findall(r"FINDING in .*|Fatal error: .*|ERROR: \S+Sanitizer: .*|ALARM: .*", text)
    lines = text.strip().splitlines()
    print(f"{process.target}: {why[0] if why else lines[-1] if lines else 'it failed'}", flush=True)
    return named[-1] if named else "none kept"


def minimised(target, path):
    """Makes the input smaller, if that is possible in two minutes, and says how to go on."""
    path = pathlib.Path(path)
    if not path.exists():
        return
    small = path.with_suffix(".small")
    with open(BUILD / "work" / target / "minimise.log", "w") as log:
        process = fuzzer(
            target, "-minimize_crash=1", "-max_total_time=15", f"-exact_artifact_path={small}", path, log=log)
        try:
            process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if small.exists():
        path = small
    again = f"USHER_FUZZ={target} SWIFT_DETERMINISTIC_HASHING=1 SWIFT_BACKTRACE=enable=no {FUZZER.relative_to(ROOT)}"
    print(f"{target}, {path.stat().st_size} bytes\n  again:  {again} {path.relative_to(ROOT)}")
    print(f"  keep:   cp {path.relative_to(ROOT)} Tests/Fuzzing/Findings/{target}-NAME", flush=True)


def run(options):
    state = {"sources": sources(), "commit": commit()}
    waiting, running, bad = list(options.target), [], False
    try:
        while waiting or running:
            while waiting and len(running) < options.jobs:
                target = waiting.pop(0)
                print(f"fuzzing {target} for {options.minutes} min", flush=True)
                running.append(start(target))
            for process in list(running):
                if not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    if processor_seconds(process) >= options.minutes * 60:
                        process.send_signal(signal.SIGUSR1)  # it ends by itself, with its figures
                    continue
                running.remove(process)
                result = finished(process)
                if result["finding"]:
                    bad = True
                    minimised(result["target"], result["finding"])
                row = add_up(result, state)
                print(f"{HEAD}\n{row}", flush=True)
                if options.write:
                    write_row(result["target"], row)
            time.sleep(0.5)
    except KeyboardInterrupt:
        for process in running:
            os.killpg(process.pid, signal.SIGINT)
        raise
    return bad


def add_up(result, state):
    """Adds a run to earlier ones of its target and of the same sources; the table's row."""
    path = BUILD / "results.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    total = known.get(result["target"], {})
    if total.get("sources") != state["sources"]:
        total = {**state, "executions": 0, "wall": 0, "cpu": 0, "findings": 0}
    for key in ("executions", "wall", "cpu"):
        total[key] += result[key]
    total["findings"] += 1 if result["finding"] else 0
    for key in ("edges", "features", "corpus"):
        total[key] = result[key]
    known[result["target"]] = total
    path.write_text(json.dumps(known, indent=1))
    return (
        f"| {result['target']} | {total['executions']:,} | {total['edges']:,} | {total['features']:,} | {total['corpus']:,} "
        f"| {total['wall'] / 60:.1f} min | {total['cpu'] / 60:.1f} min | {total['findings']} | {total['commit']} |")


def write_row(target, row):
    """Puts a target's row into the page; the others stay, with the commits at which they were run."""
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    rows = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith("| ")}
    rows[target] = row
    lines = [HEAD] + [rows[target] for target in TARGETS if target in rows]
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after)


def minimise(options):
    """Puts a small corpus that covers what the large one does into Tests/Fuzzing/Corpora."""
    for target in options.target:
        work, small = BUILD / "work" / target, BUILD / "work" / target / "small"
        shutil.rmtree(small, ignore_errors=True)
        small.mkdir(parents=True)
        folders = [f for f in (CORPORA / target, work / "corpus", BUILD / "seeds" / target) if f.is_dir()]
        with open(work / "merge.log", "w") as log:
            status = fuzzer(
                target, "-set_cover_merge=1", f"-max_len={TARGETS[target]}", "-rss_limit_mb=4000", small, *folders,
                log=log).wait()
        if status != 0:
            sys.exit(f"{target}: merging failed, see {work / 'merge.log'}")
        kept = selection(list(small.iterdir()))
        shutil.rmtree(CORPORA / target, ignore_errors=True)
        (CORPORA / target).mkdir(parents=True)
        for path in kept:
            # Short names that say nothing but the contents.
            shutil.copyfile(path, CORPORA / target / hashlib.sha256(path.read_bytes()).hexdigest()[:12])
        size = sum(path.stat().st_size for path in kept)
        print(f"{target}: {len(kept)} of {len(list(small.iterdir()))} files, {size:,} bytes", flush=True)


def selection(paths):
    """As many as may be committed: of each size some, the smallest first where the bytes run out."""
    paths.sort(key=lambda path: (path.stat().st_size, path.name))
    step = max(1, len(paths) / FILES_MAX)
    kept, size = [], 0
    for path in [paths[int(index * step)] for index in range(min(len(paths), FILES_MAX))]:
        if size + path.stat().st_size > BYTES_MAX:
            break
        kept.append(path)
        size += path.stat().st_size
    return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "minimise"])
    parser.add_argument("--target", action="append", choices=list(TARGETS))
    parser.add_argument("--minutes", type=float, default=30, help="of processor time for each target")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/fuzzing.md")
    options = parser.parse_args()
    options.target = options.target or list(TARGETS)
    write_seeds()
    demand_coverage()
    if options.what == "minimise":
        minimise(options)
    elif run(options):
        sys.exit(1)


if __name__ == "__main__":
    main()
