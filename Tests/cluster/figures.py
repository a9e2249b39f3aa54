#!/usr/bin/env python3
"""What several instances on one replicated journal do: `make cluster-figures`.

    figures.py                 the same stampede at one instance on SQLite, and at one, two and three on three NATS servers
    figures.py --crowd 19000   besides, so many at each of two instances at once

The services are those of docker-compose.yml (cluster.py), without balancer and Prometheus: fans connect to the instances
themselves, each to one, evenly. Servers, journal and fans share the machine's processors, so what is seen is the machine's
whole; processor times say what each part of it takes. Prints a table, with --crowd another."""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import cluster
import compose

TICKS = os.sysconf("SC_CLK_TCK")

# Of a large crowd so many may be inside at once, at each of two instances: whoever goes makes room for the next, so a machine
# sells as fast as it can. A turnstile that lets in more than the machine serves makes it slower and slower: everybody inside
# watches seats and hears of every change, and in the end holds run out before they are paid.
CROWD_INSIDE = 500


def processor_seconds(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024


class Running:
    """A cluster while it runs: how to reach it, and its processes."""

    def __init__(self, started, folder):
        self.placement = started.placement
        self.development = folder / "development"
        self.instances = [process for name, process in started.processes.items() if name.startswith("usher")]
        self.servers = [process for name, process in started.processes.items() if name.startswith("nats")]

    def address(self, process):
        return f"wss://{self.placement.addresses[process.service.name]}:8443"

    def processor_seconds(self, processes):
        return processor_seconds([process.process.pid for process in processes])

    def stampede(self, usher, addresses, *arguments):
        return [usher, "stampede", "--connect", ",".join(addresses), "--data", self.development, "--json", *arguments]


@contextlib.contextmanager
def running(programs, instances, on_sqlite=False):
    """`instances` of them on three NATS servers, or one on SQLite; they have ended afterwards."""
    wanted = {f"usher-{number + 1}" for number in range(instances)}
    if not on_sqlite:
        wanted |= {"nats-1", "nats-2", "nats-3"}
    services = [service for service in compose.services() if service.name in wanted]
    for service in services:
        if on_sqlite:
            service.environment["USHER_JOURNAL"] = "sqlite"
            service.waits_for_health = []
        if service.name.startswith("usher"):
            service.environment["USHER_CONNECTIONS_MAX"] = "19500"
    with tempfile.TemporaryDirectory(prefix="usher-figures-") as folder:
        folder = pathlib.Path(folder)
        placement = compose.Placement(services, cluster.usual_addresses(compose.services()), folder)
        started = cluster.Cluster(programs, placement, lambda text: None)
        try:
            started.start()
            yield Running(started, folder)
        finally:
            started.stop()


class Stampede:
    """One that runs: its progress and its report are in files."""

    def __init__(self, command, log, report):
        self.log = log
        self.report = report
        environment = {name: value for name, value in os.environ.items() if not name.startswith("USHER_")}
        with log.open("wb") as errors, report.open("wb") as output:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)

    def now(self):
        lines = self.log.read_text().splitlines()
        return lines[-1].strip() if lines else "coming"

    def wait(self):
        """Its report once it is over; what it is at is said every ten seconds."""
        while self.process.poll() is None:
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                print(f"  {self.now()}", file=sys.stderr, flush=True)
        report, failed = self.judged()
        if failed:
            sys.exit("\n".join(failed))
        return report

    def judged(self):
        """Its report, and what is wrong."""
        text = self.report.read_text()
        if not text.startswith("{"):
            return None, [f"a stampede could not be made: {self.log.read_text()}"]
        report = json.loads(text)
        failed = [
            f"{verdict['promise']} does not hold: {verdict['finding']}; {'; '.join(verdict['evidence'])}"
            for verdict in report["verdicts"] if verdict.get("holds") is False
        ]
        if self.process.returncode and not failed:
            failed = [f"a stampede has ended with status {self.process.returncode}: {self.now()}"]
        return report, failed


