#!/usr/bin/env python3
"""Lets clients that nobody here wrote talk to a server: a HELLO, a Join and a Check each, over TLS that they verify.

    talk.py USHER CLIENT        websockets, aiohttp, node or curl; prints what was done, and ends with 1 if anything is wrong
    talk.py --node              says whether there is a Node with a WebSocket; ends with 1 if not
"""

import asyncio
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import transports
from conversation import converse
from server import serving

CLIENTS = ("websockets", "aiohttp", "node", "curl")


async def talk(client, server):
    async with asyncio.timeout(90):
        async with getattr(transports, client)(server.port, server.certificate) as transport:
            done = await converse(transport, client)
        if client != "curl":
            return done
        keys = await transports.run_curl("--cacert", server.certificate, f"https://localhost:{server.port}/.well-known/jwks.json")
        keys = json.loads(keys)["keys"]
        assert keys and all(key["kty"] == "OKP" and "d" not in key for key in keys), keys
        health = await transports.run_curl("--fail", f"http://127.0.0.1:{server.admin_port}/healthz")
        return f"{done}; {len(keys)} public keys; health: {health.decode().strip()}"


def main(usher, client):
    with serving(usher, "--demo", "--journal", "memory", "--admin-listen", "127.0.0.1:0") as server:
        print(f"{client}: {asyncio.run(talk(client, server))}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--node"]:
        print(*transports.node_command())
        sys.exit()
    if len(sys.argv) != 3 or sys.argv[2] not in CLIENTS:
        sys.exit(__doc__)
    main(*sys.argv[1:])
