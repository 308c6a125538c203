#!/usr/bin/env python3
"""
kill -9 at random moments of import and link, on each database: a batch is whole or absent, a link done or not, and nothing
else has changed; run again, it ends where an undisturbed run ends. And two imports at once.
"""
import collections
import hashlib
import pathlib
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import KINDRED, on_each_database, run_tests, simulated  # noqa: E402

PERSONS = 600
KILLS_OF_IMPORT, KILLS_OF_LINK = 120, 80  # on each database
KILLS_OF_LINK_A_REGISTER = 10
WHILE_WRITING = 0.5  # of the kills of link: it computes for long and writes for a moment
START_SECONDS = 0.02
SEED = 20160101
IMPORT_TABLES = ("source", "batch", "source_record")
# all but what a run makes: ids and instants
CONTENT = ("row_no, role, name, name_written, sex, birth_day, birth_kind, identity_number, identity_kind, phone, "
           "r.division, address, hukou_division, household_no, household_relation, ethnicity, marital_status, education, "
           "certificate_no, handbook_no, birth_order, status, death_day, event_day, recorded_day")


def batches(database):
    """What every batch holds: content hash to a digest of its records; a record without a batch is under None or ''."""
    found = {content: hashlib.sha256(str(records).encode())
             for content, records in database.rows("select content_hash, records from batch")}
    for content, *record in database.rows(f"select b.content_hash, {CONTENT} from source_record as r left join batch as b "
                                          "on b.id = r.batch_id order by 1, row_no, role"):
        found.setdefault(content, hashlib.sha256()).update(repr(record).encode())
    return {content: digest.hexdigest() for content, digest in found.items()}


def is_killed(command, after):
    """Run, and kill after so many seconds; false when it was quicker. A program that fails by itself is a fault."""
    process = subprocess.Popen([KINDRED, *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    told = process.stderr.read().decode()
    process.stderr.close()
    assert process.returncode == 0, told
    return False


Reference = collections.namedtuple("Reference", "batches clusters import_seconds link_seconds write_seconds order")


def undisturbed(folder, kind, feeds):
    """What a run that nobody kills ends with, and how long it takes."""
    with kind(folder) as database:
        database.register = folder / "undisturbed"
        database.init()
        start = time.monotonic()
        answer = database.run("import", feeds / "manifest.yaml", "--json").json
        middle = time.monotonic()
        linked = database.run("link", "--clusters", folder / "undisturbed.csv", "--json").json
        end = time.monotonic()
        writing = sum(seconds for stage, seconds in linked["stages"].items() if stage.startswith(("write", "commit")))
        order = [f["content_hash"] for f in answer["files"]]
        shutil.rmtree(database.register / "archive")
        clusters = (folder / "undisturbed.csv").read_bytes()
        return Reference(batches(database), clusters, middle - start, end - middle, writing, order)


def kill_imports(database, feeds, reference, chance, most):
    """Kill imports of the delivery until it is in; how many were killed."""
    command = ["import", "--register", database.register, feeds / "manifest.yaml"]
    others = database.digest(but=IMPORT_TABLES)
    killed, rest = 0, 1.0
    while killed < most and is_killed(command, chance.uniform(0, START_SECONDS + rest * reference.import_seconds)):
        killed += 1
        database.settle()
        held = batches(database)
        for content, digest in held.items():
            assert digest == reference.batches.get(content), f"after {killed} kills a batch is not whole: {content}"
        assert set(held) == set(reference.order[:len(held)]), "a batch was passed over"
        rest = 1 - len(held) / len(reference.order)
        assert database.digest(but=IMPORT_TABLES) == others, "an import changed more than its batches"
    database.run("import", feeds / "manifest.yaml")
    assert batches(database) == reference.batches
    return killed


def kill_links(database, reference, chance, most):
    """Kill link runs, some of which get as far as their commit; how many were killed."""
    command = ["link", "--register", database.register, "--full"]
    before, killed = database.digest(), 0
    while killed < most:
        moment = chance.uniform(0, reference.link_seconds)
        if chance.random() < WHILE_WRITING:
            moment = reference.link_seconds - chance.uniform(-1, 2) * reference.write_seconds
        killed += is_killed(command, moment)
        database.settle()
        after = database.digest()
        if after["link_run"] == before["link_run"]:
            assert after == before, f"a killed link left changes: {[t for t in after if after[t] != before[t]]}"
        elif before["link_run"].split()[0] != "0":
            changed = [t for t in after if after[t] != before[t]]
            of_the_run = {"link_run", "match_review", "setting"}  # the review queue and the estimates tell of the last run
            assert set(changed) <= of_the_run, f"linking the same again changed {changed}"
        before = after
    return killed


def killed_at_any_moment_nothing_is_lost(folder, database):
    kind, chance = type(database), random.Random(SEED)
    feeds = simulated(folder, PERSONS)
    reference = undisturbed(folder, kind, feeds)
    imports = links = registers = 0
    while imports < KILLS_OF_IMPORT or links < KILLS_OF_LINK:
        registers += 1
        with kind(folder) as one:
            one.register = folder / f"register-{registers}"
            one.init()
            imports += kill_imports(one, feeds, reference, chance, KILLS_OF_IMPORT - imports)
            links += kill_links(one, reference, chance, min(KILLS_OF_LINK - links, KILLS_OF_LINK_A_REGISTER))
            one.run("link", "--full", "--clusters", folder / "again.csv")
            assert (folder / "again.csv").read_bytes() == reference.clusters, "other persons than undisturbed"
            one.run("doctor")
            shutil.rmtree(one.register)
    print(f"# {imports} imports and {links} links killed in {registers} registers")


def two_imports_at_once_import_everything_once(folder, database):
    feeds = simulated(folder, PERSONS)
    reference = undisturbed(folder, type(database), feeds)
    database.init()
    command = [KINDRED, "import", "--register", str(database.register), str(feeds / "manifest.yaml")]
    both = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for _ in range(2)]
    for process in both:
        told = process.communicate(timeout=120)[0].decode()
        assert process.returncode == 0, told
    assert batches(database) == reference.batches
    database.run("link", "--clusters", folder / "both.csv")
    assert (folder / "both.csv").read_bytes() == reference.clusters
    database.run("doctor")


def a_link_beside_an_import_loses_nothing(folder, database):
    feeds = simulated(folder, PERSONS)
    reference = undisturbed(folder, type(database), feeds)
    database.init()
    importing = subprocess.Popen([KINDRED, "import", "--register", str(database.register), str(feeds / "manifest.yaml")],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while importing.poll() is None:
        told = database.run("link", exits=None)
        assert told.code == 0 or "nothing was changed" in told.err, told.err  # records came while it computed
    assert importing.returncode == 0, importing.stdout.read().decode()
    importing.stdout.close()
    database.run("link", "--clusters", folder / "beside.csv")
    assert batches(database) == reference.batches
    assert (folder / "beside.csv").read_bytes() == reference.clusters


run_tests(*on_each_database(killed_at_any_moment_nothing_is_lost),
          *on_each_database(two_imports_at_once_import_everything_once),
          *on_each_database(a_link_beside_an_import_loses_nothing))
