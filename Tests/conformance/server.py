"""An Usher server of its own for a script: `usher serve` on a free port, with its data in a folder that goes with it."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import time


class Server:
    """Where it listens, what to trust it by, and its process."""

    def __init__(self, data, note, pid):
        self.pid = pid
        self.port = note["port"]
        self.admin_port = note["adminPort"]  # 0: none
        self.certificate = data / "certificate.pem"


@contextlib.contextmanager
def serving(binary, *arguments):
    """Runs `binary serve arguments…` and yields the Server once it serves; it has ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="usher-conformance-") as folder:
        folder = pathlib.Path(folder)
        said = folder / "said.txt"
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--data", folder / "data", "--drain-time", "0", *arguments]
        # A variable USHER_… is a setting to the server, and must be one.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("USHER_")}
        with said.open("wb") as output:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield Server(folder / "data", note_of(process, folder / "data" / "server.json", said), process.pid)
            if process.poll() is not None:
                raise RuntimeError(f"the server has ended by itself: {said.read_text()}")
        finally:
            process.terminate()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def note_of(process, note, said):
    """The note that a server leaves in its data folder once it serves."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(note.read_text())
        time.sleep(0.02)
    raise RuntimeError(f"the server does not serve: {said.read_text()}")
