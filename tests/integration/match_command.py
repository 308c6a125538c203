#!/usr/bin/env python3
"""`kindred match` on small invented tables: what it writes, every way of telling the truth, and wrong input."""
import csv
import gzip
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import kindred, run_tests  # noqa: E402

MODEL = """
model: clinic
columns:
  name: {}
  town: {}
  born: {kind: date}
  phone: {}
blocking:
  - [phone]
  - [name, born.year]
  - [born, town]
comparisons:
  - column: name
    levels: [{is: exact, term_frequency: true, zh: 同名, en: same name}, {is: jaro_winkler, at_least: 0.85}, {is: else}]
  - column: born
    levels: [{is: exact}, {is: one_digit}, {is: else}]
  - column: town
    levels: [{is: exact, term_frequency: true}, {is: else}]
  - column: phone
    levels: [{is: exact}, {is: osa, at_most: 1}, {is: else}]
train:
  - [phone]
  - [name, born.year]
threshold: -4
cluster: {at_least: 0}
truth: {id: id, entity: {from: id, pattern: "p{N}-"}}
"""
HEADER = ["id", "name", "town", "born", "phone"]


def people(seed, count=300):
    """Rows of `count` persons, each a second time with at most one slip."""
    rng = random.Random(seed)
    syllables = "ba ke lo mi nu ra so te vi zu han ler mon ter gau".split()
    towns = [a + b for a in ("nord", "ost", "sued", "west", "neu", "alt") for b in ("heim", "stadt", "dorf")]
    rows, copies = [], []
    for n in range(count):
        name = "".join(rng.choice(syllables) for _ in range(rng.randint(2, 4)))
        born = f"{rng.randint(1930, 2015)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        row = [f"p{n}-a", name, rng.choice(towns), born, f"{rng.randint(10**9, 10**10 - 1)}"]
        copy = [f"p{n}-b", *row[1:]]
        slip = rng.randint(0, 4)
        if slip == 1:
            copy[1] = name[:-1] + rng.choice("aeiou")
        elif slip == 2:
            copy[3] = born[:-1] + str((int(born[-1]) + 1) % 9 + 1)
        elif slip == 3:
            copy[4] = ""
        rows.append(row)
        copies.append(copy)
    rng.shuffle(copies)
    return rows, copies


def write(path, rows, header=HEADER):
    with (gzip.open(path, "wt", encoding="utf-8") if path.suffix == ".gz" else open(path, "w", encoding="utf-8")) as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return path


def tables(folder):
    rows, copies = people(1)
    (folder / "m.yaml").write_text(MODEL, encoding="utf-8")
    return folder / "m.yaml", write(folder / "a.csv", rows), write(folder / "b.csv", copies)


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def two_tables_are_linked_and_every_truth_measures_the_same(folder):
    model, a, b = tables(folder)
    rows = [row for path in (a, b) for row in read(path)]
    links = write(folder / "links.csv", [[f"p{n}-b", f"p{n}-a"] for n in range(300)], ["one", "other"])
    entities = write(folder / "entities.csv", [[r["id"], r["id"].split("-")[0]] for r in rows], ["id", "person"])
    scored = write(folder / "scored.csv", [[f"p{n}-a", f"p{m}-b", s] for n in range(300)
                                           for m, s in ((n, 1), ((n + 1) % 300, 0))], ["l", "r", "match_score"])
    results = [kindred("match", "--model", model, a, b, "--truth", truth, "--json").json
               for truth in ("model", links, entities, scored)]
    for result in results:
        assert result["records"] == 600 and result["true_pairs"] == 300, result
        assert result["f1"] > 0.97 and result["precision"] > 0.98, result
        assert result["f1"] == results[0]["f1"] and result["found_pairs"] == results[0]["found_pairs"], result


def a_column_can_tell_the_truth(folder):
    rows, copies = people(2)
    (folder / "m.yaml").write_text(MODEL, encoding="utf-8")
    path = write(folder / "all.csv", [[*r, r[0].split("-")[0]] for r in rows + copies], [*HEADER, "who"])
    told = kindred("match", "--model", folder / "m.yaml", path, "--truth", "column:who", "--json").json
    assert told["true_pairs"] == 300 and told["f1"] > 0.97, told


