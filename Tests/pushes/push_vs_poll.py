"""The same crowd pushed and polling: table and plot of docs/performance.md. `make push-vs-poll` runs it.

    rush   everybody comes at once and is served as fast as they buy: half a minute. One crowd after the other.
    wait   a turnstile lets the line drain over two and a half minutes, and whoever comes to the front leaves again, so that the
           server does little but keep people waiting. Both crowds at the same time, each on a server of its own.

Every run has a fresh server with one loop. What is measured is `usher stampede --json`'s: `usher stampede --help` says how.
"""

import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import plot

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs/performance.md"
PICTURE = ROOT / "docs/push-vs-poll.svg"
BEGIN, END = "<!-- push-vs-poll: written by the command -->", "<!-- end of push-vs-poll -->"
INTERVAL_MS = 300
MODES = ("pushed", "polling")


class Server:
    """A server of its own, in a folder of its own."""

    def __init__(self, usher, folder):
        self.folder = pathlib.Path(folder)
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(
            [usher, "serve", "--data", self.folder / "data", "--listen", "127.0.0.1:0", "--admin-listen", "off", "--loops",
             "1", "--drain-time", "1"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while "serving" not in (self.folder / "log").read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("the server does not serve:\n" + (self.folder / "log").read_text())
            time.sleep(0.05)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def stampede(usher, server, mode, fans, arguments):
    """Starts a crowd; its report is read by `report`."""
    command = [usher, "stampede", "--data", server.folder / "data", "--fans", str(fans), "--json", "--quiet", "--seed", "7"]
    command += arguments + (["--poll", "3s"] if mode == "polling" else [])
    output = open(server.folder / "report", "w+")
    errors = open(server.folder / "errors", "w+")
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors), output, errors


def report(crowd):
    process, output, errors = crowd
    process.wait()
    for file in (output, errors):
        file.seek(0)
    if process.returncode != 0:
        sys.exit("a stampede failed:\n" + output.read()[-4000:] + errors.read())
    result = json.load(output)
    output.close()
    errors.close()
    return result


def run(usher, name, fans, modes, arguments):
    """The crowds of these modes, at the same time."""
    print(f"{name}: {fans} fans, {' and '.join(modes)}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        servers = []
        try:
            for mode in modes:
                own = pathlib.Path(folder) / mode
                own.mkdir()
                servers.append(Server(usher, own))
            crowds = [stampede(usher, server, mode, fans, arguments) for server, mode in zip(servers, modes)]
            return {mode: report(crowd) for mode, crowd in zip(modes, crowds)}
        finally:
            for server in servers:
                server.stop()


def measure(usher, sizes, seconds, crowds):
    results = []
    for fans in sizes if "rush" in crowds else []:
        rush = {}
        for mode in MODES:
            rush |= run(usher, "rush", fans, [mode], ["--max-active", str(max(10, fans // 10))])
        results.append(("rush", fans, rush))
    for fans in sizes if "wait" in crowds else []:
        batch = max(1, round(fans * INTERVAL_MS / 1000 / seconds))
        policy = ["--max-active", "0", "--batch", str(batch), "--interval", f"{INTERVAL_MS}ms", "--behaviour", "look=1"]
        limit = ["--time-limit", f"{int(seconds * 3 + 60)}s"]
        results.append(("wait", fans, run(usher, "wait", fans, list(MODES), policy + limit)))
    return results


def number(value):
    """Three figures."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(results):
    lines = [
        "| crowd | | waits, mean | server's processor time a fan | TLS bytes to · from a waiting fan | messages to · from | "
        "places off, p50 · p99 | seconds since it was right, p50 · p99 · max | hears of its turn after, p50 · p99 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, fans, runs in results:
        for mode in MODES:
            of = runs[mode]
            joins = max(1, of["joins"])
            checks = of["checks"] / joins
            waiting, stale, turn = of["bytes"]["waiting"], of["staleness"], of["latencies_ms"]["admission"]
            cells = [
                f"{name}, {fans:,}" if mode == MODES[0] else "",
                mode,
                f"{number(of['waited_seconds_per_fan'])} s",
                f"**{number(of['process']['fan_cpu_microseconds'] / 1000)} ms**",
                f"{number(waiting['received'] / joins)} · {number(waiting['sent'] / joins)}",
                f"{number(checks if mode == 'polling' else of['waiting_updates_per_fan'])} · {number(checks)}",
                f"{stale['places_p50']} · {stale['places_p99']}",
                " · ".join(number(stale[key]) for key in ("seconds_p50", "seconds_p99", "seconds_max")),
                f"{number(turn['p50'])} · {number(turn['p99'])} ms",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--usher", default=ROOT / ".build/release/usher", help="the binary")
    arguments.add_argument("--fans", default="2000,10000", help="sizes of the crowd")
    arguments.add_argument("--crowds", default="rush,wait", help="which of the two")
    arguments.add_argument("--seconds", type=float, default=150, help="how long the line of `wait` takes to drain")
    arguments.add_argument("--raw", type=pathlib.Path, help="keep the reports in this file")
    arguments.add_argument("--print", action="store_true", help="print the table; change no file")
    options = arguments.parse_args()
    results = measure(str(options.usher), [int(size) for size in options.fans.split(",")], options.seconds,
                      options.crowds.split(","))
    if options.raw:
        options.raw.write_text(json.dumps(results, indent=1))
    text = table(results)
    print(text)
    picture = plot.draw(results)
    if options.print:
        return
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    PAGE.write_text(before + BEGIN + "\n\n" + text + "\n" + END + rest.split(END)[1])
    PICTURE.write_text(picture)
    print(f"written: {PAGE.relative_to(ROOT)}, {PICTURE.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
