"""What `kubectl kustomize FOLDER` makes, as a list of objects; as a program: prints it as JSON. Of kustomize it does what
deploy/kubernetes uses, and refuses the rest; the names of generated ConfigMaps go without their hash.

    kustomize.py deploy/kubernetes/production
"""
import copy
import json
import pathlib
import sys

import yaml

KNOWN = {"apiVersion", "kind", "namespace", "resources", "patches", "labels", "images", "configMapGenerator"}
CLUSTER_WIDE = {"Namespace"}
# By which member the items of a list are told apart: the patchMergeKey of Kubernetes' API. Other lists are replaced whole.
MERGE_KEYS = {"containers": "name", "initContainers": "name", "volumes": "name", "env": "name", "volumeMounts": "mountPath",
              "topologySpreadConstraints": "topologyKey"}


class Refused(Exception):
    """kustomize itself would not take it, or this emulation does not know it."""


def load(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document is not None]


# --- Patches ----------------------------------------------------------------------------


def merged(base, patch, key=None):
    """A strategic merge: https://github.com/kubernetes/community/.../strategic-merge-patch.md"""
    if isinstance(base, dict) and isinstance(patch, dict):
        result = dict(base)
        for name, value in patch.items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = merged(base[name], value, name) if name in base else value
        return result
    if isinstance(base, list) and isinstance(patch, list) and key in MERGE_KEYS:
        by = MERGE_KEYS[key]
        patched = {item[by]: item for item in patch}
        # As kustomize does: what is patched in place, what is new before.
        there = [merged(item, patched[item[by]]) if item[by] in patched else item for item in base]
        return [item for item in patch if item[by] not in {old[by] for old in base}] + there
    return patch


def changed(document, operation):
    """One operation of RFC 6902."""
    if operation["op"] not in ("add", "replace", "remove"):
        raise Refused(f"operation {operation['op']}")
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    result = at = copy.deepcopy(document)
    for part in way:
        at = at[int(part)] if isinstance(at, list) else at[part]
    place = int(last) if isinstance(at, list) else last
    if operation["op"] != "add" and (isinstance(at, dict) and place not in at):
        raise Refused(f"{operation['path']}: there is none to {operation['op']}")
    if operation["op"] == "remove":
        del at[place]
    else:
        at[place] = operation["value"]
    return result


def is_target(target, document):
    labels = document["metadata"].get("labels", {})
    wanted = dict(pair.split("=") for pair in filter(None, target.get("labelSelector", "").split(",")))
    if target.keys() - {"kind", "name", "labelSelector"}:
        raise Refused(f"target {target}")
    return (target.get("kind", document["kind"]) == document["kind"] and target.get("name", document["metadata"]["name"]) == document["metadata"]["name"]
            and all(labels.get(name) == value for name, value in wanted.items()))


def patched(objects, entry, folder):
    patch = yaml.safe_load((folder / entry["path"]).read_text() if "path" in entry else entry["patch"])
    hits = [document for document in objects if is_target(entry["target"], document)]
    if not hits:
        raise Refused(f"{entry}: a patch of nothing")

    def apply(document):
        if isinstance(patch, list):
            for operation in patch:
                document = changed(document, operation)
            return document
        body = {name: value for name, value in patch.items() if name not in ("apiVersion", "kind", "metadata")}
        return merged(document, body)

    return [apply(document) if document in hits else document for document in objects]


# --- The rest ------------------------------------------------------------------------------


def generated(objects, entry, folder):
    if entry.keys() - {"name", "literals", "files", "behavior"}:
        raise Refused(f"configMapGenerator {entry}")
    data = dict(literal.split("=", 1) for literal in entry.get("literals", []))
    data |= {pathlib.PurePath(name).name: (folder / name).read_text() for name in entry.get("files", [])}
    there = [document for document in objects if document["kind"] == "ConfigMap" and document["metadata"]["name"] == entry["name"]]
    if (entry.get("behavior") == "merge") != bool(there):
        raise Refused(f"ConfigMap {entry['name']}: behavior")
    if there:
        there[0]["data"] |= data
        return objects
    return [*objects, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": entry["name"]}, "data": data}]


def templates(document):
    template = document.get("spec", {}).get("template")
    return [template] if template else []


def pod_containers(document):
    return [container for template in templates(document) for kind in ("initContainers", "containers") for container in template["spec"].get(kind, [])]


def build(folder):
    folder = pathlib.Path(folder)
    plan = load(folder / "kustomization.yaml")[0]
    if plan.keys() - KNOWN:
        raise Refused(f"{folder}: {plan.keys() - KNOWN}")
    objects = []
    for name in plan["resources"]:
        objects += build(folder / name) if (folder / name).is_dir() else load(folder / name)
    names = [(document["kind"], document["metadata"]["name"]) for document in objects]
    if len(set(names)) != len(names):
        raise Refused(f"{folder}: the same name twice")
    for entry in plan.get("configMapGenerator", []):
        objects = generated(objects, entry, folder)
    for entry in plan.get("patches", []):
        objects = patched(objects, entry, folder)
    for document in objects:
        for entry in plan.get("labels", []):
            for holder in (document, *(templates(document) if entry.get("includeTemplates") else [])):
                holder.setdefault("metadata", {}).setdefault("labels", {}).update(entry["pairs"])
        if "namespace" in plan and document["kind"] not in CLUSTER_WIDE:
            document["metadata"]["namespace"] = plan["namespace"]
        for container in pod_containers(document):
            for image in plan.get("images", []):
                if container["image"] == image["name"]:
                    container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"
    return objects


if __name__ == "__main__":
    json.dump(build(sys.argv[1]), sys.stdout, indent=1)
