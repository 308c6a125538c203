#!/usr/bin/env python3
"""Every command: its help, its exit codes, its JSON, and what it must leave alone."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import Postgres, Sqlite, kindred, on_each_database, run_tests, simulated  # noqa: E402

COMMANDS = "init simulate import link match tasks corrections person doctor backup restore migrate serve account audit verify".split()
PERSONS = 800


def every_command_explains_itself(_folder):
    overview = kindred("help").out
    for command in COMMANDS:
        assert command in overview, command
        told = kindred(command, "--help").out
        assert f"kindred {command}" in told and "--json" in told, told


def wrong_use_exits_2_and_says_how(folder):
    for wrong in (["nonsense"], ["init", "a", "b"], ["simulate"], ["simulate", "--division", "610829"],
                  ["simulate", "--division", "x", "--out", folder / "x"], ["import", "--no-such-option"],
                  ["link", "surplus"], ["match"], ["tasks"], ["tasks", "nonsense"], ["tasks", "show"],
                  ["tasks", "show", "not-an-id"], ["person"], ["person", "show"], ["corrections"], ["backup"],
                  ["restore"]):
        told = kindred(*wrong, exits=2)
        assert told.err.strip() and not told.out, wrong
    assert not (folder / "x").exists()


def work_that_fails_exits_1_and_says_why(folder):
    absent = folder / "absent"
    for work in (["import", "--register", absent, "a.csv"], ["link", "--register", absent],
                 ["tasks", "list", "--register", absent], ["doctor", "--register", absent],
                 ["backup", "--register", absent, folder / "b"], ["migrate", "--register", absent],
                 ["simulate", "--division", "999999", "--out", folder / "s"]):
        told = kindred(*work, exits=1)
        assert told.err.strip(), work
        error = kindred(*work, "--json", exits=1)
        assert json.loads(error.out), work
    assert not absent.exists(), "a failed command made a folder"


def filled(folder, database):
    feeds = simulated(folder, PERSONS)
    database.init().run("import", feeds / "manifest.yaml")
    database.run("link")
    return feeds


def json_is_given_everywhere(folder, database):
    feeds = simulated(folder, PERSONS)
    assert kindred("init", database.register, "--db", database.url, "--json").json
    assert database.run("import", "--dry-run", feeds / "manifest.yaml", "--json").json["files"]
    assert database.run("import", feeds / "manifest.yaml", "--json").json["failed"] == 0
    assert database.run("link", "--truth", feeds / "truth.csv", "--json").json["persons"] > 0
    assert database.run("tasks", "count", "--json").json
    tasks = database.run("tasks", "list", "--json").json["tasks"]
    assert tasks
    database.run("tasks", "list", "--limit", "many", exits=2)
    assert database.run("tasks", "show", tasks[0]["id"], "--json").json["id"] == tasks[0]["id"]
    person = next(t["person"] for t in tasks if t["person"])
    for what in ("show", "why"):
        assert database.run("person", what, person, "--json").json["id"] == person
        assert database.run("person", what, person).out.strip()
    assert isinstance(database.run("person", "history", person, "--json").json, list)
    assert isinstance(database.run("corrections", "list", "--json").json, (dict, list))
    assert database.run("doctor", "--json").json["healthy"] is True
    assert database.run("migrate", "--json").json["migrated"] is True
    assert database.run("backup", folder / "backup", "--json").json["saved"] is True


def files_of(register):
    """All but the database's own, and the lock that keeps the ids of programs apart."""
    return sorted(f for f in register.rglob("*") if "register.db" not in f.name and f.name != "nodes.lock")


def a_preview_changes_nothing(folder, database):
    feeds = simulated(folder, PERSONS)
    before = database.init().digest()
    files = files_of(database.register)
    told = database.run("import", "--dry-run", feeds / "manifest.yaml", "--json").json
    assert told["failed"] == 0 and all(f["columns"] for f in told["files"])
    assert database.digest() == before
    assert files_of(database.register) == files
    assert not list(feeds.glob("*.bad.csv"))


def importing_twice_changes_nothing(folder, database):
    feeds = filled(folder, database)
    before = database.digest()
    told = database.run("import", feeds / "manifest.yaml", "--json").json
    assert told["failed"] == 0 and told["records"] == 0
    assert all(f["already_imported"] for f in told["files"])
    assert database.digest() == before
    assert not database.run("link", "--json").json["was_needed"]
    assert database.digest() == before


def an_answer_outlives_the_next_link(folder, database):
    filled(folder, database)
    task = database.run("tasks", "list", "--kind", "birth_day_differs", "--json").json["tasks"][0]
    database.run("tasks", "resolve", task["id"], "--value", "2001-02-03", "--by", "王小丽")
    database.run("link", "--full")
    assert "2001-02-03" in database.run("person", "show", task["person"], "--json").out
    assert database.run("tasks", "show", task["id"], "--json").json["state"] == "resolved"
    told = database.run("corrections", "list", "--json").out
    assert "2001-02-03" in told, "the department that was wrong is not told"


def a_backup_restores_into_either_database(folder):
    for source in (Sqlite, Postgres):
        with source(folder) as old:
            filled(folder, old)
            old.run("backup", folder / f"backup-{source.__name__}")
            old.run("link", "--full", "--clusters", folder / "old.csv")
            for target in (Sqlite, Postgres):
                with target(folder) as new:
                    new.register = folder / f"from-{source.__name__}-to-{target.__name__}"
                    kindred("restore", "--register", new.register, "--db", new.url,
                            folder / f"backup-{source.__name__}")
                    assert new.tables() == old.tables()
                    assert {t: new.count(t) for t in new.tables() if t not in LINK_LOG} == \
                           {t: old.count(t) for t in old.tables() if t not in LINK_LOG}
                    new.run("link", "--full", "--clusters", folder / "new.csv")
                    assert (folder / "new.csv").read_bytes() == (folder / "old.csv").read_bytes()
                    kindred("restore", "--register", new.register, folder / f"backup-{source.__name__}", exits=1)


LINK_LOG = {"link_run"}


def a_database_of_a_newer_version_is_refused(folder, database):
    feeds = filled(folder, database)
    database.execute("insert into schema_version (version, applied_at, program) values (999, 0, 'kindred 99.0')")
    before = database.digest()
    for work in (["link"], ["import", feeds / "manifest.yaml"], ["tasks", "list"], ["migrate"], ["doctor"],
                 ["backup", folder / "b"]):
        told = database.run(*work, exits=1)
        assert "999" in told.err or "newer" in told.err, told.err
    assert database.digest() == before


run_tests(every_command_explains_itself, wrong_use_exits_2_and_says_how, work_that_fails_exits_1_and_says_why,
          *on_each_database(json_is_given_everywhere), *on_each_database(a_preview_changes_nothing),
          *on_each_database(importing_twice_changes_nothing), *on_each_database(an_answer_outlives_the_next_link),
          a_backup_restores_into_either_database, *on_each_database(a_database_of_a_newer_version_is_refused))
