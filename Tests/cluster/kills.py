#!/usr/bin/env python3
"""Kills under a stampede: `make cluster-kills`.

    kills.py                   1,500 fans come through the balancer; meanwhile each instance and the stream's leader are killed
    kills.py --rounds 3        all of them three times, for as many more fans

docker-compose.yml's services as processes (cluster.py), aside, without Prometheus. A killed instance stays dead for long enough
that the others declare it gone, a killed NATS server until the others have elected another leader; then it is started again, as
a restart policy would, and the next one is killed once all are ready. Prints a report; status 1 if a promise was broken:

    from the fans     the stampede's verdicts: nothing lost, doubled or out of order, by what they were told
    from the journal  `usher journal verify`: a replay of its own keeps every invariant, and every digest that an instance has
                      said, each 1,024 positions, is the replay's; those of all three reach past everything that happened
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import check
import cluster
import compose
import figures

STREAM = "usher"
# Longer than eight beats of half a second, after which the others declare an instance gone.
DEAD_SECONDS = 6
# Between two victims, for fans to be served as usual.
CALM_SECONDS = 3
READY_SECONDS = 90
# A turn takes some three seconds, so both the turnstile and the cap have something to do, and nobody can hurry the sale.
# There are seats until nearly the end.
FANS_A_ROUND = 1500
ADMISSION = ["--batch", "20", "--interval", "1s", "--max-active", "70"]
FANS_A_DATE = 43


class Broken(Exception):
    """What did not come back by itself."""


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def wait_for(what, condition, seconds=READY_SECONDS):
    """Returns what the condition came to, once it is something."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Broken(f"{what}: not after {seconds} s")
        time.sleep(0.02)


class Pulse(threading.Thread):
    """Looks twenty times a second at how far the journal is, as whichever instance is ahead has it."""

    def __init__(self, sale):
        super().__init__(daemon=True)
        self.sale = sale
        self.steps = []
        self.is_over = False

    def run(self):
        last = 0
        while not self.is_over:
            positions = [check.metric(self.sale, name, "usher_journal_position") for name in instances(self.sale)]
            highest = max((position for position in positions if position), default=0)
            if highest > last:
                last = highest
                self.steps.append(time.monotonic())
            time.sleep(0.05)

    def longest_standstill(self, begin, end):
        steps = [begin, *(step for step in self.steps if begin < step < end), end]
        return max(later - earlier for earlier, later in zip(steps, steps[1:]))


def instances(sale):
    return [name for name in sale.processes if name.startswith("usher")]


def servers(sale):
    return [name for name in sale.processes if name.startswith("nats")]


def leader(sale, among):
    """Who leads the journal's stream, as any of those says; None while nobody does."""
    for name in among:
        page = cluster.get(f"http://{sale.placement.addresses[name]}:8222/jsz?accounts=1&streams=1")
        for account in json.loads(page or "{}").get("account_details") or []:
            for detail in account.get("stream_detail") or []:
                found = detail.get("cluster", {}).get("leader")
                if detail["name"] == STREAM and found in among:
                    return found
    return None


def kill(process):
    process.process.kill()
    process.process.wait()


def kill_instance(sale, name, count):
    """Kills it, starts it again. What was seen meanwhile."""
    others = [other for other in instances(sale) if other != name]
    begin = time.monotonic()
    kill(sale.processes[name])

    def is_declared_gone():
        return all(check.metric(sale, other, "usher_instances") == count - 1 for other in others)

    wait_for(f"the others declare {name} gone", is_declared_gone)
    noticed = time.monotonic() - begin
    time.sleep(max(0, DEAD_SECONDS - noticed))
    return begin, f"declared gone after {noticed:.1f} s"


def kill_leader(sale, name):
    others = [other for other in servers(sale) if other != name]
    begin = time.monotonic()
    kill(sale.processes[name])
    new = wait_for("a new leader of the stream", lambda: leader(sale, others))
    return begin, f"{new} led after {time.monotonic() - begin:.1f} s"


