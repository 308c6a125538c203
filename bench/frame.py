"""CSV to typed columns: Kindred beside DuckDB, on the same file, threads and types.

    ./dev bench frame [--rows N] [--runs N] [--file F.csv] [--threads N]

Both read the file from the page cache into columns in memory, in processes of their own, taking turns. DuckDB is told
the types that Kindred recognised, so that neither gains by a simpler result. Before a time counts, the results must
agree: rows, and for each column the values that are there and a sum over them. The second table is Kindred alone on
the same rows in other encodings.
"""
import argparse
import json
import os
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SQL_TYPES = {"text": "VARCHAR", "dict": "VARCHAR", "int64": "BIGINT", "float64": "DOUBLE", "date": "DATE", "bool": "BOOLEAN"}


def make_file(path, rows, seed=20261123):
    """Invented people: names, numbers, days, amounts, addresses with commas, quotes and line ends in them."""
    rng = random.Random(seed)
    surnames = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗"
    given = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚梅鑫宇博晨欣怡"
    towns = ["榆阳区金鸡滩镇", "神木市大柳塔镇", "府谷县府谷镇", "横山区波罗镇", "靖边县张家畔镇", "绥德县名州镇"]
    days = [f"{y}-{m:02d}-{d:02d}" for y in range(1940, 2027) for m in range(1, 13) for d in range(1, 29)]
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write("id,name,number,sex,born,town,address,amount,weight,phone,is_local,note\n")
        lines = []
        for i in range(rows):
            name = rng.choice(surnames) + rng.choice(given) + (rng.choice(given) if i % 3 else "")
            born = rng.choice(days)
            town = rng.choice(towns)
            kind = rng.random()
            address = f"{town}人民路{rng.randrange(900)}号"
            if kind < 0.3:
                address = f'"{address}, {rng.randrange(30)}单元"'
            elif kind < 0.35:
                address = f'"{address} ""小李超市"" 旁"'
            elif kind < 0.36:
                address = f'"{address}\n二楼"'
            phone = "" if i % 7 == 0 else str(13000000000 + rng.randrange(999999999))
            number = f"6127{rng.randrange(100):02d}{born[:4]}{born[5:7]}{born[8:]}{rng.randrange(1000):03d}{rng.choice('0123456789X')}"
            lines.append(
                f"{i + 1},{name},{number},{'男' if i % 2 else '女'},{born},{town},{address},"
                f"{rng.randrange(5000000) / 100:.2f},{rng.gauss(60, 12):.1f},{phone},"
                f"{'true' if kind < 0.9 else 'false'},{'' if i % 5 else '已核对'}\n")
            if len(lines) == 20000:
                out.write("".join(lines))
                lines = []
        out.write("".join(lines))


def run_kindred(program, path, threads):
    done = subprocess.run([program, path], env={**os.environ, "KINDRED_THREADS": str(threads)}, check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)


def duckdb_worker(path, threads, columns):
    """Runs in a process of its own, so that its memory is its own."""
    import duckdb
    base = duckdb.connect()
    base.execute(f"SET threads = {threads}")
    base.execute("SET preserve_insertion_order = true")
    types = "{" + ", ".join(f"'{c['name']}': '{SQL_TYPES[c['type']]}'" for c in columns) + "}"
    start = time.perf_counter()
    base.execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{path}', header = true, columns = {types})")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found = []
    for c in columns:
        name, kind = f'"{c["name"]}"', c["type"]
        row = {"name": c["name"], "count": base.execute(f"SELECT count({name}) FROM t").fetchone()[0]}
        if kind in ("text", "dict"):
            row["bytes"], row["min"], row["max"] = base.execute(
                f"SELECT coalesce(sum(strlen({name})), 0)::BIGINT, min({name}), max({name}) FROM t").fetchone()
        elif kind == "float64":
            row["sum"] = base.execute(f"SELECT coalesce(sum({name}), 0) FROM t").fetchone()[0]
        else:
            whole = f"({name} - DATE '1970-01-01')" if kind == "date" else name
            row["sum_mod"] = base.execute(f"SELECT coalesce(sum({whole}::BIGINT::UHUGEINT % 1000003), 0)::BIGINT FROM t"
                                          if kind != "date" else
                                          f"SELECT coalesce(sum((({whole}::BIGINT)::HUGEINT + CASE WHEN {whole} < 0 THEN "
                                          f"18446744073709551616::HUGEINT ELSE 0 END) % 1000003), 0)::BIGINT FROM t"
                                          ).fetchone()[0]
        found.append(row)
    rows = base.execute("SELECT count(*) FROM t").fetchone()[0]
    print(json.dumps({"seconds": seconds, "peak_bytes": peak, "rows": rows, "columns": found}))


