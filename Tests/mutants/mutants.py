#!/usr/bin/env python3
"""Proves that the simulation's checkers can see: each patch here breaks one promise, and each must be found.

    Tests/mutants/mutants.py [NAME ...]      all, or those named; make mutants

The tree is copied to .build-mutants/tree (never is the product itself changed), each patch is applied there in turn, and worlds
are lived through, from seed 1 on, until one breaks a promise. A mutant that nobody finds within the limit in its patch
fails the run. Prints a table, and with --markdown one for docs/simulation.md.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCRATCH = ROOT / ".build-mutants"
TREE = SCRATCH / "tree"
RUNNER = TREE / "Tests" / "mutants" / "runner"
# Building takes no longer than that, even on a busy machine; a mutant may also hang.
BUILD_SECONDS = 1_800
RUN_SECONDS = 600


def copy_tree():
    """Copies what git knows, as it stands, with its times, so that a second run builds little."""
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    # The manifest names folders of tests, too; they have to be there, though nothing of them is built.
    wanted = {name for name in names if name == "Package.swift" or name.startswith(("Sources/", "Tests/"))}
    for path in sorted(TREE.rglob("*")) if TREE.exists() else []:
        name = str(path.relative_to(TREE))
        if path.is_file() and name not in wanted and ".build" not in name and path.name != "Package.resolved":
            path.unlink()
    for name in sorted(wanted):
        source, target = ROOT / name, TREE / name
        if not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copyfile(source, target)


def build():
    return subprocess.run(
        ["swift", "build", "--package-path", str(RUNNER), "--scratch-path", str(SCRATCH / "build")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=BUILD_SECONDS)


def live(limit):
    """(found by, seeds needed, what): found by is empty if nothing was found within the limit."""
    program = SCRATCH / "build" / "debug" / "mutant-runner"
    try:
        run = subprocess.run(
            [str(program), "1", str(limit)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        return "", limit, "no end in sight"
    if run.returncode < 0:
        return "a trap", 0, f"signal {-run.returncode}"
    checker, seeds, what = (run.stdout.strip() + "\t\t").split("\t")[:3]
    return ("" if run.returncode else checker), int(seeds or 0), what


def apply(patch):
    """Patches name the lines they replace, without any around them: edits nearby are none of their business."""
    environment = dict(os.environ, GIT_CEILING_DIRECTORIES=str(SCRATCH))
    subprocess.run(["git", "apply", "--unidiff-zero", str(patch)], cwd=TREE, env=environment, check=True)


def main():
    names = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    patches = [patch for patch in sorted(HERE.glob("*.patch")) if not names or patch.stem in names]
    if not patches:
        sys.exit(f"no such mutant; there are {', '.join(sorted(patch.stem for patch in HERE.glob('*.patch')))}")
    copy_tree()
    print("building the copy without a mutant", flush=True)
    built = build()
    if built.returncode:
        sys.exit(built.stdout)
    # Whatever is found in the product itself would be taken for each mutant.
    checker, seeds, what = live(200)
    if checker:
        sys.exit(f"the product itself breaks a promise, seed {seeds}: {checker}: {what}")

    rows, survivors = [], []
    for patch in patches:
        text = patch.read_text()
        why = text.split("\n")[0]
        limit = int(re.search(r"^Limit: (\d+) seeds\.$", text, re.MULTILINE).group(1))
        start = time.monotonic()
        apply(patch)
        try:
            built = build()
            if built.returncode:
                print(built.stdout)
            checker, seeds, what = live(limit) if not built.returncode else ("", 0, "does not build")
        finally:
            copy_tree()
        if not checker:
            survivors.append(patch.stem)
        rows.append((patch.stem, why, checker or "NOBODY", seeds, limit))
        print(f"{patch.stem:<28} {checker or 'NOT FOUND':<12} {seeds:>5} of {limit:<6} {time.monotonic() - start:4.0f} s  {what[:90]}",
              flush=True)
    if "--markdown" in sys.argv:
        print("\n| mutant | what is broken | found by | seeds needed | limit |\n|---|---|---|---|---|")
        for name, why, checker, seeds, limit in rows:
            print(f"| [{name}](../Tests/mutants/{name}.patch) | {why} | {checker} | {seeds} | {limit} |")
    print(f"{len(rows) - len(survivors)} of {len(rows)} mutants found")
    if survivors:
        sys.exit(f"nobody sees {', '.join(survivors)}")


main()