def play(commands):
    """Runs stampedes at the same time; their reports."""
    with tempfile.TemporaryDirectory(prefix="usher-stampedes-") as folder:
        crowds = []
        try:
            for number, command in enumerate(commands):
                place = pathlib.Path(folder) / str(number)
                crowds.append(Stampede(command, place.with_suffix(".log"), place.with_suffix(".json")))
                # A stampede names its concert by the tenth of a second.
                time.sleep(0.2)
            return [crowd.wait() for crowd in crowds]
        finally:
            for crowd in crowds:
                crowd.process.kill()
                crowd.process.wait()


def spread(report, name):
    found = report["latencies_ms"].get(name)
    return f"{found['p50']:,.2f} · {found['p99']:,.1f}" if found else "–"


def stampedes(programs, fans, seed):
    """The table of one crowd at different numbers of instances."""
    rows = []
    for instances, on_sqlite in ((1, True), (1, False), (2, False), (3, False)):
        name = "1, on SQLite" if on_sqlite else str(instances)
        print(f"… {name}", file=sys.stderr, flush=True)
        with running(programs, instances, on_sqlite) as sale:
            before = sale.processor_seconds(sale.instances), sale.processor_seconds(sale.servers)
            addresses = [sale.address(process) for process in sale.instances]
            report, = play([sale.stampede(programs.usher, addresses, "--fans", str(fans), "--seed", str(seed))])
            after = sale.processor_seconds(sale.instances), sale.processor_seconds(sale.servers)
        rows.append([
            name, f"{report['joins_per_second']:,.0f}", spread(report, "join"), spread(report, "hold"), spread(report, "pay"),
            spread(report, "admission"), spread(report, "seat_push"), spread(report, "seat_push_same_instance"),
            spread(report, "seat_push_other_instance"), f"{100 * report['lost_claims_per_hold']:.1f} %",
            f"{(after[0] - before[0]) / fans * 1000:.2f} · {(after[1] - before[1]) / fans * 1000:.2f}",
        ])
    heads = [
        "instances", "joins/s", "join, ms", "hold, ms", "pay, ms", "admission pushed, ms", "seat pushed, ms",
        "to watchers where it was held, ms", "to watchers at another, ms", "holds lost to another",
        "processor ms a fan: instances · NATS",
    ]
    return table(heads, rows) + f"\n\n{fans:,} fans, seed {seed}; p50 · p99; all verdicts held."


def crowds(programs, each, seed):
    """The table of a crowd at each of two instances."""
    with running(programs, 2) as sale:
        resident = [resident_bytes(process.process.pid) for process in sale.instances]
        reports = play([
            sale.stampede(
                programs.usher, [sale.address(process)], "--fans", str(each), "--seed", str(seed + number), "--max-active",
                str(CROWD_INSIDE), "--behaviour", "drop=0", "--time-limit", "15m")
            for number, process in enumerate(sale.instances)
        ])
        grown = [resident_bytes(process.process.pid) - before for process, before in zip(sale.instances, resident)]
    rows = [[
        str(number + 1), f"{report['fans']:,}", f"{report['connects_per_second']:,.0f}", f"{report['joins_per_second']:,.0f}",
        spread(report, "join"), spread(report, "admission"), f"{report['seats_sold']:,} in {report['sale_seconds']:,.0f} s",
        f"{bytes_ / each / 1000:.1f}",
    ] for number, (report, bytes_) in enumerate(zip(reports, grown))]
    heads = [
        "instance", "fans", "connections/s", "joins/s", "join, ms", "admission pushed, ms", "seats sold", "KB a fan, at the end",
    ]
    return table(heads, rows) + f"\n\nSeeds {seed} and {seed + 1}; p50 · p99; all verdicts held in both."


def table(heads, rows):
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--usher", type=pathlib.Path, default=compose.ROOT / ".build/release/usher", help="the built usher")
    parser.add_argument("--fans", type=int, default=4000, help="0: only the crowd")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--crowd", type=int, default=0, help="fans at each of two instances, up to 19000; 0: none")
    arguments = parser.parse_args()
    programs = cluster.Programs(arguments.usher.absolute())
    try:
        if arguments.fans:
            print(stampedes(programs, arguments.fans, arguments.seed), flush=True)
        if arguments.crowd:
            print("\n" + crowds(programs, arguments.crowd, arguments.seed), flush=True)
    except cluster.ClusterError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
