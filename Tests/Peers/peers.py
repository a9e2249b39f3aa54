"""Measures Usher beside SwiftNIO on the same work, in one run, and prints the table of docs/performance.md.

    make peers              everything: builds, runs, prints
    peers.py --help         when it is built already

Each server has one processor, the loader the other. A round measures one server after the other, each from a fresh process, so
that what the machine does meanwhile hits all of them; the figures are medians over the rounds, ratios those of the medians. The
figure is the server's processor time for each operation (/proc/PID/task/*/schedstat, nanoseconds): the kernel's work for its
sockets is in it, the loader's speed is not. A sample during which other processes took more than a tenth of a processor is thrown
away and taken again; if the machine does not get quiet, what was kept in spite of that is counted below the table.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time

CROWD = 10_000
FOREIGN_MAX = 0.1
TRIES = 3


class Peer:
    """A server that can be started: its command, and what finds its port in what it prints."""

    def __init__(self, command, port):
        self.command, self.port = command, port


class Process:
    """One running server and the loader beside it."""

    def __init__(self, peer):
        self.log = tempfile.TemporaryFile(mode="w+")
        self.server = subprocess.Popen(
            ["taskset", "--cpu-list", str(ARGUMENTS.server_core)] + peer.command,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        port = self.wait_for(peer.port)
        self.loader = subprocess.Popen(
            ["taskset", "--cpu-list", str(ARGUMENTS.loader_core), ARGUMENTS.loader, str(port), str(self.server.pid)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.loader, self.server):
            process.kill()
            process.wait()
        self.loader.stdin.close()
        self.loader.stdout.close()
        self.log.close()

    def wait_for(self, port):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.log.seek(0)
            text = self.log.read()
            if port(text):
                return port(text)
            if self.server.poll() is not None:
                break
            time.sleep(0.05)
        sys.exit(f"a server did not start:\n{text}")

    def say(self, command):
        self.loader.stdin.write(command + "\n")
        self.loader.stdin.flush()

    def ask(self, command):
        self.say(command)
        return self.answer()

    def answer(self):
        line = self.loader.stdout.readline()
        if not line:
            sys.exit("the loader gave up; see above")
        return json.loads(line)

    def mark(self):
        return self.ask("mark")

    def resident_bytes(self):
        with open(f"/proc/{self.server.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024


class Window:
    """What happened between two marks."""

    def __init__(self, before, after):
        difference = {key: after[key] - before[key] for key in before}
        self.seconds = difference["time"] / 1e9
        self.server = difference["server"]
        self.messages = difference["messages"]
        self.foreign = max(0, difference["all"] - difference["server"] - difference["loader"]) / difference["time"]
        self.p99 = after["p99"] / 1e3


# MARK: The work. Each returns its figures and the largest share of others' processor time.


def echo(process, seconds):
    """100 connections, each with one and then with sixteen messages of 64 bytes under way."""
    process.ask("open 100 /echo")
    figures, foreign = {}, 0
    for depth in (1, 16):
        process.ask(f"echo {depth} 64")
        time.sleep(seconds / 4)
        before = process.mark()
        time.sleep(seconds)
        window = Window(before, process.mark())
        process.ask("quiet")
        figures[f"echo {depth}"] = window.server / window.messages
        figures[f"rate {depth}"] = window.messages / window.seconds
        figures[f"p99 {depth}"] = window.p99
        foreign = max(foreign, window.foreign)
    return figures, foreign


def crowd(process, count, rounds):
    """`count` connections: what each costs to make and to keep, and then a message of 32 bytes to all of them."""
    process.ask("open 100 /sub")
    resident = process.resident_bytes()
    before = process.mark()
    process.ask(f"open {count} /sub")
    made = Window(before, process.mark())
    process.ask("settle 300")
    figures = {"handshake": made.server / count, "memory": (process.resident_bytes() - resident) / count}
    process.ask("open 1 /pub")
    for _ in range(2):
        process.ask("publish 32")
    before = process.mark()
    last = []
    for _ in range(rounds):
        last.append(process.ask("publish 32")["last_milliseconds"])
        time.sleep(0.02)
    sent = Window(before, process.mark())
    figures["delivery"] = sent.server / sent.messages
    figures["last"] = statistics.median(last)
    return figures, max(made.foreign, sent.foreign)


def notice(process, count, rounds):
    """Usher alone, the whole product: `count` people wait in a line, an operator's notice goes to all of them."""
    process.say("greet " + " ".join(map(str, joining())))
    process.ask(f"open {count} /v1")
    process.ask("settle 2000")
    send = [ARGUMENTS.usher, "admin", "notice", "later", "The doors open late.", "--data", notice.folder]
    spent = messages = foreign = 0
    for number in range(rounds + 1):
        before = process.mark()
        process.say(f"expect {count}")
        # Waits for its answer; the loader hears the notice meanwhile.
        subprocess.run(send, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        process.answer()
        process.ask("settle 100")
        window = Window(before, process.mark())
        if number > 0:
            spent, messages, foreign = spent + window.server, messages + count, max(foreign, window.foreign)
    return {"notice": spent / messages}, foreign


def joining():
    """One WebSocket message: HELLO as a user whose UUID ends with the connection's number, and OPEN of a Join. As hex and the
    number's place in it. protocol/README.md and protocol/usher/v1 have the layouts."""

    def field(number, value):
        return bytes([number << 3 | 2, len(value)]) + value

    def frame(kind, call, body):
        return struct.pack(">BII", kind << 3, len(body), call) + body

    # A Uuid's halves are fixed64, least significant byte first: the number goes over the first four bytes of the low half.
    user = struct.pack("<BQBQ", 1 << 3 | 1, 0x75736865725F7573, 2 << 3 | 1, 0x8000_0000_0000_0000)
    hello = frame(1, 0, field(1, b"loader") + field(5, user))
    request = struct.pack("<BQBQ", 1 << 3 | 1, 0x75736865725F7265, 2 << 3 | 1, 0x8000_0000_0000_0001)
    credit = bytes([6 << 3, 0x7F])
    open_call = field(1, b"/usher.v1.Line/Join") + field(4, request) + credit + field(9, field(1, b"later"))
    return (hello + frame(3, 1, open_call)).hex(), hello.index(user) + 10


# MARK: The servers


def servers(folder):
    """Usher and its peers. All use the certificate that Usher makes for itself at its first start."""
    concerts = os.path.join(folder, "concerts.yaml")
    with open(concerts, "w") as file:
        file.write("concerts: [{id: later, title: Later, venue: Hall, lobby-opens: +0s, opens: +30d, max-active: 1}]\n")
    data = os.path.join(folder, "data")
    notice.folder = data
    usher = [
        ARGUMENTS.usher, "serve", "--concerts", concerts, "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "off",
        "--journal", "memory", "--loops", "1", "--echo", "--connections-max", "19000", "--ping-interval", "3600"]
    nio = [ARGUMENTS.nio, "0", os.path.join(data, "certificate.pem"), os.path.join(data, "certificate-key.pem")]

    def port(prefix):
        def found(text):
            return int(text.split(prefix)[1].split()[0].split("/")[0]) if prefix in text else None
        return found

    return {
        "Usher": Peer(usher, port("serving wss://localhost:")),
        "SwiftNIO": Peer(nio, port("listening on ")),
        "SwiftNIO, corked": Peer(nio + ["cork"], port("listening on ")),
    }


# MARK: The run


class Results:
    """Samples by work and server, and what was thrown away."""

    def __init__(self):
        self.samples, self.disturbed, self.repeated = {}, 0, 0

    def take(self, name, peer, work, *arguments):
        for attempt in range(1, TRIES + 1):
            with Process(peer) as process:
                figures, foreign = work(process, *arguments)
            if foreign <= FOREIGN_MAX or attempt == TRIES or ARGUMENTS.noisy:
                break
            self.repeated += 1
        self.disturbed += foreign > FOREIGN_MAX
        for figure, value in figures.items():
            self.samples.setdefault((name, figure), []).append(value)
        print(f"  {name}, {work.__name__}: " + ", ".join(f"{key} {value:,.0f}" for key, value in figures.items())
              + f"; others {foreign:.2f}", file=sys.stderr)

    def median(self, name, figure):
        return statistics.median(self.samples.get((name, figure), [float("nan")]))


def measure(peers):
    results = Results()
    for _ in range(ARGUMENTS.rounds):
        for name, peer in peers.items():
            results.take(name, peer, echo, ARGUMENTS.seconds)
        for name in ("Usher", "SwiftNIO"):
            results.take(name, peers[name], crowd, ARGUMENTS.crowd, 10)
    results.take("Usher", peers["Usher"], notice, ARGUMENTS.crowd, 5)
    return results


ROWS = [
    # What, figure, divisor to its unit, the ratio aimed at.
    ("echo of 64 B, 1 in flight, ns", "echo 1", 1, 0.6),
    ("echo of 64 B, 16 in flight, ns", "echo 16", 1, 0.17),
    ("one 32 B message to {crowd} subscribers, µs a delivery", "delivery", 1000, 0.55),
    ("a full handshake with upgrade, µs", "handshake", 1000, 0.95),
    ("memory of an idle connection, KB", "memory", 1024, 0.65),
]


def table(results):
    def number(value):
        return "–" if value != value else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"

    lines = ["| server's processor time, and memory | Usher | SwiftNIO | **ratio** | aim | SwiftNIO, corked |",
             "|---|---|---|---|---|---|"]
    for what, figure, divisor, aim in ROWS:
        usher, nio, corked = (results.median(name, figure) / divisor for name in ("Usher", "SwiftNIO", "SwiftNIO, corked"))
        lines.append(f"| {what.format(crowd=f'{ARGUMENTS.crowd:,}')} | {number(usher)} | {number(nio)} | **{usher / nio:.2f}** "
                     f"| {aim} | {number(corked)} |")
    lines += ["", "| for the record | Usher | SwiftNIO | SwiftNIO, corked |", "|---|---|---|---|"]
    for what, figure, divisor in [
            ("echo, 1 in flight: messages/s", "rate 1", 1), ("p99, µs", "p99 1", 1),
            ("echo, 16 in flight: messages/s", "rate 16", 1), ("p99, µs", "p99 16", 1),
            ("last of the subscribers has it after, ms", "last", 1),
            ("the whole product: an operator's notice to everybody in a line, µs a delivery", "notice", 1000)]:
        cells = (number(results.median(name, figure) / divisor) for name in ("Usher", "SwiftNIO", "SwiftNIO, corked"))
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    lines += ["", f"{ARGUMENTS.rounds} rounds, medians; {processor()}, {os.cpu_count()} cores, Linux {platform.release()}, commit "
              f"{commit or 'unknown'}; {results.repeated} disturbed samples thrown away, {results.disturbed} kept."]
    return "\n".join(lines)


def processor():
    with open("/proc/cpuinfo") as facts:
        return next((line.split(":")[1].strip() for line in facts if line.startswith("model name")), platform.machine())


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        peers = servers(folder)
        with Process(peers["Usher"]):
            pass  # makes the certificate
        print(table(measure(peers)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--usher", required=True, help="the release build")
    parser.add_argument("--nio", required=True, help="the SwiftNIO peer")
    parser.add_argument("--loader", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of each echo sample")
    parser.add_argument("--crowd", type=int, default=CROWD)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--loader-core", type=int, default=1)
    parser.add_argument("--noisy", action="store_true", help="keep samples however much else goes on: for trying it out")
    return parser.parse_args()


if __name__ == "__main__":
    ARGUMENTS = arguments()
    main()
