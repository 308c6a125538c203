"""Linkage quality and speed on public labelled sets, beside what Splink reaches on the same files.

    ./dev bench match [--data DIR] [--runs N] [SET…]

Each set has a model in models/. The labels are only looked at afterwards: no cut is chosen with them, while Splink's
figures are those of the best cut that the labels give (Splink 5.0.0.dev4 on DuckDB 1.5.6, 2 cores). F1 is over pairs of
records in one cluster. The sets are not shipped, for their licences differ; without them this says so and fails.
Exit code 1 when a set is wanting or falls under the least F1 that it must reach.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared/data/linkage"

# name: model, files, least F1, Splink's F1 of clusters (None: not measured)
SETS = {
    "febrl1": ("febrl1", ["febrl1.csv"], 0.99, 0.9990),
    "febrl2": ("febrl2", ["febrl2.csv"], 0.99, 0.9992),
    "febrl3": ("febrl3", ["febrl3.csv"], 0.99, 0.9976),
    "febrl4": ("febrl4", ["febrl4a.csv", "febrl4b.csv"], 0.995, 0.9988),
    "historical_50k": ("historical_50k", ["historical_50k.csv.gz"], 0.83, 0.828),
    "fake_1000": ("fake_1000", ["fake_1000.csv"], 0.9, 0.585),
    "rldata500": ("rldata", ["RLdata500.csv"], 0.95, None),
    "rldata10000": ("rldata", ["RLdata10000.csv"], 0.9, 0.733),
    "uganda5k": ("uganda5k", ["uganda5k.csv"], 0.99, None),
    "anonlink": ("anonlink", [f"anonlink_party{i}.csv" for i in range(1, 6)], 0.98, None),
    "foreigners110k": ("foreigners", ["foreigners110k.csv.gz"], 0.5, None),
}


def run(program, model, files):
    done = subprocess.run([program, "match", "--model", ROOT / f"models/{model}.yaml", *files, "--truth", "model", "--json"],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{model}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def median_run(program, model, files, runs):
    results = sorted((run(program, model, files) for _ in range(runs)), key=lambda result: result["seconds"])
    return results[len(results) // 2]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", help=", ".join(SETS))
    parser.add_argument("--data", type=pathlib.Path, default=DATA, help="folder of the labelled sets")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many")
    args = parser.parse_args()
    program = str(ROOT / os.environ.get("KINDRED", "build/kindred"))
    unknown = [name for name in args.sets if name not in SETS]
    if unknown:
        parser.error(f"no set is called {unknown[0]}")

    print(f"{'set':<16}{'records':>9}{'compared':>11}{'precision':>11}{'recall':>9}{'F1':>9}{'Splink F1':>11}"
          f"{'seconds':>9}{'compare s':>11}{'peak MB':>9}")
    wanting, low = [], []
    for name in args.sets or SETS:
        model, names, least, splink = SETS[name]
        files = [args.data / file for file in names]
        absent = [file for file in files if not file.exists()]
        if absent:
            wanting.append(name)
            print(f"{name:<16} SKIPPED: there is no {absent[0]}")
            continue
        result = median_run(program, model, files, args.runs)
        print(f"{name:<16}{result['records']:>9,}{result['compared']:>11,}{result['precision']:>11.5f}{result['recall']:>9.5f}"
              f"{result['f1']:>9.5f}{splink or '-':>11}{result['seconds']:>9.3f}{result['stages']['compare']:>11.3f}"
              f"{result['peak_memory_bytes'] / 1e6:>9.1f}")
        if result["f1"] < least:
            low.append(f"{name} has F1 {result['f1']:.5f}, at least {least} is expected")
    for text in low:
        print(text, file=sys.stderr)
    if wanting:
        print(f"not measured for want of data: {', '.join(wanting)} (--data DIR tells where it is)", file=sys.stderr)
    return 1 if low or wanting else 0


if __name__ == "__main__":
    sys.exit(main())