def packed_tables_give_the_same(folder):
    model, a, b = tables(folder)
    packed = write(folder / "a.csv.gz", [list(row.values()) for row in read(a)])
    plain = kindred("match", "--model", model, a, b, "--truth", "model", "--json").json
    same = kindred("match", "--model", model, packed, b, "--truth", "model", "--json").json
    for key in ("records", "compared", "pairs", "clusters", "found_pairs", "shared_pairs"):
        assert plain[key] == same[key], key
    (folder / "cut.csv.gz").write_bytes(packed.read_bytes()[:-20])
    assert "cut short" in kindred("match", "--model", model, folder / "cut.csv.gz", exits=1).err


def pairs_and_clusters_are_written_and_agree(folder):
    model, a, b = tables(folder)
    result = kindred("match", "--model", model, a, b, "--pairs", folder / "p.csv", "--clusters", folder / "c.csv",
                     "--json").json
    pairs, clusters = read(folder / "p.csv"), read(folder / "c.csv")
    assert len(pairs) == result["pairs"] and len(clusters) == result["records"]
    assert len({row["cluster"] for row in clusters}) == result["clusters"]
    assert {row["id"] for row in clusters} == {row["id"] for path in (a, b) for row in read(path)}
    for pair in pairs:
        assert 0 <= float(pair["probability"]) <= 1 and float(pair["weight"]) >= -4.001
        assert pair["level_name"] in ("exact", "jaro_winkler 0.85", "else", "missing"), pair


def an_explanation_names_every_comparison(folder):
    model, a, b = tables(folder)
    told = kindred("match", "--model", model, a, b, "--explain", "p7-a,p7-b", "--json").json
    assert [step["comparison"] for step in told["steps"]] == ["name", "born", "town", "phone"]
    total = told["prior_bits"] + sum(step["bits"] + step["tf_bits"] for step in told["steps"])
    assert abs(total - told["total_bits"]) < 0.01, told
    assert kindred("match", "--model", model, a, b, "--explain", "p7-a,p7-b").out.strip()
    kindred("match", "--model", model, a, b, "--explain", "p7-a,nobody", exits=1)
    kindred("match", "--model", model, a, b, "--explain", "p7-a", exits=1)


def a_trained_model_gives_the_same_again(folder):
    model, a, b = tables(folder)
    kindred("match", "--model", model, a, b, "--trained", folder / "t.yaml", "--clusters", folder / "c1.csv")
    kindred("match", "--model", folder / "t.yaml", b, a, "--clusters", folder / "c2.csv")

    def groups(path):
        together = {}
        for row in read(path):
            together.setdefault(row["cluster"], set()).add(row["id"])
        return sorted(map(sorted, together.values()))
    assert groups(folder / "c1.csv") == groups(folder / "c2.csv")


def wrong_input_is_told(folder):
    model, a, b = tables(folder)
    kindred("match", a, exits=2)
    kindred("match", "--model", model, exits=2)
    kindred("match", "--model", model, a, "--threads", "many", exits=2)
    (folder / "wrong.yaml").write_text(MODEL.replace("jaro_winkler", "jaro"), encoding="utf-8")
    assert "wrong.yaml:" in kindred("match", "--model", folder / "wrong.yaml", a, exits=1).err
    assert "phone" in kindred("match", "--model", model, write(folder / "n.csv", [["p1-a", "x", "y", "2000-01-01"]],
                                                               HEADER[:4]), exits=1).err
    strangers = write(folder / "strangers.csv", [["x", "y"]], ["one", "other"])
    assert kindred("match", "--model", model, a, "--truth", strangers, "--json", exits=1).json["error"]["hint"]
    for absent in (["--truth", folder / "absent.csv"], ["--truth", "column:absent"], ["--id", "absent"]):
        assert kindred("match", "--model", model, a, *absent, exits=1).err.strip(), absent


run_tests(two_tables_are_linked_and_every_truth_measures_the_same, a_column_can_tell_the_truth,
          packed_tables_give_the_same, pairs_and_clusters_are_written_and_agree, an_explanation_names_every_comparison,
          a_trained_model_gives_the_same_again, wrong_input_is_told)
