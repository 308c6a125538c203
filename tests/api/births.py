#!/usr/bin/env python3
"""
Birth registration, and every way we could think of to break G1 (a birth is registered, whatever), G2 (no fee) and G3 (nothing of
it goes where it must not).
"""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import app as application  # noqa: E402
from app import COUNTY, ELSEWHERE, TOWNSHIP, harness  # noqa: E402

NEEDED = {"birth_date": "2026-06-01", "place": {"kind": "home", "division": TOWNSHIP},
          "children": [{}], "declarant": {"kind": "relative", "name": "测试人"}}
# What no request, answer, notice or table of registration may have a place for.
NEVER = re.compile(r"parity|birth_?quota|approv|permit|fee\b|_fee|fine\b|penalt|social_?maint|marital|wedlock|legitim|"
                   r"out_?of_?plan|family_?planning|contracepti|胎次|孩次|审批|准生|社会抚养费|罚款|收费|费用|婚姻|政策内|政策外|计划外", re.I)


def changed(**members):
    return {**json.loads(json.dumps(NEEDED)), **members}


def register(clerk, declaration, same_as=None):
    made = clerk.post("/api/births", declaration)
    assert made.status == 201, made
    done = clerk.post(f"/api/births/{made.json['id']}/register", {"same_as": same_as} if same_as else {},
                      headers={"If-Match": made.headers["ETag"]})
    assert done.status == 200, done
    assert done.json["state"] == "registered"
    assert all(child["person_id"] and child["number"] for child in done.json["children"]), done.json["children"]
    return done.json


def every_birth_is_registered(folder, database):
    mother = {"name": "测试母亲", "birth_date": "1998-05-05", "division": TOWNSHIP}
    cases = {
        "only what is needed": NEEDED,
        "a date that is only about right": changed(birth_date="2026-01-01", precision="about"),
        "only the year is known": changed(birth_date="2025-01-01", precision="year"),
        "a mother, no father": changed(mother=mother),
        "a father, no mother": changed(father={"name": "测试父亲"}),
        "parents without any number": changed(mother=mother, father={"name": "测试父亲"}),
        "a foundling": changed(place={"kind": "found", "division": TOWNSHIP, "text": "卫生院门口"},
                               declarant={"kind": "institution", "name": "测试福利院"}),
        "twins": changed(children=[{"name": "测试大宝", "sex": 1, "birth_order": 1}, {"name": "测试二宝", "sex": 2, "birth_order": 2}]),
        "nine years late": changed(birth_date="2017-03-02"),
        "abroad": changed(place={"kind": "abroad", "text": "万象，老挝"}, residence_division=TOWNSHIP),
        "died soon after": changed(children=[{"name": "测试", "sex": 1, "death_date": "2026-06-02"}]),
        "on the declarant's word": changed(declarant={"kind": "mother", "name": "测试母亲", "is_commitment": True}),
        "from another county": changed(mother={**mother, "hukou_division": ELSEWHERE, "division": ELSEWHERE}),
        "a foreign mother": changed(mother={"name": "Nguyen Thi Test", "nationality": "越南"}),
        "a name that is longer than most": changed(children=[{"name": "买买提·" * 8 + "测试"}]),
    }
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        for title, declaration in cases.items():
            birth = register(clerk, declaration)
            assert len(birth["children"]) == len(declaration["children"]), title
        for number in range(9):  # of one mother, one after another, years apart: nobody counts
            register(clerk, changed(birth_date=f"{2009 + number}-04-01", mother=mother))


