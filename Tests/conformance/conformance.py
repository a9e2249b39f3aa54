#!/usr/bin/env python3
"""Holds Usher's codec to protobuf's own.

    conformance.py generate FILE --seed N --count N   random messages and hostile bytes, with what protobuf makes of them
    conformance.py check FILE                         messages that another codec wrote, against what protobuf writes
    conformance.py vectors                            protocol/vectors/*.json

A FILE has one message a line, in tab-separated columns: type, bytes in hex, and

    generate: what protobuf writes for it, in hex, or REFUSED; what it says, as text
    check:    what it says, as text

The text of a message is {name:value,…} in ascending order of field number, names in camelCase, fields at their default
left out, strings and bytes in hex between quotes, enums and Booleans as numbers, repeated fields in brackets.

Needs the Python package `protobuf` and `protoc` in the PATH.
"""

import argparse
import hashlib
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message, message_factory
from google.protobuf.descriptor import FieldDescriptor as Field

PROTOCOL = pathlib.Path(__file__).resolve().parents[2] / "protocol"
PACKAGE = "usher.v1."


def message_classes():
    """Every message of protocol/usher/v1/*.proto, by its name."""
    protos = sorted(str(path.relative_to(PROTOCOL)) for path in PROTOCOL.glob("usher/v1/*.proto"))
    with tempfile.NamedTemporaryFile() as descriptors:
        subprocess.run(["protoc", f"-I{PROTOCOL}", f"--descriptor_set_out={descriptors.name}", *protos], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return {
        declared.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(PACKAGE + declared.name))
        for file in files.file
        for declared in file.message_type
    }


# What a message says


def camel_cased(name):
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def text(value):
    if isinstance(value, message.Message):
        fields = sorted(value.ListFields(), key=lambda pair: pair[0].number)
        return "{" + ",".join(f"{camel_cased(field.name)}:{field_text(field, held)}" for field, held in fields) + "}"
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return f"'{value.hex()}'"
    return str(int(value))


def field_text(field, value):
    if field.is_repeated:
        return "[" + ",".join(text(element) for element in value) + "]"
    return text(value)


# Random messages

EDGES = [0, 1, 127, 128, 2**14 - 1, 2**14, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1]
PIECES = ["", "a", "Seat 7", "é", "漢字", "🎻", "\0", "\x7f\x80", "\uffff\U0010ffff", "~/.-_"]


def random_number(dice, bits):
    number = dice.choice(EDGES) if dice.random() < 0.3 else dice.getrandbits(64) >> dice.randrange(64)
    return number & (2**bits - 1)


def random_scalar(dice, field):
    if field.type in (Field.TYPE_UINT64, Field.TYPE_FIXED64):
        return random_number(dice, 64)
    if field.type == Field.TYPE_UINT32:
        return random_number(dice, 32)
    if field.type == Field.TYPE_BOOL:
        return dice.random() < 0.5
    if field.type == Field.TYPE_ENUM:
        if dice.random() < 0.8:
            return dice.choice(field.enum_type.values).number
        return random_number(dice, 32) - 2**31
    if field.type == Field.TYPE_STRING:
        return "".join(dice.choice(PIECES) for _ in range(dice.randrange(6)))
    if field.type == Field.TYPE_BYTES:
        return dice.randbytes(dice.choice([0, 1, 9, 127, 128, 300]))
    raise TypeError(f"no random value for {field.full_name}")


def fill(dice, target):
    """Sets about two thirds of the fields; of a oneof the last one set remains."""
    for field in target.DESCRIPTOR.fields:
        if dice.random() < 1 / 3:
            continue
        if field.type == Field.TYPE_MESSAGE:
            if field.is_repeated:
                for _ in range(dice.randrange(1, 4)):
                    fill(dice, getattr(target, field.name).add())
            else:
                nested = getattr(target, field.name)
                nested.SetInParent()
                fill(dice, nested)
        elif field.is_repeated:
            getattr(target, field.name).extend(random_scalar(dice, field) for _ in range(dice.randrange(1, 6)))
        else:
            setattr(target, field.name, random_scalar(dice, field))


def varint(number):
    groups = []
    while number >= 0x80:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(groups + [number])


def damaged(dice, data):
    """The bytes with a few of the things done to them that a decoder must survive."""
    data = bytearray(data)
    for _ in range(dice.choice([1, 1, 1, 2])):
        at = dice.randrange(len(data) + 1)
        what = dice.randrange(7)
        if what == 0 and data:
            data[at % len(data)] = dice.randrange(256)
        elif what == 1:
            del data[at:]
        elif what == 2:
            data[at:at] = dice.randbytes(dice.randrange(1, 5))
        elif what == 3 and data:
            data[at % len(data)] ^= 1 << dice.randrange(8)
        elif what == 4:
            data[at:at] = varint(dice.choice(EDGES))
        elif what == 5:  # a group, perhaps deep, perhaps not closed
            number, depth = dice.randrange(1, 2000), dice.choice([1, 2, 99, 100, 101])
            closed = depth if dice.random() < 0.8 else depth - 1
            data[at:at] = varint(number << 3 | 3) * depth + varint(number << 3 | 4) * closed
        else:  # a varint as long as may be, or longer
            data[at:at] = b"\x80" * dice.randrange(1, 12) + b"\0"
    return bytes(data)


def read_varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return number & (2**64 - 1), at


