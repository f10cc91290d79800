"""Holds every reply that a test receives to the API's own document: documented status, media type, headers and body.

The document is docs/openapi.json, which the drift check holds to what the binary prints. tests/harness.py calls
check() for each reply, so that no test needs to.
"""
import functools
import json
import pathlib
import re

import jsonschema

DOCUMENT = json.loads((pathlib.Path(__file__).parent.parent / "docs/openapi.json").read_text())


class Breach(AssertionError):
    """The server said what its document does not."""


def resolved(node):
    while "$ref" in node:
        node = functools.reduce(lambda at, key: at[key], node["$ref"][2:].split("/"), DOCUMENT)
    return node


def pattern_of(path):
    return re.compile("^" + re.sub(r"\{\w+\}", "[^/]+", path) + "/?$")


# Paths without {} first: "/tenants/by-domain/x" is not "/tenants/{id}/settings".
PATHS = [(pattern_of(path), item) for path, item in sorted(DOCUMENT["paths"].items(), key=lambda p: p[0].count("{"))]


@functools.lru_cache(maxsize=None)
def validator(pointer):
    """For the schema that the JSON pointer leads to, within the whole document."""
    resolver = jsonschema.RefResolver(base_uri="", referrer=DOCUMENT)
    return jsonschema.Draft202012Validator({"$ref": pointer}, resolver=resolver)


def escaped(key):
    return key.replace("~", "~0").replace("/", "~1")


def operation_of(method, path):
    for pattern, item in PATHS:
        if pattern.match(path) and method.lower() in item:
            template = next(t for t, i in DOCUMENT["paths"].items() if i is item)
            return template, item[method.lower()]
    return None, None


def check(method, target, status, headers, body):
    """Breach unless the document says that this request may be answered so. What it does not know is not its business."""
    if status < 400 and method in ("HEAD", "OPTIONS"):
        return
    template, operation = operation_of(method, target.split("?")[0])
    if operation is None:
        return
    said = f"{method} {template} -> {status}"
    key = str(status) if str(status) in operation["responses"] else "default"
    response = operation["responses"].get(key)
    if response is None:
        raise Breach(f"{said}: not documented")
    pointer = f"#/paths/{escaped(template)}/{method.lower()}/responses/{key}"
    if "$ref" in response:
        pointer = response["$ref"]
        response = resolved(response)
    for name, header in response.get("headers", {}).items():
        if resolved(header).get("required") and name not in headers:
            raise Breach(f"{said}: without the header {name}")
    content = response.get("content", {})
    media = (headers.get("Content-Type") or "").split(";")[0]
    if not content:
        if body:
            raise Breach(f"{said}: a body that is not documented")
        return
    if media not in content:
        raise Breach(f"{said}: {media or 'no media type'} is not among {', '.join(content)}")
    error = jsonschema.exceptions.best_match(
        validator(f"{pointer}/content/{escaped(media)}/schema").iter_errors(json.loads(body)))
    if error is not None:
        where = "/".join(str(part) for part in error.absolute_path)
        raise Breach(f"{said}: {where or 'the body'}: {error.message}")
