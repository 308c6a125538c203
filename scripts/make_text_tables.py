#!/usr/bin/env python3
"""Rebuild the tables in text/ and the division tables of packs/cn/shaanxi/yulin from their public origins.

    python3 scripts/make_text_tables.py REFERENCE

REFERENCE is a folder with pinyin.csv, surname_freq.csv, surname_readings.csv, lunar_years.csv, yulin_divisions.csv and
yulin_division_history.csv, whose origins text/SOURCES.md names. The Debian packages unicode-data (Unihan) and opencc
must be installed. Tables edited by hand (name_patterns.csv, sounds.csv) are not touched. The output is the same
whenever the inputs are.
"""
import bz2
import csv
import pathlib
import subprocess
import sys
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNICODE = pathlib.Path("/usr/share/unicode")
INITIALS = ["zh", "ch", "sh"] + list("bpmfdtnlgkhjqxrzcs")

# Each is less often a surname than its first character is one, followed by a given name.
NOT_COMPOUND = set("乐正 单于 段干 左丘 谷梁 第五 微生 南荣 东里 东宫 仲长 子书 子桑 子车 褚师 公户 公玉 公仪 公仲 公上 公门 "
                   "公山 公坚 公伯 公祖 公乘 公皙 贯丘 梁丘 百里 羊舌 南门 叱干 夹谷 宰父".split())


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def write(path, header, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(",".join(map(str, line)) + "\n" for line in [header, *lines])
    assert '"' not in text
    path.write_text(text, encoding="utf-8", newline="\n")


def unihan(file, *fields):
    """{field: {character: value}} of one Unihan file."""
    found = {field: {} for field in fields}
    with bz2.open(UNICODE / f"Unihan_{file}.txt.bz2", "rt", encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("U+"):
                continue
            code, field, value = line.rstrip("\n").split("\t")
            if field in found:
                found[field][chr(int(code[2:], 16))] = value
    return found


def toneless(reading):
    """lǚ → lv; ê counts as e."""
    plain = "".join(c for c in unicodedata.normalize("NFD", reading) if c not in "\u0300\u0301\u0302\u0304\u030c")
    return unicodedata.normalize("NFC", plain).replace("ü", "v")


def split_syllable(syllable):
    """Initial ('-' for none) and final as spoken: ju → j, v; you → -, iou; hui → h, uei; zhi → zh, ii."""
    initial = next((i for i in INITIALS if syllable.startswith(i)), "")
    final = syllable[len(initial):]
    if not final:
        return "-", syllable  # m, n
    if not initial:
        if final.startswith("yu"):
            final = "iong" if final == "yong" else "v" + final[2:]
        elif final.startswith("y"):
            final = final[1:] if final[1:].startswith("i") else "i" + final[1:]
        elif final.startswith("w"):
            final = final[1:] if final[1:].startswith("u") else "u" + final[1:]
    elif initial in "jqx" and final.startswith("u"):
        final = "v" + final[1:]
    if initial != "":
        final = {"iu": "iou", "ui": "uei", "un": "uen"}.get(final, final)
    if final == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):
        final = "ii"  # the buzzed vowel of zhi and zi
    return initial or "-", final


def opencc(characters, config):
    text = "\n".join(characters)
    out = subprocess.run(["opencc", "-c", config], input=text, capture_output=True, text=True, check=True).stdout
    return dict(zip(characters, out.rstrip("\n").split("\n")))


def variant_targets(value):
    return [chr(int(part.split("<")[0][2:], 16)) for part in value.split()]


def make_folds(readings):
    """
    Which character stands for which. Only forms outside the Table of General Standard Characters (kTGH) are folded,
    and only to one inside it: what the standard keeps apart (肖 and 萧, 锺 and 钟, 乾 and 干) stays apart.
    """
    standard = set(unihan("OtherMappings", "kTGH")["kTGH"])
    variants = unihan("Variants", "kSimplifiedVariant", "kZVariant", "kSemanticVariant")
    candidates = [c for c in readings if c not in standard]
    simplified = opencc(candidates, "t2s.json")
    regional = [opencc(candidates, f"{region}2t.json") for region in ("tw", "hk", "jp")]
    folds = {}

    def accept(source, target):
        if source not in folds and source != target and len(target) == 1 and target in standard:
            folds[source] = target

    for c in candidates:
        accept(c, simplified[c])
    for field in ("kSimplifiedVariant", "kZVariant"):
        for c in candidates:
            targets = variant_targets(variants[field].get(c, ""))
            if len(targets) == 1:
                accept(c, targets[0])
    for traditional in regional:
        onward = opencc(sorted(set(traditional.values())), "t2s.json")
        for c in candidates:
            accept(c, onward[traditional[c]])
    for c in candidates:
        targets = variant_targets(variants["kSemanticVariant"].get(c, ""))
        targets = {folds.get(t, t) for t in targets}
        if len(targets) == 1:
            (target,) = targets
            if toneless(readings.get(target, "?")) == toneless(readings[c]):
                accept(c, target)
    # Compatibility ideographs, radicals used as characters, and the private-use places of older GB18030 fonts.
    for code in [*range(0xF900, 0xFAE0), *range(0x2F800, 0x2FA20), *range(0x2F00, 0x2FD6), *range(0x2E80, 0x2EF4)]:
        if not unicodedata.name(chr(code), ""):
            continue
        target = unicodedata.normalize("NFKC", chr(code))
        if len(target) == 1 and target != chr(code):
            folds[chr(code)] = folds.get(target, target)
    for place in range(0x50, 0xA1):
        if place == 0x7F:
            continue
        private = chr(0xE815 + place - 0x50 - (place > 0x7F))
        target = bytes([0xFE, place]).decode("gb18030", errors="ignore")
        if len(target) == 1 and not 0xE000 <= ord(target) <= 0xF8FF:
            folds[private] = folds.get(target, target)
    grouped = {}
    for source, target in folds.items():
        grouped.setdefault(target, []).append(source)
    write(ROOT / "text/folds.csv", ["to", "from"], [(t, "".join(sorted(grouped[t]))) for t in sorted(grouped)])
    return folds


def make_pinyin(readings, folds):
    by_syllable = {}
    for c, reading in readings.items():
        if c in folds and toneless(readings.get(folds[c], "")) == toneless(reading):
            continue  # read as what it folds to
        by_syllable.setdefault(toneless(reading), []).append(c)
    lines = [(s, *split_syllable(s), "".join(by_syllable[s])) for s in sorted(by_syllable)]
    write(ROOT / "text/pinyin.csv", ["syllable", "initial", "final", "chars"], lines)


def make_surnames(reference, readings):
    surnames = {}
    for row in rows(reference / "surname_freq.csv"):
        surnames[row["surname"]] = [row["percent"], toneless(row["pinyin"])]
    for row in rows(reference / "surname_readings.csv"):
        surnames.setdefault(row["surname"], ["0", ""])[1] = toneless(row["reading"])
    lines = []
    for name, (percent, reading) in surnames.items():
        if name in NOT_COMPOUND:
            continue
        if len(name) == 1 and reading == toneless(readings[name]):
            reading = ""
        if len(name) == 1 and not reading and percent == "0":
            continue
        lines.append((name, percent, reading))
    write(ROOT / "text/surnames.csv", ["surname", "percent", "reading"], lines)


def make_shapes(folds):
    dictionary = unihan("DictionaryLikeData", "kCangjie", "kFourCornerCode", "kUnihanCore2020")
    strokes = unihan("IRGSources", "kTotalStrokes", "kRSUnicode")
    standard = unihan("OtherMappings", "kTGH")["kTGH"]
    lines = []
    for c in sorted(set(standard) | set(dictionary["kUnihanCore2020"])):
        if not 0x4E00 <= ord(c) <= 0x9FFF or c in folds:
            continue
        radical = strokes["kRSUnicode"][c].split()[0].split(".")[0].strip("'")
        corner = dictionary["kFourCornerCode"].get(c, "").split(" ")[0].replace(".", "")
        lines.append((c, radical, strokes["kTotalStrokes"][c].split()[0], corner, dictionary["kCangjie"].get(c, "")))
    write(ROOT / "text/shapes.csv", ["char", "radical", "strokes", "four_corner", "cangjie"], lines)


def make_divisions(reference):
    folder = ROOT / "packs/cn/shaanxi/yulin"
    lines = [(r["code"], r["name"], r["level"], r["parent"]) for r in rows(reference / "yulin_divisions.csv")]
    write(folder / "divisions.csv", ["code", "name", "level", "parent"], sorted(lines, key=lambda r: r[0].ljust(12, "0")))
    lines = [(r["old_code"], r["old_name"].split("(")[0], r["current_code"], r["changed_about"])
             for r in rows(reference / "yulin_division_history.csv")]
    write(folder / "division_history.csv", ["old_code", "old_name", "current_code", "changed_about"], lines)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    reference = pathlib.Path(sys.argv[1])
    readings = {r["char"]: r["readings"].split("|")[0] for r in rows(reference / "pinyin.csv")}
    folds = make_folds(readings)
    make_pinyin(readings, folds)
    make_surnames(reference, readings)
    make_shapes(folds)
    lunar = [(r["lunar_year"], r["new_year_gregorian"], r["leap_month"], r["month_lengths_1is30_0is29"])
             for r in rows(reference / "lunar_years.csv")]
    write(ROOT / "text/lunar_years.csv", ["year", "new_year", "leap_month", "month_is_long"], lunar)
    make_divisions(reference)


main()
