#!/usr/bin/env python3
"""What a client may say in TLS itself once the handshake is over: `keys.py USHER`.

TLS 1.3 lets a client change its keys at any time, TLS 1.2 lets it ask for another handshake. Either costs the server and no
limit of calls sees it, so a connection ends at the 65th. tlslite-ng sends what a well-behaved library would not.
"""

import contextlib
import socket
import sys

from tlslite.api import HandshakeSettings, TLSConnection
from tlslite.constants import ContentType, KeyUpdateMessageType

from server import serving

REQUEST = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
ALERT_BYTES = 5 + 8 + 2 + 16  # header, explicit nonce, alert, tag: TLS 1.2 with AES-GCM


class Hello:
    """A ClientHello's first bytes, which is all that a server looks at to refuse it."""

    contentType = ContentType.handshake

    def write(self):
        return bytearray([1, 0, 0, 0])


class Recorder:
    """Stands before a connection's socket and keeps what is sent."""

    def __init__(self, real):
        self.real = real
        self.sent = bytearray()

    def send(self, data):
        self.sent += data
        return len(data)

    def __getattr__(self, name):
        return getattr(self.real, name)


def records(connection, version, count):
    """`count` messages of TLS itself, then a request, as they go over the wire."""
    recorder = connection.sock.socket = Recorder(connection.sock.socket)
    for _ in range(count):
        if version == (3, 4):
            for _ in connection.send_keyupdate_request(KeyUpdateMessageType.update_not_requested):
                pass
        else:
            for _ in connection._sendMsg(Hello()):
                pass
    connection.write(REQUEST)
    connection.sock.flush()
    return bytes(recorder.sent)


def attempt(server, version, count):
    """Sends them at once; what the server sends until it closes."""
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = version
    settings.cipherNames = ["aes128gcm"]
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
        connection = TLSConnection(link)
        connection.handshakeClientCert(settings=settings, serverName="localhost")
        heard = b""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            link.sendall(records(connection, version, count))
            while more := link.recv(65536):
                heard += more
        return len(heard)


def main(usher):
    failed = False
    with serving(usher, "--journal", "memory", "--admin-listen", "off", "--loops", "1") as server:
        for version, what, few, alerts in [((3, 4), "key updates", 64, 0), ((3, 3), "new handshakes", 32, 32)]:
            quiet, allowed, flooded = (attempt(server, version, count) for count in (0, few, 2_000))
            # Answered in full, each alert included; or ended before the answer.
            good = allowed == quiet + alerts * ALERT_BYTES and flooded < allowed
            failed = failed or not good
            print(f"{what}: none, {quiet} bytes of answer; {few}, {allowed}; 2,000 end the connection after {flooded}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
