#!/usr/bin/env python3
"""
Every route as every role, from inside and outside its area, and as nobody: what comes back is what matrix.csv says.

A cell is `yes` (wherever), `area` (inside one's area; outside it is refused or not there), `no` (refused), `own` (the lists one is
shown are one's own area's). The permission is looked at before anything else of a request, the area of a thing before what is to be done
with it: so a request with an empty body tells who may, and nothing is changed by asking.
"""
import csv
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import app as application  # noqa: E402
from app import COUNTY, ELSEWHERE, ROLES, Client, harness  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
REFUSED, ABSENT = {401, 403}, {404}


def matrix():
    with open(HERE / "matrix.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contract():
    """operationId: method, path, whether it is closed, whether it has a body, of api/openapi.yaml."""
    import yaml
    document = yaml.safe_load((harness.ROOT / "api/openapi.yaml").read_text(encoding="utf-8"))
    return {operation["operationId"]: (method.upper(), path, operation.get("security") != [], "requestBody" in operation)
            for path, methods in document["paths"].items() for method, operation in methods.items()
            if isinstance(operation, dict) and "operationId" in operation}


class Things:
    """Ids that stand inside the test county, for paths with {id}."""

    def __init__(self, app, database):
        steward = app.client("data_steward")
        clerk = app.client("township_clerk")
        admin = app.client("administrator")
        task = database.rows(f"select id, person_id from task where state = 'open' and division = {app.village} limit 1")[0]
        self.task = text_id(int(task[0]))
        self.person = text_id(int(task[1]))
        matches = steward.get("/api/matches?open=true&limit=1").json["items"]
        assert matches, "the simulated county has no doubtful match"
        self.match = matches[0]["id"]
        birth = clerk.post("/api/births", {"birth_date": "2026-06-01", "place": {"kind": "home", "division": application.TOWNSHIP},
                                           "declarant": {"kind": "mother", "name": "测试人"}, "children": [{}]})
        assert birth.status == 201, birth
        self.birth = birth.json["id"]
        deliveries = clerk.get("/api/deliveries?limit=1").json["items"]
        self.delivery = deliveries[0]["id"] if deliveries else self.birth
        self.batch = steward.get("/api/batches?limit=1").json["items"][0]["id"]
        upload = steward.send("POST", "/api/uploads?name=a.csv", raw=b"a,b\n1,2\n", content_type="application/octet-stream")
        assert upload.status == 201, upload
        self.upload = upload.json["id"]
        made = admin.post("/api/accounts", {"login": "anyone", "name": "某人", "roles": ["village_worker"], "areas": [app.village]})
        assert made.status == 201, made
        self.account = made.json["account"]["id"]
        self.absent = "01AAAAAAAAAAA"

    def of(self, path):
        for prefix, name in (("/api/persons/", "person"), ("/api/tasks/", "task"), ("/api/births/", "birth"),
                             ("/api/deliveries/", "delivery"), ("/api/batches/", "batch"), ("/api/uploads/", "upload"),
                             ("/api/matches/", "match"), ("/api/accounts/", "account")):
            if path.startswith(prefix) and "{id}" in path:
                return path.replace("{id}", getattr(self, name))
        return path.replace("{id}", self.absent).replace("{code}", COUNTY)


ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def text_id(number):
    return "".join(ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))


def ask(client, operation, route, things, division=None):
    method, path, _, has_body = route
    target = things.of(path)
    if operation == "findPersons":
        target += "?q=zhang"
    if operation in ("signOut",):  # would end the session that the next line needs
        return None
    if division:
        target += ("&" if "?" in target else "?") + f"division={division}"
    body = {} if has_body else None
    if path in ("/api/uploads", "/api/tasks/{id}/photos"):
        return client.send(method, target, raw=b"", content_type="application/octet-stream" if "uploads" in path else "image/png")
    return client.send(method, target, body=body, headers={"If-Match": '"0"'} if method in ("PUT", "PATCH", "POST") else None)


def judge(cell, where, answer, division_refused):
    """What is wrong with this answer; empty when it is as the table says."""
    status = answer.status
    if status >= 500:
        return f"{status}: {answer!r}"
    if cell == "no":
        return "" if status == 403 else f"{status}, and 403 was expected"
    if cell == "yes" or (cell in ("area", "own") and where == "in"):
        return f"{status}, and it is allowed: {answer!r}" if status in REFUSED else ""
    if cell == "area":
        return "" if status in REFUSED | ABSENT else f"{status} from outside the area: {answer!r}"
    if cell == "own":
        return "" if division_refused else "a list of an area outside its own was given"
    return f"matrix.csv has the word {cell!r}"


def the_matrix_holds(folder, database):
    routes, rows = contract(), matrix()
    with application.running(folder, database) as app:
        things = Things(app, database)
        named = {row["operation"] for row in rows}
        assert named == set(routes), f"matrix.csv and api/openapi.yaml differ: {named ^ set(routes)}"
        faults, asked = [], 0
        clients = {(role, where): app.client(role, where) for role in ROLES for where in ("in", "out")}
        for row in rows:
            route = routes[row["operation"]]
            is_closed = route[2]
            nobody = ask(Client(app), row["operation"], route, things)
            if nobody is not None and is_closed and nobody.status != 401:
                faults.append(f"{row['operation']} as nobody: {nobody!r}")
            if not is_closed:
                continue
            for (role, where), client in clients.items():
                if role == "administrator" and where == "out":
                    continue  # bound to the whole register
                refused = False
                if row[role] == "own" and where == "out":
                    refused = ask(client, row["operation"], route, things, division=COUNTY).status in REFUSED
                answer = ask(client, row["operation"], route, things)
                if answer is None:
                    continue
                asked += 1
                if fault := judge(row[role], where, answer, refused):
                    faults.append(f"{row['operation']} as {role} {where}side: {fault}")
        print(f"# {asked} requests asked")
        assert asked > 500, asked
        assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)


def a_person_cannot_be_opened_without_a_purpose(folder, database):
    with application.running(folder, database, persons=1500) as app:
        person = text_id(int(database.rows("select id from person where state = 'active' limit 1")[0][0]))
        client = app.client("data_steward")
        assert client.get(f"/api/persons/{person}").status == 200
        for purpose in (None, "", "school", "hukou", "personnel", "no such purpose"):
            client.purpose = purpose
            answer = client.get(f"/api/persons/{person}")
            assert answer.status in (400, 403), (purpose, answer)
            assert "attributes" not in answer.json


if __name__ == "__main__":
    harness.run_tests(*harness.on_each_database(the_matrix_holds), *harness.on_each_database(a_person_cannot_be_opened_without_a_purpose)[:1])
