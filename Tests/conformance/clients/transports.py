"""Clients that nobody here wrote, each as a transport for conversation.py: a context manager that connects to a server,
trusting the certificate in a file, and closes with 1000."""

import asyncio
import base64
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import ssl
import struct
import subprocess
import sys

SUBPROTOCOL = "usher.v1"


def trusting(certificate):
    return ssl.create_default_context(cafile=certificate)


@contextlib.asynccontextmanager
async def websockets(port, certificate):
    from websockets.asyncio.client import connect

    class Transport:
        async def send(self, message):
            await socket.send(message)

        async def receive(self):
            message = await socket.recv()
            assert isinstance(message, bytes), "a text message"
            return message

    async with connect(f"wss://localhost:{port}/v1", subprotocols=[SUBPROTOCOL], ssl=trusting(certificate)) as socket:
        assert socket.subprotocol == SUBPROTOCOL
        yield Transport()
    assert socket.close_code == 1000, socket.close_code


@contextlib.asynccontextmanager
async def aiohttp(port, certificate):
    import aiohttp as library

    class Transport:
        async def send(self, message):
            await socket.send_bytes(message)

        async def receive(self):
            return await socket.receive_bytes()

    async with library.ClientSession() as session:
        # 15: offers permessage-deflate.
        options = {"protocols": [SUBPROTOCOL], "ssl": trusting(certificate), "compress": 15}
        async with session.ws_connect(f"wss://localhost:{port}/v1", **options) as socket:
            assert socket.protocol == SUBPROTOCOL
            yield Transport()
    assert socket.close_code == 1000, socket.close_code


def node_command():
    """Node with its WebSocket: built in from 22 on, behind a flag in 20.10 and 21. Ends the script where there is none."""
    node = shutil.which("node")
    if not node:
        sys.exit("there is no node")
    for flags in ([], ["--experimental-websocket"]):
        command = [node, *flags, "-e", "process.exit(globalThis.WebSocket ? 0 : 1)"]
        if subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0:
            return [node, *flags]
    version = subprocess.run([node, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout.strip()
    sys.exit(f"node {version} has no WebSocket")


@contextlib.asynccontextmanager
async def node(port, certificate):
    command = [*node_command(), "--no-warnings", str(pathlib.Path(__file__).with_name("node.mjs"))]
    process = await asyncio.create_subprocess_exec(
        *command, f"wss://localhost:{port}/v1", SUBPROTOCOL, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate)}, limit=1 << 20,
    )  # fmt: skip

    class Transport:
        async def send(self, message):
            process.stdin.write(message.hex().encode() + b"\n")
            await process.stdin.drain()

        async def receive(self):
            line = await process.stdout.readline()
            assert line, (await process.stderr.read()).decode()
            return bytes.fromhex(line.decode())

    try:
        yield Transport()
        process.stdin.close()
        said = (await process.stderr.read()).decode()
        assert await process.wait() == 0, said
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


# curl


async def run_curl(*arguments):
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--show-error", "--max-time", "60", *map(str, arguments),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output


@contextlib.asynccontextmanager
async def curl(port, certificate):
    """curl does the TLS, the upgrade and the bytes; it has no WebSocket in Debian 12, so frames are made here.

    `--upload-file .` sends what comes on standard input, when it comes, as the request's body. With the headers that would speak of a
    body taken off, those bytes are what follows the head; and what follows the server's 101 comes out as it is. Input and
    output take turns only without a time limit and with a progress meter, by which curl notices that there is input; and
    stdbuf is needed since curl keeps the head to itself until a body comes.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    headers = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    headers += [f"Sec-WebSocket-Protocol: {SUBPROTOCOL}", "Transfer-Encoding:", "Expect:"]
    process = await asyncio.create_subprocess_exec(
        "stdbuf", "--output=0", "curl", "--include", "--http1.1",
        "--cacert", str(certificate), "--request", "GET", "--upload-file", ".",
        *(part for header in headers for part in ("--header", header)), f"https://localhost:{port}/v1",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip

    def write(opcode, payload):
        """One masked frame, RFC 6455 section 5.2."""
        assert len(payload) < 1 << 16
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        mask = os.urandom(4)
        masked = bytes(octet ^ mask[index % 4] for index, octet in enumerate(payload))
        process.stdin.write(bytes([0x80 | opcode]) + size + mask + masked)

    async def read():
        """One whole, unmasked frame."""
        first, size = await process.stdout.readexactly(2)
        if size >= 126:
            extended = await process.stdout.readexactly(2 if size == 126 else 8)
            size = int.from_bytes(extended, "big")
        return first, await process.stdout.readexactly(size)

    class Transport:
        async def send(self, message):
            write(2, message)
            await process.stdin.drain()

        async def receive(self):
            first, payload = await read()
            assert first == 0x82, f"no binary message but {first:#x}: {payload}"
            return payload

    try:
        head = (await process.stdout.readuntil(b"\r\n\r\n")).decode()
        accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
        assert head.startswith("HTTP/1.1 101 "), head
        fields = {name.lower(): value for name, value in re.findall(r"(?m)^([\w-]+): *(.*?)\r$", head)}
        assert fields["sec-websocket-accept"] == accept and fields["sec-websocket-protocol"] == SUBPROTOCOL, head
        yield Transport()
        write(8, struct.pack(">H", 1000))
        await process.stdin.drain()
        while (frame := await read())[0] != 0x88:  # what the server sent before it saw the close
            pass
        assert frame[1][:2] == struct.pack(">H", 1000), frame
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        raise AssertionError(f"curl has ended: {(await process.stderr.read()).decode()}") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
