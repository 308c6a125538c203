#!/usr/bin/env python3
"""
A whole prefecture, from files to a linked register on SQLite: seconds and peak memory of every stage.

    ./dev bench prefecture [--persons N] [--seed S] [--keep]

Without --persons 3.8 million residents, eleven feeds of each county. Files and register stand in
build/bench-prefecture and are removed afterwards unless --keep is given; about 20 GB of disk are needed. Files that an earlier
run kept are taken again when they are of the same size and seed. Exit 1 when a limit is passed at full size.
"""
import argparse
import json
import os
import pathlib
import shutil
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDRED = os.environ.get("KINDRED", str(ROOT / "build/kindred"))
FOLDER = ROOT / "build/bench-prefecture"
FEEDS, FEEDS_ASKED, REGISTER = FOLDER / "feeds", FOLDER / "feeds.json", FOLDER / "register"
DIVISION = "6108"
RESIDENTS = 3_800_000
SIMULATE_SECONDS_MAX = 180
REGISTER_SECONDS_MAX, REGISTER_BYTES_MAX = 15 * 60, 12 << 30


def run(*arguments):
    """What the program answers, its seconds and its peak resident bytes."""
    answer = FOLDER / "answer.json"
    start = time.monotonic()
    with open(answer, "wb") as out:
        child = os.posix_spawn(KINDRED, [KINDRED, *map(str, arguments), "--json"], os.environ,
                               file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)])
        _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - start
    if status != 0:
        sys.exit(f"failed: kindred {' '.join(map(str, arguments))}\n{answer.read_text(encoding='utf-8')[:2000]}")
    return json.loads(answer.read_bytes()), seconds, usage.ru_maxrss * 1024


def row(name, seconds, memory=None, note=""):
    print(f"{name:<28} {seconds:>9.1f} s {'' if memory is None else f'{memory / (1 << 30):>8.2f} GB':>11}  {note}".rstrip(),
          flush=True)


def size_of(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def make_feeds(persons, seed):
    """The departments' files, made or kept from before; the seconds it took to make them."""
    asked = json.dumps({"persons": persons, "seed": seed})
    if FEEDS_ASKED.is_file() and FEEDS_ASKED.read_text(encoding="utf-8") == asked:
        print(f"{'simulate':<28} files of an earlier run")
        return 0.0
    shutil.rmtree(FEEDS, ignore_errors=True)
    made, seconds, memory = run("simulate", "--division", DIVISION, "--persons", persons, "--errors", "hard", "--seed", seed,
                                "--out", FEEDS)
    row("simulate", seconds, memory, f"{made['residents']:,} residents, {made['rows']:,} rows, {made['files']:,} files, "
                                     f"{made['bytes'] / 1e9:.2f} GB")
    FEEDS_ASKED.write_text(asked, encoding="utf-8")
    return seconds


def measure(options):
    simulate_seconds = make_feeds(options.persons or RESIDENTS, options.seed)
    shutil.rmtree(REGISTER, ignore_errors=True)
    run("init", REGISTER)
    imported, import_seconds, import_memory = run("import", "--register", REGISTER, FEEDS / "manifest.yaml")
    row("import", import_seconds, import_memory, f"{imported['records']:,} records, "
                                                 f"{imported['records'] / import_seconds:,.0f} a second")
    linked, link_seconds, link_memory = run("link", "--register", REGISTER)
    row("link", link_seconds, link_memory, f"{linked['persons']:,} persons, {linked['compared']:,} pairs compared")
    for stage, seconds in linked["stages"].items():
        row(f"  {stage}", seconds)
    peak, seconds = max(import_memory, link_memory), import_seconds + link_seconds
    row("files to linked register", seconds, peak, f"database {size_of(REGISTER) / 1e9:.2f} GB with its archive")
    measured, truth_seconds, _ = run("link", "--register", REGISTER, "--truth", FEEDS / "truth.csv")
    row("measured against truth", truth_seconds, None,
        f"precision {measured['precision']:.5f}, recall {measured['recall']:.5f}, F1 {measured['f1']:.5f}")
    return simulate_seconds, seconds, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(f"{os.cpu_count()} cores\n{'stage':<28} {'time':>11} {'peak':>11}")
    try:
        simulate_seconds, seconds, peak = measure(options)
    finally:
        if not options.keep:
            shutil.rmtree(FOLDER, ignore_errors=True)
    if options.persons:
        return 0
    is_within = (simulate_seconds <= SIMULATE_SECONDS_MAX and seconds <= REGISTER_SECONDS_MAX
                 and peak <= REGISTER_BYTES_MAX)
    print(f"limits: simulate {SIMULATE_SECONDS_MAX} s, register {REGISTER_SECONDS_MAX} s and "
          f"{REGISTER_BYTES_MAX >> 30} GB: {'kept' if is_within else 'PASSED'}")
    return 0 if is_within else 1


sys.exit(main())