def has_field_zero(data, kind):
    """Whether a field of number 0 stands anywhere in `data`, which protobuf has read as a message of type `kind`.

    The number is illegal, and protobuf's C++ refuses it everywhere. Its C library, which Python uses, lets it pass in
    unknown groups and in messages that declare no field.
    """
    at = open_groups = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            return True
        if wire_type == 0:
            _, at = read_varint(data, at)
        elif wire_type in (1, 5):
            at += 8 if wire_type == 1 else 4
        elif wire_type == 2:
            size, at = read_varint(data, at)
            field = kind.fields_by_number.get(number)
            if field and not open_groups and field.message_type and has_field_zero(data[at : at + size], field.message_type):
                return True
            at += size
        else:  # what a group holds is unknown, whatever its number
            open_groups += 1 if wire_type == 3 else -1
    return False


def verdict(kind, data):
    """What protobuf makes of `data`: the canonical bytes in hex and the text, or REFUSED and nothing."""
    decoded = kind()
    try:
        decoded.ParseFromString(data)
    except message.DecodeError:
        return "REFUSED", ""
    if has_field_zero(data, kind.DESCRIPTOR):
        return "REFUSED", ""
    decoded.DiscardUnknownFields()
    return decoded.SerializeToString(deterministic=True).hex(), text(decoded)


def generate(arguments):
    dice = random.Random(arguments.seed)
    classes = message_classes()
    names = sorted(classes)
    with open(arguments.file, "w", encoding="ascii") as file:
        for index in range(arguments.count):
            name = names[index % len(names)]
            value = classes[name]()
            fill(dice, value)
            data = value.SerializeToString(deterministic=True)
            if index // len(names) % 2:
                data = damaged(dice, data)
            print(name, data.hex(), *verdict(classes[name], data), sep="\t", file=file)


def check(arguments):
    classes = message_classes()
    failures = checked = 0
    with open(arguments.file, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            name, data, said = line.rstrip("\n").split("\t")
            checked += 1
            expected = verdict(classes[name], bytes.fromhex(data))
            if expected != (data, said):
                failures += 1
                print(f"line {number}, {name}:\n  theirs {data} {said}\n  ours   {' '.join(expected)}", file=sys.stderr)
    if not checked:
        sys.exit("nothing to check")
    if failures:
        sys.exit(f"{failures} of {checked} messages differ")
    print(f"{checked} messages agree")


# The draw


def stream(seed):
    """The numbers that drive the shuffle: of SHA-256(seed, counter), eight from each."""
    for counter in itertools.count():
        digest = hashlib.sha256(seed + counter.to_bytes(8, "big")).digest()
        yield from (int.from_bytes(digest[at : at + 4], "big") for at in range(0, 32, 4))


def draw(seed, count):
    """The place of each join number, as protocol/README.md describes it."""
    numbers = stream(seed)
    order = list(range(1, count + 1))
    for i in range(count, 1, -1):
        r = next(number for number in numbers if number < 2**32 - 2**32 % i) % i
        order[i - 1], order[r] = order[r], order[i - 1]
    return [order.index(join_number) + 1 for join_number in range(1, count + 1)]


# Golden vectors


def vectors(_):
    classes = message_classes()
    checked = 0

    def parsed(vector):
        return json_format.ParseDict(vector["meaning"], classes[vector["type"]]())

    def expect(condition, file, name):
        nonlocal checked
        checked += 1
        if not condition:
            sys.exit(f"protocol/vectors/{file}: {name}")

    def load(file):
        return json.loads((PROTOCOL / "vectors" / file).read_text())["vectors"]

    for vector in load("messages.json"):
        data = bytes.fromhex(vector["hex"])
        expect(parsed(vector).SerializeToString(deterministic=True) == data, "messages.json", vector["name"])
        expect(classes[vector["type"]].FromString(data) == parsed(vector), "messages.json", vector["name"])
    for vector in load("tolerated.json"):
        canonical, said = verdict(classes[vector["type"]], bytes.fromhex(vector["hex"]))
        expect(canonical == vector["canonical"], "tolerated.json", vector["name"])
        expect(said == text(parsed(vector)), "tolerated.json", vector["name"])
    for vector in load("malformed.json"):
        expect(verdict(classes[vector["type"]], bytes.fromhex(vector["hex"]))[0] == "REFUSED", "malformed.json", vector["name"])
    for vector in load("frames.json"):
        rest = bytes.fromhex(vector["hex"])
        for frame in vector.get("frames", []):
            kind, flags, size, call = rest[0] >> 3, rest[0] & 7, int.from_bytes(rest[1:5], "big"), int.from_bytes(rest[5:9], "big")
            body, rest = rest[9 : 9 + size], rest[9 + size :]
            expect((kind, flags, call) == (frame["kind"], frame["flags"], frame["call"]), "frames.json", vector["name"])
            if "type" in frame:
                expect(parsed(frame).SerializeToString(deterministic=True) == body, "frames.json", vector["name"])
        if "error" not in vector:
            expect(not rest and vector["frames"], "frames.json", vector["name"])
    for vector in load("draw.json"):
        seed = bytes.fromhex(vector["seed"])
        expect(hashlib.sha256(seed).hexdigest() == vector["commitment"], "draw.json", vector["name"])
        expect(draw(seed, vector["count"]) == vector["places"], "draw.json", vector["name"])
    print(f"{checked} facts hold")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("generate")
    command.add_argument("file")
    command.add_argument("--seed", type=int, required=True)
    command.add_argument("--count", type=int, required=True)
    command.set_defaults(run=generate)
    command = commands.add_parser("check")
    command.add_argument("file")
    command.set_defaults(run=check)
    command = commands.add_parser("vectors")
    command.set_defaults(run=vectors)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