def suffer(sale, victim, pulse):
    """One kill, from the blow until everything is whole again; a row of the report."""
    count = len(instances(sale))
    if victim == "leader":
        victim = wait_for("the stream has a leader", lambda: leader(sale, servers(sale)))
        what = f"{victim}, the stream's leader"
        begin, noticed = kill_leader(sale, victim)
    else:
        what = victim
        begin, noticed = kill_instance(sale, victim, count)
    say(f"killed {what}; {noticed}")
    sale.processes[victim].start()
    started = time.monotonic()
    wait_for(f"{victim} is ready again", lambda: alive(sale, victim) and sale.is_healthy(victim))
    ready = time.monotonic() - started
    wait_for("the balancer has all instances, and each counts all", lambda: is_whole(sale))
    whole = time.monotonic() - begin
    say(f"{victim} was ready {ready:.1f} s after its start, everything whole {whole:.1f} s after the kill")
    stood = pulse.longest_standstill(begin, time.monotonic())
    return [what, noticed, f"{ready:.1f} s", f"{whole:.1f} s", f"{stood:.1f} s"]


def alive(sale, name):
    process = sale.processes[name]
    if process.process.poll() is not None:
        raise Broken(f"{name} has ended by itself, status {process.process.returncode}:{process.last_words()}")
    return True


def is_whole(sale):
    names = instances(sale)
    return check.ready_instances(sale) == len(names) and all(
        alive(sale, name) and sale.is_healthy(name) and check.metric(sale, name, "usher_instances") == len(names)
        for name in names)


