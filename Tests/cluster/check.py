"""What `cluster.py --check` asks of the cluster that it has started."""

import json
import pathlib
import re
import signal
import subprocess
import time
import urllib.parse

import compose
from cluster import Cluster, ClusterError, addresses_aside, get

DASHBOARD = compose.ROOT / "docs/deploy/grafana/usher.json"


def check(programs, folder):
    """Starts all, plays a purchase through the balancer, asks for everybody's figures, ends all.

    Raises ClusterError with what was not as it should be.
    """
    started = time.monotonic()
    services = compose.services()
    placement = compose.Placement(services, addresses_aside(services), folder)
    cluster = Cluster(programs, placement, print)
    statuses = {}
    try:
        cluster.start()
        check_instances(cluster)
        buy(cluster, folder)
        check_standstill(cluster, folder)
        check_prometheus(cluster)
    finally:
        statuses = cluster.stop()
    for name, status in statuses.items():
        if name.startswith("usher") and status != 0:
            raise ClusterError(f"{name} ended with status {status}:{cluster.processes[name].last_words()}")
    print(f"all is as it should be, in {time.monotonic() - started:.0f} s")


def expect(condition, sentence):
    if not condition:
        raise ClusterError(sentence)


def wait_for(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"{what}: not after {seconds} s")
        time.sleep(0.1)


def check_instances(cluster):
    """Each instance is ready, the balancer knows it, and all count three of them."""
    instances = [name for name in cluster.processes if name.startswith("usher")]
    expect(len(instances) == 3, f"there are {len(instances)} instances")
    wait_for("the balancer has three ready instances", lambda: ready_instances(cluster) == len(instances))
    for name in instances:
        wait_for(f"{name} counts three instances", lambda: metric(cluster, name, "usher_instances") == len(instances))


def ready_instances(cluster):
    """To how many instances the balancer sends people."""
    page = get(f"http://{cluster.placement.addresses['haproxy']}:8404/metrics") or ""
    found = re.search(r'^haproxy_backend_active_servers\{proxy="ready"\} (\d+)', page, re.MULTILINE)
    return int(found[1]) if found else 0


def metric(cluster, name, metric):
    page = get(f"http://{cluster.placement.addresses[name]}:8444/metrics") or ""
    found = re.search(rf"^{metric} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else None


def fan(cluster, folder, user):
    """What a command line is told to go through the balancer, and where it is at home."""
    home = folder / "client"
    home.mkdir(exist_ok=True)
    server = [
        "--server", f"wss://{cluster.placement.addresses['haproxy']}:8443", "--data", str(folder / "development"), "--user",
        user,
    ]
    return server, {"HOME": str(home), "XDG_STATE_HOME": str(home), "XDG_CONFIG_HOME": str(home), "PATH": "/usr/bin:/bin"}


def run(cluster, environment, *words):
    return subprocess.run(
        [cluster.programs.usher, *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60, check=False)


def check_standstill(cluster, folder):
    """While the journal stands still nobody is ready, and the balancer still lets people in to see what is known."""
    server, environment = fan(cluster, folder, "onlooker")
    standing = [cluster.processes[name].process for name in ("nats-1", "nats-2")]
    for process in standing:
        process.send_signal(signal.SIGSTOP)
    try:
        wait_for("no instance is ready without a majority of the NATS servers", lambda: ready_instances(cluster) == 0)
        seen = run(cluster, environment, "concerts", *server)
        expect(seen.returncode == 0 and "aurora" in seen.stdout, f"while the journal stands still: {seen.stdout}{seen.stderr}")
        expect(ready_instances(cluster) == 0, "the journal still stands")
    finally:
        for process in standing:
            process.send_signal(signal.SIGCONT)
    # An election of both of NATS's groups, and perhaps a second one.
    wait_for("all are ready again by themselves", lambda: ready_instances(cluster) == 3, seconds=60)


def buy(cluster, folder):
    """One person goes from the catalogue to a payment, each command over a connection of its own through the balancer."""
    server, environment = fan(cluster, folder, "check")

    def usher(*words):
        done = run(cluster, environment, *words, *server)
        expect(done.returncode == 0, f"usher {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    concerts = usher("concerts")
    expect("aurora" in concerts, f"the demonstration is on sale: {concerts}")
    # Stays until the end, as a fan's own terminal would.
    log = folder / "join.txt"
    with log.open("wb") as output:
        join = subprocess.Popen(
            [cluster.programs.usher, "join", "aurora", *server], env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=output)
    try:
        wait_for(f"a place and a turn (see {log})", lambda: "It is your turn." in log.read_text())
        usher("hold", "aurora-1", "--best", "2")
        usher("charge", "20000")
        expect("are yours" in usher("pay"), "the seats are paid")
        wait_for("the join hears of the payment", lambda: join.poll() is not None)
        expect(join.returncode == 0, f"usher join: {log.read_text()}")
    finally:
        join.kill()
        join.wait()


def queries():
    """Every expression of the dashboard, for all concerts."""
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$concert", ".*")


def check_prometheus(cluster):
    """Prometheus reaches everybody, has no quarrel with its files, and understands every query of the dashboard."""
    if "prometheus" not in cluster.processes:
        print(f"not checked, for want of Prometheus: {pathlib.Path(DASHBOARD).name}'s queries")
        return
    check_page(cluster)
    api = f"http://{cluster.placement.addresses['prometheus']}:9090/api/v1"

    def ask(query):
        page = get(f"{api}/query?" + urllib.parse.urlencode({"query": query}))
        return json.loads(page)["data"]["result"] if page else None

    wait_for("Prometheus reaches all", lambda: len(ask("up == 1") or []) == 4)
    # Rates need two scrapes.
    wait_for("Prometheus has scraped twice", lambda: ask("rate(usher_calls_total[1m])"))
    without = []
    for title, query in queries():
        result = ask(query)
        expect(result is not None, f"the dashboard's '{title}': Prometheus does not understand {query}")
        if not result:
            without.append(title)
    expect(set(without) <= {"Push latency", "Push latency, p99"} | MAY_BE_EMPTY, f"panels without data: {without}")
    rules = json.loads(get(f"{api}/rules"))["data"]["groups"]
    expect(sum(len(group["rules"]) for group in rules) >= 5, "the alarms are loaded")


def check_page(cluster):
    """promtool, which is beside Prometheus, finds no fault with an instance's page."""
    promtool = pathlib.Path(cluster.programs.paths["prometheus"]).with_name("promtool")
    page = get(f"http://{cluster.placement.addresses['usher-1']}:8444/metrics")
    found = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, timeout=20, check=False)
    expect(found.returncode == 0, f"promtool check metrics: {found.stdout}{found.stderr}")


# Panels that show nothing while nothing is wrong.
MAY_BE_EMPTY = {"Refusals a second, by reason"}
