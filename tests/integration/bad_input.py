#!/usr/bin/env python3
"""What a department may send by mistake: each gets a clear message, and loses nothing that stands."""
import contextlib
import csv
import os
import pathlib
import resource
import signal
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import Postgres, on_each_database, run_tests  # noqa: E402

HEADER = "出生证编号,新生儿姓名,新生儿性别,出生日期,母亲姓名,母亲身份证号,现住址,签发日期".split(",")
ROWS = [
    "U610000001,王一诺,女,2024-03-08,李春梅,,陕西省榆林市吴堡县宋家川街道,2024-03-12".split(","),
    "U610000002,薛子轩,男,2024-04-09,宋秀兰,,陕西省榆林市吴堡县辛家沟镇,2024-04-15".split(","),
    "U610000003,慕思远,男,2024-05-10,张玉霞,,陕西省榆林市吴堡县郭家沟镇,2024-05-16".split(","),
]
LINE_BYTES = 100 << 20
BOMB_BYTES = 1 << 30
MEMORY_BYTES = 3 << 30
SERVER_FILE_BYTES = 17 << 20


def csv_of(header, rows, delimiter=",", encoding="utf-8"):
    return "".join(delimiter.join(line) + "\r\n" for line in [header, *rows]).encode(encoding)


def without(column):
    at = HEADER.index(column)
    return csv_of(*([cells[:at] + cells[at + 1:] for cells in lines] if lines is ROWS else lines[:at] + lines[at + 1:]
                    for lines in (HEADER, ROWS)))


def numbered(first, **changed):
    """Good rows under other certificate numbers, with some columns changed."""
    rows = [[f"U61{first + i:07}", *row[1:]] for i, row in enumerate(ROWS)]
    for column, value in changed.items():
        for row in rows:
            row[HEADER.index(column)] = value
    return rows


def one_of(first, **changed):
    """The same, but only the first row is changed."""
    return [*numbered(first, **changed)[:1], *numbered(first)[1:]]


SHEET = ('<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
         "<sheetData>{}</sheetData></worksheet>")
PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default '
                           'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                           '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument'
                           '.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="'
                           'application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
                   'Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
                   'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://'
                       'schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" '
                       'sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                                  '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
                                  'relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def cell(text):
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def xlsx(path, chunks):
    """A workbook of one sheet; the chunks are what stands in its sheetData."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as book:
        for name, text in PARTS.items():
            book.writestr(name, text)
        start, end = SHEET.split("{}")
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(start.encode())
            for chunk in chunks:
                sheet.write(chunk)
            sheet.write(end.encode())


def sheet_row(cells):
    return ("<row>" + "".join(cells) + "</row>").encode()


def write_bomb(path):
    block = sheet_row([cell("0" * 4096)]) * 256
    xlsx(path, (block for _ in range(BOMB_BYTES // len(block))))


def write_formulas(path):
    rows = numbered(700)
    lines = [[cell(text) for text in line] for line in [HEADER, *rows]]
    lines[1][1] = '<c t="str"><f>CONCATENATE("王","一诺")</f><v>王一诺</v></c>'
    lines[2][1] = '<c t="str"><f>HYPERLINK("http://example.org","x")</f></c>'
    lines[3][1] = '<c t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    xlsx(path, map(sheet_row, lines))


def prepared(folder, database):
    good = folder / "good.csv"
    good.write_bytes(csv_of(HEADER, ROWS))
    database.init().run("import", good)
    return database.digest()


def little_memory():
    if "ASAN_OPTIONS" in os.environ:  # a program built with AddressSanitizer reserves terabytes of addresses
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def import_refused(database, path, before, *words, feed="birth_certificate"):
    """Exit 1, a message with one of the words, the register as it was."""
    arguments = (["--feed", feed] if feed else []) + [path]
    told = database.run("import", *arguments, exits=1, before=little_memory)
    message = told.err.lower()
    assert path.name in message or "not imported" in message, told.err
    assert not words or any(word in message for word in words), f"{path.name}: {told.err}"
    assert database.digest() == before, f"{path.name} changed the register"


def refused_whole(folder, database):
    before = prepared(folder, database)
    doubled = csv_of(HEADER + ["母亲姓名"], [row + ["李"] for row in numbered(110)])
    for name, content, words in (
            ("empty.csv", b"", ("empty", "nothing", "no ")),
            ("blank.csv", b"\r\n\r\n\r\n", ()),
            ("binary.csv", bytes(range(256)) * 64, ()),
            ("image.csv", b"\x89PNG\r\n\x1a\n" + b"\x00\x01\x02" * 4096, ()),
            ("no-header.csv", csv_of(ROWS[0], ROWS[1:]), ()),
            ("missing.csv", without("出生日期"), ("出生日期",)),
            ("doubled.csv", doubled, ("母亲姓名", "twice", "two")),
            ("truncated.xlsx", b"PK\x03\x04" + b"\x00" * 64, ()),
            ("all-rows-bad.csv", csv_of(HEADER, numbered(120, 出生日期="2024-02-30")), ("2024-02-30", "birth", "line 2")),
            ("other-feed.csv", "姓名,民族\r\n王一诺,汉族\r\n".encode(), ())):
        path = folder / name
        path.write_bytes(content)
        import_refused(database, path, before, *words)
    import_refused(database, folder / "absent.csv", before)
    import_refused(database, folder, before)


def a_bomb_and_an_endless_line_cost_no_memory(folder, database):
    before = prepared(folder, database)
    bomb, line = folder / "bomb.xlsx", folder / "line.csv"
    write_bomb(bomb)
    import_refused(database, bomb, before)
    line.write_bytes(csv_of(HEADER, numbered(200)) + b'U610000299,"' + b"a" * LINE_BYTES)
    told = database.run("import", "--feed", "birth_certificate", line, "--json", exits=None, before=little_memory)
    outcome = told.json["files"][0]
    if outcome["ok"]:
        assert outcome["rows"] - outcome["bad_rows"] == len(ROWS) and outcome["bad_rows"] >= 1, outcome
    else:
        assert told.code == 1 and outcome["message"] and database.digest() == before, outcome


def another_encoding_or_delimiter_is_read_alike(folder, database):
    prepared(folder, database)
    ways = ((",", "gb18030"), (",", "utf-8-sig"), (",", "utf-16"), ("\t", "utf-8"), (";", "gb18030"), ("|", "utf-8"))
    for i, (delimiter, encoding) in enumerate(ways):
        path = folder / f"way{i}.csv"
        path.write_bytes(csv_of(HEADER, numbered(300 + 10 * i), delimiter, encoding))
        outcome = database.run("import", path, "--json").json["files"][0]
        assert outcome["feed"] == "birth_certificate" and outcome["bad_rows"] == 0, (delimiter, encoding, outcome)
    named_wrongly = folder / "really-text.xlsx"
    named_wrongly.write_bytes(csv_of(HEADER, numbered(390)))
    database.run("import", named_wrongly)
    names = database.scalar("select count(*) from source_record where name = '慕思远'")
    assert int(names) == 2 + len(ways), names


def extra_and_reordered_columns_are_no_fault(folder, database):
    prepared(folder, database)
    order = [3, 0, 7, 1, 2, 6, 4, 5]
    path = folder / "reordered.csv"
    path.write_bytes(csv_of([HEADER[i] for i in order] + ["备注二"], [[row[i] for i in order] + ["x"]
                                                                   for row in numbered(400)]))
    outcome = database.run("import", path, "--json").json["files"][0]
    assert outcome["bad_rows"] == 0 and outcome["unknown_columns"] == ["备注二"], outcome


def bad_rows_are_handed_back_and_good_ones_kept(folder, database):
    prepared(folder, database)
    cut = csv_of(HEADER, numbered(500))[:-40]
    day = csv_of(HEADER, one_of(510, 出生日期="2024-02-30"))
    place = csv_of([*HEADER, "母亲户籍地"], [row + ["610829999"] for row in numbered(520)])
    bytes_wrong = csv_of(HEADER, numbered(530)).replace("薛子轩".encode(), b"\xff\xfe\xff")
    for name, content in (("cut.csv", cut), ("day.csv", day), ("place.csv", place), ("bytes.csv", bytes_wrong)):
        path = folder / name
        path.write_bytes(content)
        outcome = database.run("import", "--feed", "birth_certificate", path, "--json").json["files"][0]
        assert outcome["ok"] and outcome["rows"] == len(ROWS), (name, outcome)
        assert outcome["problems"], f"{name}: nothing is told of what is wrong"
        assert outcome["bad_path"], f"{name}: no file of bad rows"
        told = pathlib.Path(outcome["bad_path"]).read_text(encoding="utf-8-sig")
        assert len(told.splitlines()) > 1 and "reject" in told or "problem" in told or "warn" in told, told
    rejected = int(database.scalar("select rows_bad from batch where file_name = 'day.csv'"))
    assert rejected == 1, "a birth on 30 February was taken"


def formulas_are_never_run_and_errors_are_told(folder, database):
    prepared(folder, database)
    path = folder / "formulas.xlsx"
    write_formulas(path)
    outcome = database.run("import", "--feed", "birth_certificate", path, "--json").json["files"][0]
    assert outcome["rows"] == len(ROWS), outcome
    assert int(database.scalar("select count(*) from source_record where name like '%DIV%'")) == 0
    injected = folder / "injected.csv"
    injected.write_bytes(csv_of(HEADER, one_of(710, 出生证编号="=1+1", 出生日期="2024-02-30")))
    outcome = database.run("import", "--feed", "birth_certificate", injected, "--json").json["files"][0]
    with open(outcome["bad_path"], encoding="utf-8-sig", newline="") as told:
        cells = [cell for line in csv.reader(told) for cell in line]
    assert any("=1+1" in cell for cell in cells), "the bad row is not handed back"
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells), "a sheet would run what is handed back"


def full_disk(limit):
    def before():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return before


def large(folder, rows):
    path = folder / "large.csv"
    path.write_bytes(csv_of(HEADER, [row for first in range(1000, 1000 + rows, 3) for row in numbered(first)]))
    return path


def a_full_disk_changes_nothing(folder, database):
    before = prepared(folder, database)
    path = large(folder, 20000)
    for limit in (1 << 12, 1 << 16, 1 << 18):
        told = database.run("import", path, exits=None, before=full_disk(limit))
        if told.code == 0:  # the server has a disk of its own; only the archive is written here
            assert isinstance(database, Postgres) and limit > 1 << 12, limit
            return
        assert told.code == 1 and told.err.strip(), (told.code, told.err)
        assert database.digest() == before
        database.run("doctor")
    database.run("import", path)


@contextlib.contextmanager
def full_server(database):
    """Meanwhile the server can make no table larger than a segment of its log: what it starts inherits the limit."""
    server = database.scalar("select split_part(pg_read_file('postmaster.pid'), chr(10), 1)")
    as_owner = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []

    def limit(size):
        subprocess.run([*as_owner, "prlimit", "--pid", server, f"--fsize={size}:"], check=True)

    limit(SERVER_FILE_BYTES)
    try:
        yield
    finally:
        limit("unlimited")


def a_full_disk_of_the_server_changes_nothing(folder):
    with Postgres(folder) as database:
        before = prepared(folder, database)
        path = large(folder, 60000)
        with full_server(database):
            told = database.run("import", path, exits=1)
        assert path.name in told.err, told.err
        assert database.digest() == before
        database.run("doctor")
        assert database.run("import", path, "--json").json["failed"] == 0


run_tests(*on_each_database(refused_whole), *on_each_database(a_bomb_and_an_endless_line_cost_no_memory),
          *on_each_database(another_encoding_or_delimiter_is_read_alike),
          *on_each_database(extra_and_reordered_columns_are_no_fault),
          *on_each_database(bad_rows_are_handed_back_and_good_ones_kept),
          *on_each_database(formulas_are_never_run_and_errors_are_told), *on_each_database(a_full_disk_changes_nothing),
          a_full_disk_of_the_server_changes_nothing)
