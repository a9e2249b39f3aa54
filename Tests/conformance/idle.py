"""What an idle connection costs a server: `idle.py USHER`.

A gate on bytes, not a measurement: OpenSSL gives its buffers back only if the server uses it so (docs/decisions/output.md), and a
change that makes it keep one for each connection doubles what a crowd needs, which no other test would see."""

import os
import re
import socket
import ssl
import sys

from server import serving

CONNECTIONS = 600
# A release build needs 14.3 KB; one buffer kept by OpenSSL makes it 30.
BYTES_MAX = 20_000
UPGRADE = (
    b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def connect(server, context):
    client = context.wrap_socket(socket.create_connection(("127.0.0.1", server.port)), server_hostname="localhost")
    client.sendall(UPGRADE)
    answer = client.recv(4096)
    if not answer.startswith(b"HTTP/1.1 101"):
        sys.exit(f"no upgrade: {answer}")
    return client


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024


def main(binary):
    with serving(binary, "--echo", "--loops", "1", "--admin-listen", "off") as server:
        context = ssl.create_default_context(cafile=server.certificate)
        # What is made once is made before.
        clients = [connect(server, context) for _ in range(100)]
        before = resident_bytes(server.pid)
        clients += [connect(server, context) for _ in range(CONNECTIONS)]
        each = (resident_bytes(server.pid) - before) // CONNECTIONS
        for client in clients:
            client.close()
    print(f"{each:,} bytes for each of {CONNECTIONS} idle connections, at most {BYTES_MAX:,} are allowed")
    return each <= BYTES_MAX


if __name__ == "__main__":
    sys.exit(not main(os.path.abspath(sys.argv[1])))