def run_duckdb(path, threads, columns):
    done = subprocess.run([sys.executable, __file__, "--duckdb-worker", json.dumps([str(path), threads, columns])],
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def differences(ours, theirs):
    if ours["rows"] != theirs["rows"]:
        yield f"rows: {ours['rows']} and {theirs['rows']}"
    for a, b in zip(ours["columns"], theirs["columns"]):
        for key in ("count", "bytes", "min", "max", "sum_mod"):
            if a.get(key) != b.get(key):
                yield f"{a['name']} {key}: {a.get(key)} and {b.get(key)}"
        if "sum" in a and abs(a["sum"] - b["sum"]) > 1e-9 * max(1.0, abs(a["sum"])) + 0.01:
            yield f"{a['name']} sum: {a['sum']} and {b['sum']}"


def line(label, runs, size):
    seconds = statistics.median(r["seconds"] for r in runs)
    peak = max(r["peak_bytes"] for r in runs)
    print(f"{label:<22}{seconds:>9.3f}{min(r['seconds'] for r in runs):>9.3f}{size / seconds / 1e6:>9.0f}{peak / 1e6:>10.0f}")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    built = pathlib.Path(os.environ.get("KINDRED_BENCH_BUILD", "build/bench"))
    parser.add_argument("--program", default=str(ROOT / built / "bench" / "bench_frame"))
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--file", help="read this CSV file instead of making one")
    parser.add_argument("--duckdb-worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.duckdb_worker:
        duckdb_worker(*json.loads(given.duckdb_worker))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = given.file or os.path.join(folder, "people.csv")
        if not given.file:
            make_file(path, given.rows)
        return compare(given, path, folder)


def compare(given, path, folder):
    size = os.path.getsize(path)
    ours, theirs = [run_kindred(given.program, path, given.threads)], []
    columns = ours[0]["columns"]
    theirs.append(run_duckdb(path, given.threads, columns))
    wrong = list(differences(ours[0], theirs[0]))
    ours, theirs = [], []  # the first runs warmed the page cache
    for _ in range(given.runs):
        ours.append(run_kindred(given.program, path, given.threads))
        theirs.append(run_duckdb(path, given.threads, columns))
    print(f"CSV to typed columns: {ours[0]['rows']:,} rows, {len(columns)} columns, {size / 1e6:.0f} MB, "
          f"{given.threads} threads, median of {given.runs} runs")
    print("types: " + ", ".join(f"{c['name']} {c['type']}" for c in columns))
    print(f"{'':<22}{'seconds':>9}{'best':>9}{'MB/s':>9}{'peak MB':>10}")
    kindred = line("Kindred, UTF-8", ours, size)
    duckdb = line("DuckDB, UTF-8", theirs, size)
    print(f"ratio to DuckDB: {duckdb / kindred:.2f} (1.0 is as fast; aim 2)")
    others(given, path, folder)
    print("results agree" if not wrong else "RESULTS DIFFER: " + "; ".join(wrong))
    return 1 if wrong else 0


def others(given, path, folder):
    """The same rows in what departments send."""
    for label, codec in (("Kindred, GB18030", "gb18030"), ("Kindred, UTF-16", "utf-16")):
        other = os.path.join(folder, "other.csv")
        with open(path, encoding="utf-8", newline="") as source, open(other, "w", encoding=codec, newline="") as out:
            for block in iter(lambda: source.read(1 << 22), ""):
                out.write(block)
        runs = [run_kindred(given.program, other, given.threads) for _ in range(3)]
        line(label, runs, os.path.getsize(other))


if __name__ == "__main__":
    sys.exit(main())