class Crowd(figures.Stampede):
    """A stampede through the balancer, which takes lost connections for what they are."""

    def __init__(self, sale, folder, name, *arguments):
        address = f"wss://{sale.placement.addresses['haproxy']}:8443"
        super().__init__(
            [
                sale.programs.usher, "stampede", "--connect", address, "--data", folder / "development", "--restarts", "--json",
                *arguments,
            ], folder / f"{name}.log", folder / f"{name}.json")

    def is_selling(self):
        """All have joined, and somebody still waits."""
        if self.process.poll() is not None:
            raise Broken(f"the stampede has ended early, status {self.process.returncode}: {self.now()}")
        return "  selling  " in self.now() and "waiting 0 " not in self.now()

    def end(self, seconds):
        """Its report, once all are home and every verdict holds."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise Broken(f"the stampede is not over after {seconds} s more: {self.now()}")
            say(f"the crowd: {self.now()}")
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                continue
        report, failed = self.judged()
        if failed:
            raise Broken("\n  ".join(failed))
        return report

    def kill(self):
        self.process.kill()
        self.process.wait()


def play(sale, folder, fans, seed, rounds):
    """The sale and the kills. Rows of the report, the stampede's report, and the journal's position after the last kill."""
    pulse = Pulse(sale)
    crowd = Crowd(
        sale, folder, "stampede", "--fans", str(fans), "--seed", str(seed), *ADMISSION, "--performances",
        str(-(-fans // FANS_A_DATE)), "--time-limit", f"{300 * rounds}s")
    try:
        wait_for("everybody has joined", crowd.is_selling, 120)
        pulse.start()
        rows = []
        for victim in (instances(sale) + ["leader"]) * rounds:
            say(f"the crowd: {crowd.now()}")
            time.sleep(CALM_SECONDS)
            rows.append(suffer(sale, victim, pulse))
        if not crowd.is_selling():
            raise Broken(f"nobody waited any more when the last one was killed ({crowd.now()}): send more with --fans")
        return rows, crowd.end(300 * rounds + 120)
    finally:
        pulse.is_over = True
        crowd.kill()


def verify(sale, folder, seed):
    """Lets small crowds in until all instances have said their digests past everything; what a replay says of the journal."""
    numbers = {name: (folder / name / "instance").read_text().strip() for name in instances(sale)}
    end = max(check.metric(sale, name, "usher_journal_position") for name in numbers)
    journal = sale.placement.environment(sale.processes["usher-1"].service)["USHER_JOURNAL"]
    deadline = time.monotonic() + 180
    crowds = 0
    while True:
        crowds += 1
        crowd = Crowd(sale, folder, f"after-{crowds}", "--fans", "200", "--seed", str(seed + crowds), "--pace", "0.1")
        try:
            crowd.end(120)
        finally:
            crowd.kill()
        done = subprocess.run(
            [sale.programs.usher, "journal", "verify", "--json", journal], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=120, check=False)
        if done.returncode:
            raise Broken(f"usher journal verify: {done.stdout}{done.stderr}")
        found = json.loads(done.stdout)
        said = {digest["instance"]: digest["position"] for digest in found["digests"]}
        if all(said.get(int(number), 0) > end for number in numbers.values()):
            break
        if time.monotonic() > deadline:
            raise Broken(f"no digests of all instances past position {end}: {found['digests']}")
    check.expect(len({position for position in said.values()}) == 1, f"the last digests are of one position: {said}")
    # Beats move it on all the while: all are where the one furthest ahead was.
    highest = max(check.metric(sale, name, "usher_journal_position") for name in numbers)
    wait_for("all instances reach one position", lambda: all(
        check.metric(sale, name, "usher_journal_position") >= highest for name in numbers), 10)
    return found, max(said.values()), int(highest), crowds


def tell(rows, report, journal, digest_position, position, crowds):
    heads = ["killed", "noticed", "ready after its start", "all whole after the kill", "the journal stood still for"]
    outcomes = ", ".join(f"{name} {count:,}" for name, count in sorted(report["outcomes"].items(), key=lambda item: -item[1]))
    refusals = ", ".join(f"`{name}` {count:,}" for name, count in sorted(report["refusals"].items(), key=lambda item: -item[1]))
    verdicts = [
        [verdict["promise"], f"{'yes' if verdict.get('holds') else 'not checked'}: {verdict['finding']}"]
        for verdict in report["verdicts"]
    ]
    facts = [
        ["fans", f"{report['fans']:,}, seed {report['seed']}; {report['admission']}"],
        ["came to", outcomes],
        ["seats sold", f"{report['seats_sold']:,} in {report['sale_seconds']:,.0f} s"],
        ["connections lost", f"{report['connections_lost']:,}; came back {report['reconnects']:,}"],
        ["refusals, repeated by clients or expected", refusals],
        *verdicts,
        ["the journal", f"{journal['entries']:,} entries with {journal['commands']:,} commands, every invariant kept"],
        [
            "digests",
            f"{journal['digests_compared']:,} said, all equal to the replay's; of all three instances at position {digest_position:,}",
        ],
        ["afterwards", f"{crowds} × 200 fans more, served without a fault; all instances at position {position:,}"],
    ]
    print("\n" + figures.table(heads, rows) + "\n\n" + figures.table(["", ""], facts).replace("---:", "---"), flush=True)


def run(programs, folder, arguments):
    services = [service for service in compose.services() if service.name not in ("prometheus", "grafana")]
    placement = compose.Placement(services, cluster.addresses_aside(services), folder)
    sale = cluster.Cluster(programs, placement, say)
    try:
        sale.start()
        check.check_instances(sale)
        fans = arguments.fans or FANS_A_ROUND * arguments.rounds
        say(f"{fans:,} fans, seed {arguments.seed}; everybody's logs are in {folder}")
        rows, report = play(sale, folder, fans, arguments.seed, arguments.rounds)
        journal, digest_position, position, crowds = verify(sale, folder, arguments.seed)
        tell(rows, report, journal, digest_position, position, crowds)
    finally:
        sale.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--usher", type=pathlib.Path, default=compose.ROOT / ".build/release/usher", help="the built usher")
    parser.add_argument("--fans", type=int, help=f"otherwise {FANS_A_ROUND} for each round")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="usher-kills-"))
    try:
        run(cluster.Programs(arguments.usher.absolute()), folder, arguments)
    except (Broken, cluster.ClusterError, compose.ComposeError) as error:
        sys.exit(f"\nBROKEN, seed {arguments.seed}, everything kept in {folder}:\n  {error}")
    shutil.rmtree(folder)
    print(f"\nNothing was lost, doubled or out of order. Once more: make cluster-kills SEED={arguments.seed}")


if __name__ == "__main__":
    main()
