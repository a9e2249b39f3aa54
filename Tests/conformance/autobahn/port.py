#!/usr/bin/env python3
"""Translates the cases of Autobahn|Testsuite from Python 2 to Python 3.

    port.py FOLDER      writes the package `autobahntestsuite` into FOLDER; the installed one stays as it is

Syntax is lib2to3's work. What remains is that Python 2's strings were octets. In the translation they are text of the
characters U+0000 to U+00FF, one for each octet; fuzzer.py turns them into bytes where they leave for the wire, and back.
So literals with other characters are spelt out as the octets of their UTF-8, and the few places below, where a case
computes with octets by itself, are changed by hand. A change whose place is not found stops the translation: it was
written for the version of the suite that requirements.txt pins.

Translated are the cases and the code that drives a client through them, not the suite's servers, reports and command line.
"""

import importlib.util
import lib2to3.refactor
import pathlib
import re
import shutil
import sys

MODULES = ["caseset.py", "fuzzing.py"]
PAGES = ["CSS_COMMON", "CSS_DETAIL_REPORT", "CSS_MASTER_REPORT", "JS_MASTER_REPORT"]  # what the second takes from report.py
UNUSED_CASES = {"case9_9_1.py"}  # in no list of cases, and needs what zope has removed

OCTETS = '''"""Octets as text of one character each."""
import binascii


def to_bytes(octets):
    return octets.encode("latin-1") if isinstance(octets, str) else bytes(octets)


def to_text(octets):
    return bytes(octets).decode("latin-1")


def b2a_hex(octets):
    return binascii.b2a_hex(to_bytes(octets)).decode("ascii")
'''

# file: what stands there after lib2to3, what shall stand there
CHANGES = {
    "case/__init__.py": [("from .case9_9_1 import *\n", "")],
    "case/case.py": [
        # Pickles of equal values may differ: they tell which of their parts are one and the same object.
        ("return pickle.dumps(obj1) == pickle.dumps(obj2)", "return obj1 == obj2")
    ],
    "case/case6_x_x.py": [
        ("v.validate(vss[:i])", "v.validate(octets.to_bytes(vss[:i]))"),
        ("(object, Case, )", "(Case, )"),  # no order of these bases is possible any more
    ],
    "case/case7_7_X.py": [("(object, Case, )", "(Case, )")],
    "case/case7_9_X.py": [("(object, Case, )", "(Case, )")],
    "case/case9_7_X.py": [("(object, Case, )", "(Case, )")],
    "case/case10_1_1.py": [("len(self.payload) / self", "len(self.payload) // self")],
    "case/case12_x_x.py": [("(object, Case, )", "(Case, )")],
}


def translated(tool, path, name):
    source = path.read_text(encoding="utf-8")
    source = str(tool.refactor_string(source if source.endswith("\n") else source + "\n", str(path)))  # it looks for neighbours at the path
    for old, new in CHANGES.get(name, []):
        if old not in source:
            sys.exit(f"{name}: expected to find {old!r}")
        source = source.replace(old, new)
    if not name.startswith("case/"):
        return source
    source = re.sub(r"[^\x00-\x7f]", lambda found: "".join(f"\\x{octet:02x}" for octet in found[0].encode()), source)
    source = source.replace("binascii.b2a_hex", "octets.b2a_hex")
    if "octets." in source:
        source = re.sub(r"^(?=import |from )", "from autobahntestsuite import octets\n", source, count=1, flags=re.MULTILINE)
    return source


def main(folder):
    # Its __init__ would run, so the package is found without importing it.
    installed = pathlib.Path(importlib.util.find_spec("autobahntestsuite").origin).parent
    target = pathlib.Path(folder) / "autobahntestsuite"
    shutil.rmtree(target, ignore_errors=True)
    (target / "case").mkdir(parents=True)
    shutil.copytree(installed / "testdata", target / "testdata")

    fixers = lib2to3.refactor.get_fixers_from_package("lib2to3.fixes")
    tool = lib2to3.refactor.RefactoringTool(fixers)
    names = MODULES + [f"case/{path.name}" for path in sorted(installed.glob("case/*.py")) if path.name not in UNUSED_CASES]
    for name in names:
        (target / name).write_text(translated(tool, installed / name, name), encoding="utf-8")
    version = re.search(r'"([0-9.]+)"', (installed / "_version.py").read_text())[1]
    (target / "__init__.py").write_text(f'version = "{version}"\n')
    (target / "report.py").write_text(" = ".join(PAGES) + ' = ""\n')
    (target / "octets.py").write_text(OCTETS)
    print(f"{len(names)} modules of Autobahn|Testsuite {version} translated")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