def a_birth_waits_for_nothing_but_three_things(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        for missing, field in (("birth_date", "/birth_date"), ("place", "/place"), ("declarant", "/declarant")):
            declaration = {k: v for k, v in NEEDED.items() if k != missing}
            made = clerk.post("/api/births", declaration)
            assert made.status == 201, f"a draft without {missing} cannot be kept: {made!r}"
            done = clerk.post(f"/api/births/{made.json['id']}/register", {}, headers={"If-Match": made.headers["ETag"]})
            assert done.status == 422 and done.json["field"].startswith(field), done
        blocking = [r for r in clerk.post("/api/births/review", {}, key=None).json["remarks"] if r["is_blocking"]]
        assert {r["field"].split("/")[1] for r in blocking} == {"birth_date", "place", "declarant"}, blocking


def no_fee_parity_or_approval_can_be_told(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        before = database.count("case_file")
        for name in ("fee", "amount", "payment", "parity", "birth_quota", "approval", "approved_by", "permit_no", "marital_status",
                     "is_in_plan", "social_maintenance_fee", "prior_children", "contraception"):
            for where in ((), ("mother",), ("father",), ("declarant",), ("place",), ("children", 0)):
                declaration = changed(mother={"name": "测试"}, father={"name": "测试"})
                target = declaration
                for step in where:
                    target = target[step]
                target[name] = 1
                answer = clerk.post("/api/births", declaration)
                assert answer.status == 422 and answer.json["field"].endswith("/" + name), (where, name, answer)
        assert database.count("case_file") == before, "something refused was kept"
        for table in ("case_file", "case_action", "notice"):
            for column in columns(database, table):
                assert not NEVER.search(column), f"{table}.{column}"
    document = (harness.ROOT / "api/openapi.yaml").read_text(encoding="utf-8")
    births = re.findall(r"^    (Birth\w*|OfficeNotice|Notice\w*|CaseAction):\n((?:      .*\n)+)", document, re.M)
    assert len(births) > 10
    for name, text in births:
        assert not NEVER.search(text), f"{name}: {NEVER.search(text).group()}"


def columns(database, table):
    if isinstance(database, harness.Sqlite):
        return [row[1] for row in database.rows(f"pragma table_info({table})")]
    return [name for name, in database.rows(f"select column_name from information_schema.columns where table_name = '{table}'")]


def notices_carry_what_is_fixed_and_no_more(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        full = changed(mother={"name": "测试母亲", "identity_number": "11010119900307002" + "1", "phone": "13900000000"},
                       father={"name": "测试父亲"}, note="这一句不该出现在通知里", gestational_days=200,
                       children=[{"name": "测试孩子", "sex": 1, "weight_g": 3200}])
        least, most = register(clerk, NEEDED), register(clerk, full)
        assert {n["office"] for n in most["notices"]} == {"household_registration", "medical_insurance", "immunisation"}
        for birth in (least, most):
            for notice in birth["notices"]:
                text = json.dumps(notice["payload"], ensure_ascii=False)
                assert not NEVER.search(text), text
                assert "不该出现" not in text and "3200" not in text and "gestational" not in text, text
                assert notice["state"] == "waiting" and notice["title"]
        keys = {n["office"]: set(n["payload"]) for n in least["notices"]}
        for notice in most["notices"]:
            assert set(notice["payload"]) == keys[notice["office"]], "what a notice carries depends on the case"
        for stored, in database.rows("select payload from notice"):
            assert not NEVER.search(stored)
        died = register(clerk, changed(children=[{"death_date": "2026-06-02"}]))
        assert "immunisation" not in {n["office"] for n in died["notices"]}, "vaccination is offered to a dead child"


def other_offices_purposes_are_denied(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        birth = register(clerk, NEEDED)
        for purpose in ("household_registration", "hukou", "nursery", "school", "personnel", "enforcement", "family_planning"):
            clerk.purpose = purpose
            for path in (f"/api/births/{birth['id']}", "/api/births", f"/api/births/{birth['id']}/confirmation",
                         f"/api/persons/{birth['children'][0]['person_id']}"):
                answer = clerk.get(path)
                assert answer.status == 403, (purpose, path, answer)


def doing_it_twice_is_doing_it_once(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        made = clerk.post("/api/births", NEEDED, key="same-key-for-both")
        assert clerk.post("/api/births", NEEDED, key="same-key-for-both").json["id"] == made.json["id"]
        assert clerk.post("/api/births", changed(note="x"), key="same-key-for-both").status == 422
        at, tag = f"/api/births/{made.json['id']}/register", {"If-Match": made.headers["ETag"]}
        first = clerk.post(at, {}, headers=tag, key="register-once-only")
        assert first.status == 200 and clerk.post(at, {}, headers=tag, key="register-once-only").body == first.body
        assert clerk.post(at, {}, headers={"If-Match": first.headers["ETag"]}).status == 409, "registered a second time"
        assert database.count("case_file") == 1


def the_register_knows_the_child_at_once_and_after_the_next_link(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        name = "申屠测试娃"
        child = register(clerk, changed(children=[{"name": name, "sex": 2}], mother={"name": "测试母亲"}))["children"][0]["person_id"]
        found = clerk.post("/api/persons/lookup", {"text": name}, key=None).json["items"]
        assert [hit["person"]["id"] for hit in found] == [child], found
        tree = clerk.get(f"/api/persons/{child}/family").json
        assert any(edge["kind"] == "mother" for edge in tree["edges"]), tree
        database.run("link", "--full")
        again = clerk.post("/api/persons/lookup", {"text": name}, key=None).json["items"]
        assert [hit["person"]["id"] for hit in again] == [child], "the next link run lost the child"
        database.run("doctor")


def undone_is_undone(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        birth = register(clerk, changed(children=[{"name": "申屠测试撤"}]))
        answer = clerk.get(f"/api/births/{birth['id']}")
        gone = clerk.post(f"/api/births/{birth['id']}/cancel", {"reason": "重复登记"}, headers={"If-Match": answer.headers["ETag"]})
        assert gone.status == 200 and gone.json["state"] == "cancelled", gone
        assert {n["state"] for n in gone.json["notices"]} == {"withdrawn"}
        assert not clerk.post("/api/persons/lookup", {"text": "申屠测试撤"}, key=None).json["items"]
        database.run("link", "--full")
        assert not clerk.post("/api/persons/lookup", {"text": "申屠测试撤"}, key=None).json["items"], "a link run brought it back"
        assert clerk.get(f"/api/births/{birth['id']}").json["actions"][-1]["reason"] == "重复登记"
        database.run("doctor")


def the_code_on_the_confirmation_is_checked_offline(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        birth = register(clerk, NEEDED)
        pdf = folder / "confirmation.pdf"
        pdf.write_bytes(clerk.get(f"/api/births/{birth['id']}/confirmation").body)
        code = code_of(pdf)
        keys = database.register / "keys"
        good = harness.kindred("verify", code, "--keys", keys, "--json").json
        assert good["number"] == birth["children"][0]["number"], good
        for at in range(0, len(code), 7):
            wrong = code[:at] + ("A" if code[at] != "A" else "B") + code[at + 1:]
            harness.kindred("verify", wrong, "--keys", keys, "--json", exits=1)


def code_of(pdf):
    import subprocess
    subprocess.run(["pdftoppm", "-r", "200", "-png", pdf, pdf.with_suffix("")], check=True)
    page = sorted(pdf.parent.glob("confirmation*.png"))
    assert len(page) == 1, "the confirmation is not one page"
    return subprocess.run(["zbarimg", "-q", "--raw", page[0]], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    harness.run_tests(*harness.on_each_database(every_birth_is_registered),
                      *[test for one in (a_birth_waits_for_nothing_but_three_things, no_fee_parity_or_approval_can_be_told,
                                         notices_carry_what_is_fixed_and_no_more, other_offices_purposes_are_denied,
                                         doing_it_twice_is_doing_it_once,
                                         the_register_knows_the_child_at_once_and_after_the_next_link, undone_is_undone)
                        for test in harness.on_each_database(one)],
                      harness.on_each_database(the_code_on_the_confirmation_is_checked_offline)[0])
