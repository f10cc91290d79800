"""A backup's folder, read and bent by something else than marca."""
import json
import pathlib
import shutil

import dump


def names(folder):
    """Every file in it."""
    return sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*") if path.is_file())


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def write_manifest(folder, told):
    """As whoever wants to deceive would: its checksum is right."""
    data = json.dumps(told, separators=(",", ":")).encode() + b"\n"
    (folder / "manifest.json").write_bytes(data)
    (folder / "manifest.b2").write_text(f"{dump.blake(data)}  manifest.json\n")


def sign_again(folder, name, **changes):
    """The manifest tells of that file as it is now."""
    told = manifest(folder)
    entry = next(entry for entry in told["files"] if entry["file"] == name)
    data = (folder / name).read_bytes()
    entry.update({"bytes": len(data), "hash": dump.blake(data), **changes})
    write_manifest(folder, told)


def copy(folder, name):
    to = folder.parent / name
    shutil.copytree(folder, to)
    return to
