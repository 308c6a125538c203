#!/usr/bin/env python3
"""
A system's way into Kindred: bearer token, purpose, paging, retries, problems as exceptions. Standard library only; copy it and change it.

    client = Client("https://kindred.example", token=open("token").read().strip(), purpose="registration")
    for notice in client.take_notices("household_registration"):
        client.answer_notice(notice["id"], accepted=True, answer="…")

As a program it does just that, for one office, asking what to answer from a command of yours:

    KINDRED_TOKEN=… ./kindred_client.py https://kindred.example household_registration ./decide

`decide` gets a notice as JSON on standard input, and exits 0 to accept it; what it prints is the answer's text.
"""
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

TRIES = 6


class Problem(Exception):
    """What the server says is wrong (RFC 9457)."""

    def __init__(self, status, document):
        self.status, self.document = status, document
        self.field = document.get("field")
        super().__init__(f"{status} {document.get('title', '')}: {document.get('detail', '')} {self.field or ''}".strip())


class Client:
    def __init__(self, address, token, purpose, language="zh", timeout=30):
        self.address, self.token, self.purpose = address.rstrip("/"), token, purpose
        self.language, self.timeout = language, timeout

    def send(self, method, path, body=None, version=None, **query):
        """
        One request and its answer. It is sent again when the server is busy or away, as it says when; a write bears one key through all tries, so
        that it is done once. `version` is the ETag of what is changed.
        """
        url = self.address + path
        if query := {name: value for name, value in query.items() if value is not None}:
            url += "?" + urllib.parse.urlencode(query)
        headers = {"Authorization": f"Bearer {self.token}", "Kindred-Purpose": self.purpose, "Accept-Language": self.language}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        if version:
            headers["If-Match"] = version
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, ensure_ascii=False).encode()
        for again in range(TRIES):
            request = urllib.request.Request(url, data=data, headers=headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                    text = answer.read()
                    return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                wait = error.headers.get("Retry-After")
                if error.code not in (429, 503) or again == TRIES - 1:
                    raise Problem(error.code, self.document(error)) from None
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                wait = None
                if again == TRIES - 1:
                    raise
            time.sleep(float(wait) if wait and wait.isdigit() else min(30, 2 ** again))

    @staticmethod
    def document(error):
        try:
            return json.loads(error.read())
        except ValueError:
            return {"title": error.reason}

    def pages(self, path, **query):
        """Every item of a list, page after page."""
        cursor = None
        while True:
            page = self.send("GET", path, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next"]
            if not cursor:
                return

    def find(self, text, limit=20):
        """Persons by a name, pinyin, initials, identity number, phone or handbook number."""
        return self.send("POST", "/api/persons/lookup", {"text": text, "limit": limit})["items"]

    def take_notices(self, office, limit=50):
        """The notices waiting for an office; from now on they are the caller's to answer."""
        while items := self.send("POST", "/api/notices/take", {"office": office, "limit": limit})["items"]:
            yield from items

    def answer_notice(self, notice, accepted, answer=""):
        self.send("POST", f"/api/notices/{notice}/answer", {"is_accepted": accepted, "answer": answer})


def main():
    if len(sys.argv) != 4 or "KINDRED_TOKEN" not in os.environ:
        sys.exit(__doc__)
    address, office, decide = sys.argv[1:]
    client = Client(address, os.environ["KINDRED_TOKEN"], "registration")
    count = 0
    for notice in client.take_notices(office):
        done = subprocess.run([decide], input=json.dumps(notice, ensure_ascii=False), capture_output=True, text=True, check=False)
        client.answer_notice(notice["id"], done.returncode == 0, done.stdout.strip()[:1000])
        count += 1
    print(count)


if __name__ == "__main__":
    main()
