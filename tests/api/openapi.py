"""Answers held to an OpenAPI 3.1 document: the status is documented, the body fits its schema, the content type is the one told."""
import json
import re

import jsonschema
import yaml


class Contract:
    def __init__(self, path):
        self.document = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.routes = []
        for template, methods in self.document["paths"].items():
            pattern = re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part)
                                         for part in re.split(r"(\{[^}]+\})", template)) + "$")
            for method, operation in methods.items():
                self.routes.append((template.count("{"), method.upper(), pattern, operation))
        self.routes.sort(key=lambda route: route[0])
        self.operations = {route[3]["operationId"] for route in self.routes}
        self.answered_well, self.faults, self.checked = set(), [], 0
        self.validators = {}

    def resolve(self, node):
        while "$ref" in node:
            target = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def validator(self, schema):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": self.document["components"], **schema}
            self.validators[key] = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
        return self.validators[key]

    def operation(self, method, path):
        path = path.split("?")[0]
        return next((op for _, m, pattern, op in self.routes if m == method and pattern.match(path)), None)

    def watch(self, method, path, answer):
        operation = self.operation(method, path)
        if operation is None:
            return
        self.checked += 1
        name = f"{operation['operationId']} {answer.status}"
        documented = operation["responses"].get(str(answer.status))
        if documented is None:
            self.faults.append(f"{name}: an answer that is not documented: {answer!r}")
            return
        if answer.status < 300:
            self.answered_well.add(operation["operationId"])
        content = self.resolve(documented).get("content")
        if not content:
            if answer.body:
                self.faults.append(f"{name}: a body where none is documented")
            return
        told = (answer.headers.get("Content-Type") or "").split(";")[0]
        media = next((m for m in content if m == told or (m.endswith("/*") and told.startswith(m[:-1]))), None)
        if media is None:
            self.faults.append(f"{name}: content type {told!r}, documented are {list(content)}")
        elif told.endswith("json"):
            for error in list(self.validator(content[media]["schema"]).iter_errors(answer.json))[:3]:
                self.faults.append(f"{name}: /{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")
