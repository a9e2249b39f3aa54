"""The protocol as a stranger would write it from protocol/ alone: frames, and a first conversation over any transport.

Messages are protobuf's own, from the `.proto` files; nothing of Usher's code is used. A transport has two coroutines:
`send(message)` and `receive()`, both of whole binary WebSocket messages.
"""

import pathlib
import struct
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from conformance import message_classes

HELLO, WELCOME, OPEN, MESSAGE, CLOSE, PING, PONG = 1, 2, 3, 4, 5, 8, 9
END = 2
ACTIVE = 2  # TokenState
HEADER = struct.Struct(">BII")

Types = message_classes()


def frame(kind, call, body):
    body = body.SerializeToString()
    return HEADER.pack(kind << 3, len(body), call) + body


def frames(message):
    """What a WebSocket message holds: kind, flags, call id and body of each frame."""
    while message:
        head, size, call = HEADER.unpack_from(message)
        body, message = message[HEADER.size : HEADER.size + size], message[HEADER.size + size :]
        assert len(body) == size, "a frame that ends past its message"
        yield head >> 3, head & 7, call, body


class Conversation:
    def __init__(self, transport):
        self.transport = transport
        self.waiting = []
        self.calls = 0

    async def next(self):
        """The next frame that is no ping; pings are answered."""
        while True:
            while not self.waiting:
                self.waiting = list(frames(await self.transport.receive()))
            kind, flags, call, body = self.waiting.pop(0)
            if kind != PING:
                return kind, flags, call, body
            await self.transport.send(HEADER.pack(PONG << 3, len(body), 0) + body)

    async def hello(self, name, user):
        hello = Types["Hello"](client_name=name, user=user)
        await self.transport.send(frame(HELLO, 0, hello))
        kind, _, call, body = await self.next()
        assert (kind, call) == (WELCOME, 0), f"not WELCOME but {kind} for {call}"
        return Types["Welcome"].FromString(body)

    async def open(self, method, request, **options):
        self.calls += 1
        call = Types["Open"](method=f"/usher.v1.{method}", request=request.SerializeToString(), timeout_ms=30_000, **options)
        await self.transport.send(frame(OPEN, self.calls, call))
        return self.calls

    async def answer(self, to):
        """The CLOSE of a unary call."""
        kind, flags, call, body = await self.next()
        assert (kind, flags, call) == (CLOSE, END, to), f"not CLOSE of {to} but {kind} with {flags} for {call}"
        return Types["Close"].FromString(body)


def new_uuid():
    number = uuid.uuid4().int
    return Types["Uuid"](high=number >> 64, low=number & (2**64 - 1))


async def converse(transport, name, concert="aurora"):
    """HELLO; a Check that finds no place; Join; a Check that finds it. Returns a sentence on how it went."""
    conversation = Conversation(transport)
    user = new_uuid()
    welcome = await conversation.hello(name, user)
    assert welcome.user == user and welcome.development and welcome.limits.frame_bytes > 0, welcome

    check = Types["CheckRequest"](concert=concert)
    refused = await conversation.answer(await conversation.open("Line/Check", check))
    assert refused.reason == "UNKNOWN_TOKEN", refused

    join = await conversation.open("Line/Join", Types["JoinRequest"](concert=concert), request_id=new_uuid(), credit=8)
    kind, _, call, body = await conversation.next()
    assert (kind, call) == (MESSAGE, join), f"not MESSAGE of {join} but {kind} for {call}: {body}"
    joined = Types["LineUpdate"].FromString(Types["Message"].FromString(body).payload)
    assert joined.state == ACTIVE and joined.queue_token and joined.concert == concert, joined

    # The stream may say more in the meantime.
    check_call = await conversation.open("Line/Check", check)
    kind, _, call, body = await conversation.next()
    while (kind, call) == (MESSAGE, join):
        kind, _, call, body = await conversation.next()
    answer = Types["Close"].FromString(body)
    assert (kind, call, answer.code) == (CLOSE, check_call, 0), answer
    found = Types["LineUpdate"].FromString(answer.payload)
    # The token is another text when another second has begun.
    assert (found.state, found.place, found.join_number) == (joined.state, joined.place, joined.join_number), found
    # The connection is bound to the place since Join: its token need not be told again.
    assert not found.queue_token and found.pass_expires_ms, found
    return f"HELLO, Join and Check: place {found.place}, active"
