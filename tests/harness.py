"""
What the tests of the whole program share: TAP output, running the program, and looking into both databases.

KINDRED names the program, KINDRED_TEST_POSTGRES a server to make schemas on (scripts/with_postgres.sh gives one).
"""
import contextlib
import glob
import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDRED = os.path.abspath(os.environ.get("KINDRED", ROOT / "build/kindred"))
FIELD_END, ROW_END = "\x1f", "\x1e"  # what psql puts between; no value of ours holds them
PSQL = (sorted(glob.glob("/usr/lib/postgresql/*/bin/psql")) or ["psql"])[-1]


def run_tests(*tests):
    """Run the functions as tests named by what they state; exit 1 when one fails. Each gets a scratch folder."""
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        with tempfile.TemporaryDirectory(prefix="kindred-test.") as folder:
            try:
                test(pathlib.Path(folder))
                print(f"ok {number} - {test.__name__}", flush=True)
            except Exception:  # whatever went wrong, the next test has its turn
                failed += 1
                print(f"not ok {number} - {test.__name__}", flush=True)
                print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), flush=True)
    sys.exit(1 if failed else 0)


def on_each_database(test):
    """The test once a database: `on_each_database(f)` is two tests."""
    def named(kind):
        def one(folder):
            with kind(folder) as database:
                test(folder, database)
        one.__name__ = f"{test.__name__}_on_{kind.__name__.lower()}"
        return one
    return [named(Sqlite), named(Postgres)]


class Result:
    """What a run of the program gave."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)


def kindred(*arguments, exits=0, env=None, before=None, timeout=300):
    """Run the program and hold it to its exit code, unless None; `before` runs in the child first (limits)."""
    command = [KINDRED, *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=timeout,
                          env={**os.environ, "KINDRED_LANG": "en", **(env or {})}, preexec_fn=before)
    result = Result(done)
    result.out, result.err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    assert exits in (None, result.code), f"{command} exited {result.code}, not {exits}: {(result.err or result.out)[-1500:]}"
    return result


def simulated(folder, persons, seed=1, errors="hard"):
    """A folder of feeds, made once a run of a test file for each set of options."""
    target = folder / f"feeds-{persons}-{seed}-{errors}"
    if not target.exists():
        kindred("simulate", "--division", "610829", "--persons", persons, "--errors", errors, "--seed", seed,
                "--out", target)
    return target


class Database:
    """A register in a fresh folder and the means to look at every row of its database."""

    def __init__(self, folder):
        self.folder = folder
        self.register = folder / f"register-{type(self).__name__.lower()}"

    def init(self):
        kindred("init", self.register, "--db", self.url)
        return self

    def run(self, command, *arguments, **how):
        return kindred(command, "--register", self.register, *arguments, **how)

    def count(self, table):
        return int(self.scalar(f"select count(*) from {table}"))

    def digest(self, *, but=()):
        """One text per table, by name, telling all its rows; without the tables named."""
        return {table: self.digest_of(table) for table in self.tables() if table not in but}


class Sqlite(Database):
    url = "sqlite"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def settle(self):
        """Nothing runs on behalf of a killed program."""

    def connect(self):
        return contextlib.closing(sqlite3.connect(self.register / "register.db", timeout=30))

    def tables(self):
        with self.connect() as db:
            return [name for name, in db.execute("select name from sqlite_master where type = 'table' "
                                                 "and name not like 'sqlite_%' order by name")]

    def digest_of(self, table):
        with self.connect() as db:
            rows = sorted(repr(row) for row in db.execute(f'select * from "{table}"'))
        return f"{len(rows)} {hashlib.sha256(chr(10).join(rows).encode()).hexdigest()}"

    def rows(self, sql):
        with self.connect() as db:
            return db.execute(sql).fetchall()

    def scalar(self, sql):
        return self.rows(sql)[0][0]

    def execute(self, sql):
        with self.connect() as db, db:
            db.execute(sql)


class Postgres(Database):
    made = 0

    def __enter__(self):
        self.server = os.environ.get("KINDRED_TEST_POSTGRES", "")
        assert self.server, "KINDRED_TEST_POSTGRES is not set: run through scripts/with_postgres.sh"
        Postgres.made += 1
        self.schema = f"t{os.getpid()}_{Postgres.made}"
        self.url = self.server + ("&" if "?" in self.server else "?") + (
            f"options=-csearch_path%3D{self.schema}&application_name={self.schema}")
        self.psql(self.server, f"create schema {self.schema}")
        return self

    def __exit__(self, *_):
        self.psql(self.server, f"drop schema {self.schema} cascade")

    @staticmethod
    def psql(url, sql):
        done = subprocess.run([PSQL, "-X", "-q", "-A", "-t", "-F", FIELD_END, "-R", ROW_END,
                               "-v", "ON_ERROR_STOP=1", url, "-c", sql],
                              capture_output=True, text=True, check=False,
                              env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"})
        assert done.returncode == 0, done.stderr
        return [tuple(row.split(FIELD_END)) for row in done.stdout.rstrip("\n").split(ROW_END) if row]

    def tables(self):
        return [name for name, in self.rows("select table_name from information_schema.tables "
                                            f"where table_schema = '{self.schema}' order by 1")]

    def digest(self, *, but=()):
        parts = [f"select '{t}', count(*) || ' ' || coalesce(md5(string_agg(h, '' order by h)), '') "
                 f"from (select md5(t::text) as h from {t} as t) as s"
                 for t in self.tables() if t not in but]
        return dict(self.rows(" union all ".join(parts))) if parts else {}

    def rows(self, sql):
        return self.psql(self.url, sql)

    def scalar(self, sql):
        return self.rows(sql)[0][0]

    def execute(self, sql):
        self.psql(self.url, sql)

    def settle(self):
        """Wait until the server has noticed that a killed client is gone."""
        self.psql(self.url, "do $$ begin loop perform pg_stat_clear_snapshot(); exit when not exists (select 1 from "
                            f"pg_stat_activity where application_name = '{self.schema}' and pid <> pg_backend_pid()); "
                            "perform pg_sleep(0.002); end loop; end $$")
