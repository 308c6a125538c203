#!/usr/bin/env python3
"""The main job: eleven departments' feeds become one register, as accurate on either database, and the same persons."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import Postgres, Sqlite, run_tests, simulated  # noqa: E402

PERSONS = 20000
PRECISION_MIN, RECALL_MIN = 0.999, 0.985


def linked(folder, feeds, kind):
    """Import and link on one database; the link's answer and the clusters file."""
    with kind(folder) as database:
        database.init()
        imported = database.run("import", feeds / "manifest.yaml", "--json").json
        assert imported["failed"] == 0 and imported["imported"] >= 11, imported
        clusters = folder / f"clusters-{kind.__name__}.csv"
        answer = database.run("link", "--truth", feeds / "truth.csv", "--clusters", clusters, "--json").json
        assert answer["source_records"] == imported["records"], answer
        assert answer["persons"] == int(database.scalar("select count(*) from person where state = 'active'"))
        assert answer["tasks_open"] == int(database.scalar("select count(*) from task where state = 'open'"))
        database.run("doctor")
        again = database.run("link", "--json").json
        assert not again["was_needed"], "nothing had changed, and yet it was linked again"
        return answer, clusters.read_bytes()


def accurate_and_alike(seed):
    def test(folder):
        feeds = simulated(folder, PERSONS, seed)
        answer, clusters = linked(folder, feeds, Sqlite)
        print(f"# seed {seed}: precision {answer['precision']}, recall {answer['recall']}, {answer['seconds']} s")
        assert answer["precision"] >= PRECISION_MIN, answer
        assert answer["recall"] >= RECALL_MIN, answer
        other, other_clusters = linked(folder, feeds, Postgres)
        assert clusters == other_clusters, "the databases hold different persons"
        for key in ("persons", "source_records", "tasks_open", "precision", "recall", "f1"):
            assert answer[key] == other[key], (key, answer[key], other[key])

    test.__name__ = f"feeds_become_the_same_accurate_register_on_both_databases_seed_{seed}"
    return test


def the_same_seed_gives_the_same_bytes(folder):
    one = simulated(folder, 2000, 7)
    with tempfile.TemporaryDirectory(dir=folder) as elsewhere:
        two = simulated(pathlib.Path(elsewhere), 2000, 7)
        names = sorted(f.name for f in one.iterdir())
        assert names == sorted(f.name for f in two.iterdir())
        for name in names:
            assert (one / name).read_bytes() == (two / name).read_bytes(), name


run_tests(accurate_and_alike(1), accurate_and_alike(2), the_same_seed_gives_the_same_bytes)
