"""Relays TCP connections that can be cut in the middle, where a test may not have networks of its own.

Lines on standard input, each answered by a line "done":

    link NAME LISTEN_PORT HOST PORT     what connects to 127.0.0.1:LISTEN_PORT is passed on to HOST:PORT
    cut NAME                            nothing passes: no byte, no end of a connection, no new connection gets through
    heal NAME                           what was held back goes on

Ends with its standard input, and all connections with it.
"""

import asyncio
import os
import sys


class Link:
    def __init__(self, host, port):
        self.host = host
        self.port = port
        self.whole = asyncio.Event()
        self.whole.set()

    async def accepted(self, reader, writer):
        try:
            await self.whole.wait()
            far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(self.pump(reader, far_writer), self.pump(far_reader, writer))

    async def pump(self, reader, writer):
        try:
            while data := await reader.read(65536):
                await self.whole.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        await self.whole.wait()
        writer.close()


async def main():
    links = {}
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode():
        match line.split():
            case ["link", name, listen, host, port]:
                links[name] = Link(host, int(port))
                await asyncio.start_server(links[name].accepted, "127.0.0.1", int(listen))
            case ["cut", name]:
                links[name].whole.clear()
            case ["heal", name]:
                links[name].whole.set()
        print("done", flush=True)
    os._exit(0)


asyncio.run(main())
