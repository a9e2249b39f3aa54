#!/usr/bin/env python3
"""Runs Autobahn|Testsuite against `usher serve --echo` over TLS and prints what came of it.

    suite.py USHER PORTED                 all 517 cases
    suite.py USHER PORTED --short         those that `make test` has time for
    suite.py USHER PORTED --cases 9.1.* 9.2.3

USHER is the server's binary, PORTED the folder that port.py wrote; the Python is the one of the suite's environment. The
cases run in groups, as many groups side by side as there are processors; each group is a client process of its own
(fuzzer.py), all play with one server. Ends with 1 unless every case has an outcome and none is failed, unclean (the
connection did not end as the case expects) or unimplemented.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from server import serving

TITLES = {
    "1": "framing", "2": "pings and pongs", "3": "reserved bits", "4": "opcodes", "5": "fragmentation", "6": "UTF-8",
    "7": "close handshake", "9": "sizes up to 16 MiB", "10": "automatic fragments", "12": "compression, payloads",
    "13": "compression, parameters",
}  # fmt: skip

# Long groups first, so that what ends last is short.
ALL = [[f"12.{n}.*"] for n in (5, 2, 3, 4, 1)] + [[f"13.{n}.*"] for n in range(1, 8)]
ALL += [[f"9.{n}.*"] for n in range(1, 9)] + [[f"{n}.*"] for n in (6, 5, 7, 1, 2, 3, 4, 10)]
ALL_COUNT = 517

SHORT = [
    ["9.1.*", "9.2.*"],
    ["9.3.1", "9.3.5", "9.4.1", "9.4.5", "9.5.5", "9.6.5", "9.7.*", "9.8.*"],
    ["12.1.1", "12.2.4", "12.3.2", "12.4.3", "12.5.1", "12.1.11"],
    [f"13.{n}.2" for n in range(1, 8)],
    *([f"{n}.*"] for n in (6, 5, 7, 1, 2, 3, 4, 10)),
]

COLUMNS = ["cases", "OK", "non-strict", "informational", "failed", "unclean", "unimplemented"]
BEHAVIOURS = {"OK": "OK", "NON-STRICT": "non-strict", "INFORMATIONAL": "informational", "UNIMPLEMENTED": "unimplemented"}


def run_group(url, ported, patterns, results):
    """One client process; what it says is told if it fails."""
    command = [sys.executable, HERE / "fuzzer.py", ported, url, results, *patterns]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return f"{' '.join(patterns)}: {done.stderr.strip()[-2000:]}" if done.returncode else None


def run(usher, ported, groups):
    """The outcomes of all cases, and what went wrong with the clients."""
    with tempfile.TemporaryDirectory(prefix="usher-autobahn-") as folder:
        files = [pathlib.Path(folder) / f"{index}.jsonl" for index in range(len(groups))]
        with serving(usher, "--echo", "--journal", "memory", "--admin-listen", "off") as server:
            url = f"wss://127.0.0.1:{server.port}/echo"
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                errors = pool.map(lambda group, file: run_group(url, ported, group, file), groups, files)
                errors = [error for error in errors if error]
        lines = [line for file in files if file.exists() for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines], errors


def columns_of(outcome):
    """Where a case is counted: by what it saw, and once more if the connection ended wrongly."""
    yield "cases"
    yield BEHAVIOURS.get(outcome["behavior"], "failed")
    if outcome["close"] not in ("OK", "INFORMATIONAL"):
        yield "unclean"


def table(outcomes):
    counts = collections.defaultdict(collections.Counter)
    for outcome in outcomes:
        for group in (outcome["case"].split(".")[0], "all"):
            counts[group].update(columns_of(outcome))
    print("| group | " + " | ".join(COLUMNS) + " |")
    print("|---|" + "---:|" * len(COLUMNS))
    for group in [*sorted(counts.keys() - {"all"}, key=int), "all"]:
        name = f"{group} {TITLES.get(group, '')}".strip()
        print(f"| {name} | " + " | ".join(str(counts[group][column]) for column in COLUMNS) + " |")
    return counts["all"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("usher")
    parser.add_argument("ported")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--cases", nargs="+")
    arguments = parser.parse_args()
    groups = [arguments.cases] if arguments.cases else SHORT if arguments.short else ALL
    outcomes, errors = run(arguments.usher, arguments.ported, groups)

    counts = table(outcomes)
    for outcome in outcomes:
        if {"failed", "unclean", "unimplemented"} & set(columns_of(outcome)):
            print(outcome)
    for error in errors:
        print(error)
    is_whole = counts["cases"] == ALL_COUNT or arguments.cases or arguments.short
    if not is_whole:
        print(f"{ALL_COUNT} cases were to be played")
    is_clean = not (counts["failed"] or counts["unclean"] or counts["unimplemented"])
    sys.exit(0 if outcomes and is_whole and is_clean and not errors else 1)


if __name__ == "__main__":
    main()
