"""docker-compose.yml as processes on loopback: the same commands, settings, files and health checks, read from the same file.

    in a container                        as a process
    a service's name, `usher-1:8444`      its own loopback address, `127.0.0.2:8444`
    0.0.0.0                               the same address, or the one its ports are published at
    ./docs/deploy/x:/etc/x:ro             a copy of the file with the addresses put in
    a volume, usher-1:/var/lib/usher      a folder of that name
    HEALTHCHECK, healthcheck              the same command or URL

Every service has an address of its own, so that all may use the ports of their containers. A key of the file that nobody here
reads would be a difference that nobody notices; so it is refused.
"""

import json
import pathlib
import re
import shlex

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What a service may say. `build`, `sysctls` and `ports` concern containers only; of ports the address counts.
KEYS = {
    "image", "build", "command", "environment", "volumes", "ports", "depends_on", "ulimits", "sysctls", "healthcheck",
    "restart", "stop_grace_period", "stop_signal",
}


class ComposeError(Exception):
    """The file says what this reader does not know."""


class Service:
    """One service, with everything that tells how its process is run."""

    def __init__(self, name, said, image):
        unknown = set(said) - KEYS
        if unknown:
            raise ComposeError(f"docker-compose.yml: {name}: `make cluster` does not know {', '.join(sorted(unknown))}")
        self.name = name
        self.image = said["image"]
        self.command = image.entrypoint + words(said.get("command", image.command))
        self.environment = {**image.environment, **said.get("environment", {})}
        self.mounts = [mount(name, text) for text in said.get("volumes", [])]
        self.published = [published(name, text) for text in said.get("ports", [])]
        depends = said.get("depends_on", {})
        self.depends_on = list(depends)
        self.waits_for_health = [other for other in depends if isinstance(depends, dict)]
        self.healthcheck = words(said["healthcheck"]["test"])[1:] if "healthcheck" in said else image.healthcheck
        self.descriptors = said.get("ulimits", {}).get("nofile")
        self.grace = seconds(said.get("stop_grace_period", "10s"))
        self.stop_signal = said.get("stop_signal", "SIGTERM")
        self.restarts = said.get("restart") == "unless-stopped"


class Image:
    """What an image brings along: of our own, what the Dockerfile says."""

    def __init__(self, entrypoint=(), command=(), environment=None, healthcheck=()):
        self.entrypoint = list(entrypoint)
        self.command = list(command)
        self.environment = environment or {}
        self.healthcheck = list(healthcheck)


def dockerfile():
    """The last stage of the Dockerfile as an Image."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    stage = text[text.rindex("\nFROM ") :]

    def last(instruction):
        return json.loads(re.findall(rf"^{instruction}\b.*?(\[.*\])$", stage, re.MULTILINE)[-1])

    environment = {}
    for line in re.findall(r"^ENV (.*)$", stage, re.MULTILINE):
        environment.update(word.split("=", 1) for word in shlex.split(line))
    return Image(
        entrypoint=last("ENTRYPOINT"), command=last("CMD"), environment=environment, healthcheck=last("HEALTHCHECK"))


# What the images of others run; their own entry points put the program before the arguments, or find it there.
IMAGES = {
    "nats": Image(entrypoint=["nats-server"]),
    "haproxy": Image(),
    "prom/prometheus": Image(entrypoint=["prometheus"]),
    "grafana/grafana": Image(entrypoint=["grafana"]),
}


def services():
    """All services, each after those it depends on."""
    said = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    found = {}
    for name, service in said["services"].items():
        base = service["image"].split(":")[0]
        image = dockerfile() if "build" in service else IMAGES.get(base)
        if image is None:
            raise ComposeError(f"docker-compose.yml: {name}: `make cluster` does not know the image {base}")
        found[name] = Service(name, service, image)
    declared = set(said.get("volumes", {}))
    used = {source for service in found.values() for source, _, is_file in service.mounts if not is_file}
    if declared != used:
        raise ComposeError(f"docker-compose.yml: volumes declared and used differ: {sorted(declared ^ used)}")
    ordered = []

    def place(service):
        for other in service.depends_on:
            place(found[other])
        if service not in ordered:
            ordered.append(service)

    for service in found.values():
        place(service)
    return ordered


class Placement:
    """Where each service's process has its address, its folders and its files."""

    def __init__(self, services, addresses, folder):
        self.services = services
        self.addresses = addresses
        self.folder = folder
        names = "|".join(sorted(map(re.escape, addresses), key=len, reverse=True))
        self.name_pattern = re.compile(rf"(?<![\w.-])({names}):(?=\d)")

    def text(self, service, text):
        """A text of a service as its process has to read it."""
        text = text.replace("0.0.0.0", self.addresses[service.name])
        text = self.name_pattern.sub(lambda match: self.addresses[match[1]] + ":", text)
        places = {
            target: str(self.file(service, target) if is_file else self.folder / source)
            for source, target, is_file in service.mounts
        }
        if not places:
            return text
        # In one go, for what has been put in may look like another target.
        targets = "|".join(sorted(map(re.escape, places), key=len, reverse=True))
        return re.sub(rf"(?<![\w.-])({targets})(?![\w.-])", lambda match: places[match[1]], text)

    def file(self, service, target):
        return self.folder / "configuration" / service.name / pathlib.PurePosixPath(target).name

    def write_files(self, service):
        """The service's configuration, with addresses in the place of names, and its folders."""
        for source, target, is_file in service.mounts:
            if is_file:
                place = self.file(service, target)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(self.text(service, (ROOT / source).read_text()))
            else:
                (self.folder / source).mkdir(parents=True, exist_ok=True)

    def command(self, service):
        return [self.text(service, word) for word in service.command]

    def environment(self, service):
        return {name: self.text(service, str(value)) for name, value in service.environment.items()}

    def health(self, service):
        """The health check's words; an address of the container's own is that of the service."""
        own = self.addresses[service.name]
        return [self.text(service, word).replace("127.0.0.1:", own + ":") for word in service.healthcheck]

    def ports(self, service):
        """The ports at which the service will listen, by all that its command, environment and files say."""
        texts = [*service.command, *(str(value) for value in service.environment.values())]
        texts += [(ROOT / source).read_text() for source, _, is_file in service.mounts if is_file]
        return sorted({int(port) for text in texts for port in re.findall(r"0\.0\.0\.0:(\d+)", text)})


def mount(name, text):
    """A volume as (source, target, whether it is a file of the repository)."""
    source, target, *mode = text.split(":")
    is_file = source.startswith("./")
    if is_file and not ((ROOT / source).is_file() and mode == ["ro"]):
        raise ComposeError(f"docker-compose.yml: {name}: {source} is a file of the repository, read only, or a volume")
    return source, target, is_file


def published(name, text):
    address, outside, inside = text.split(":")
    if outside != inside:
        raise ComposeError(f"docker-compose.yml: {name}: port {inside} is published as {outside}; let it be the same")
    return address, int(outside)


def words(command):
    return shlex.split(command) if isinstance(command, str) else [str(word) for word in command]


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text)[1])
