#!/usr/bin/python3
"""tools/lint.py [--root DIR] [--only CHECK,...] [--fmt] [--list]

Holds the sources to the design: who may include whom, which functions nobody calls, size and
style. Each fault is a line "file:line: [check] what is wrong and what is allowed". The last line
counts checks: "N passed, N failed".

  --root DIR    the tree to look at; this one by default
  --only CHECK  only these checks, separated by commas
  --fmt         formats the C files in place instead
  --list        names the checks
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

# --- What the design allows ---------------------------------------------------

# A room of src/ and those it may include, besides itself. One way: nothing here leads back up.
LIBRARIES = {
    "base": set(),
    "json": {"base"},
    "trace": {"json", "base"},
    "calendar": {"base"},
    "db": {"trace", "base"},
    "events": {"db", "trace", "json", "base"},
    "http": {"trace", "json", "base"},
    "mail": {"base"},
    "neighbour": {"http", "db", "json", "base"},
}
SERVICES = {"tenant", "user", "auth", "resource", "booking", "audit"}
# Two services over one store, which know each other whole.
ONE_ROOM = {"user", "auth"}
BELOW = set(LIBRARIES)

# What a room above may see of a service that it is not: how to ask it, and how to start it.
CLIENT = {"client.h"}
FRONT = {"client.h", "service.h"}

# A library's header and the rooms (or files of one) that may know it: a driver can be replaced where only one room
# knows it. Tests may look at what comes out with any of them.
DRIVERS = {
    "uv.h": {"http", "db", "events"},
    "llhttp.h": {"http"},
    "jansson.h": {"json", "http/openapi", "auth"},
    "sqlite3.h": {"db"},
    "libpq-fe.h": {"db"},
    "hiredis": {"events"},
    "openssl": {"events", "auth"},
    "curl": {"http", "mail", "trace"},
    "glib.h": {"base"},
    "libical": {"calendar"},
    "seccomp.h": {"app/confine"},
}

BANNED = {
    "strcpy": "memcpy with a known size",
    "stpcpy": "memcpy with a known size",
    "strcat": "arena_printf or snprintf",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "gets": "fgets",
    "strtok": "struct str and memchr",
    "atoi": "strtoll with a check",
    "atol": "strtoll with a check",
    "atof": "strtod with a check",
    "alloca": "the arena",
    "system": "nothing: no shell in a server",
    "popen": "nothing: no shell in a server",
}

# Time and chance come in through struct world (base/world.h).
WORLDLY = (
    "time clock_gettime gettimeofday clock ftime rand rand_r srand random srandom drand48 getrandom getentropy "
    "arc4random randombytes_buf randombytes_random randombytes_uniform localtime localtime_r mktime"
).split()
# Where the machine's own clock is meant: the world itself, the log's stamps, deadlines of connections, spans, commit timings.
WORLDLY_IN = ("src/base/world.c", "src/base/log", "src/http/", "src/trace/", "src/db/committer", "src/db/crew", "src/db/postgres_replica")

LINES_MAX = 600
LONG = "long because"
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")

SKIPPED_DIRS = {"node_modules", "__pycache__"}
TEXT = {".c", ".h", ".def", ".sql", ".py", ".sh", ".js", ".mjs", ".css", ".html", ".md", ".yml", ".yaml", ".json"}
CODE = TEXT - {".md", ".json", ".yml", ".yaml"}
TABS = {".c", ".h", ".def"}  # .editorconfig: tabs indent C and Makefiles, nothing else
WHERE = ("src", "tools", "web", "tests", "scripts", ".ci", "bench", "deploy")


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.texts = {}
        self.files = sorted(name for top in WHERE for name in self.walk(top))

    def walk(self, top):
        for folder, below, names in os.walk(self.root / top):
            below[:] = [d for d in below if d not in SKIPPED_DIRS and not d.startswith(".")]
            for name in names:
                path = pathlib.Path(folder, name)
                if path.suffix in TEXT or self.is_script(path) or name == "meson.build":
                    yield str(path.relative_to(self.root))

    @staticmethod
    def is_script(path):
        if path.suffix or path.is_symlink():
            return False
        with open(path, "rb") as file:
            return file.read(2) == b"#!"

    def text(self, name):
        if name not in self.texts:
            self.texts[name] = (self.root / name).read_bytes().decode("utf-8")  # CRs kept
        return self.texts[name]

    def lines(self, name):
        return enumerate(self.text(name).split("\n"), 1)

    def under(self, *tops, suffixes=None):
        return [
            f for f in self.files if f.split("/")[0] in tops and (suffixes is None or pathlib.Path(f).suffix in suffixes)
        ]

    def c_files(self):
        return self.under("src", "tools", suffixes={".c", ".h"})

    def shell_scripts(self):
        return [f for f in self.files if re.match(r"#!.*\b(bash|sh)\b", self.text(f)) or f.endswith(".sh")]


C_NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_only(text):
    """C without comments and the insides of literals; every line keeps its number."""

    def blank(match):
        kept = match.group()[0] if match.group()[0] in "\"'" else " "
        return kept + "\n" * match.group().count("\n") + kept

    return C_NOISE.sub(blank, text)


# --- The checks: each yields (file, line, message) ------------------------------


def room_of(name):
    parts = name.split("/")
    return parts[1] if len(parts) > 2 else "main"


def is_test(name):
    return re.search(r"_(test|fuzz|bench)\.[ch]$", name) is not None


def allowed_from(room, header_room, header_name):
    if room in ("main", "app", header_room) or {room, header_room} == ONE_ROOM:
        return True
    if room in LIBRARIES:
        return header_room in LIBRARIES[room]
    if header_room in LIBRARIES:
        return True
    return header_room in SERVICES and header_name in (CLIENT if room in SERVICES else FRONT)


def allowed_words(room):
    if room in LIBRARIES:
        return " and ".join(sorted(LIBRARIES[room] | {room}))
    front = "client.h" if room in SERVICES else "client.h and service.h"
    return f"{', '.join(sorted(BELOW | {room}))}, and of another service only its {front}"


def knows_driver(name, room, driver):
    return any(room == place or name.startswith(f"src/{place}") for place in DRIVERS[driver])


INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def check_imports(tree):
    rooms = BELOW | SERVICES | {"gateway", "app"}
    for name in tree.under("src", suffixes={".c", ".h", ".def"}):
        room = room_of(name)
        if room not in rooms | {"main"}:
            yield name, 1, f"src/{room} is no room of the design; tools/lint.py names them"
            continue
        for number, line in tree.lines(name):
            match = INCLUDE.match(line)
            if not match:
                continue
            header = match.group(2)
            driver = next((d for d in DRIVERS if header == d or header.startswith(d + "/")), None)
            if driver and not is_test(name) and not knows_driver(name, room, driver):
                yield name, number, f"only {' and '.join(sorted(DRIVERS[driver]))} may include <{header}>"
            if match.group(1) == "<":
                continue
            if header.startswith(".") or "/" not in header:
                # Generated and vendored headers aside, a header is named from src/: its room can be read.
                if (tree.root / name).parent.joinpath(header).exists():
                    yield name, number, f'write "{room}/{header}": headers are named from src/'
                continue
            target = header.split("/")[0]
            if target in rooms and not allowed_from(room, target, header.rsplit("/", 1)[1]):
                yield name, number, f'{room} may not include "{header}"; it may: {allowed_words(room)}'


def check_size(tree):
    for name in tree.under("src", "tools", "web", suffixes=CODE) + tree.under("tests", suffixes={".py"}):
        text = tree.text(name)
        count = text.count("\n")
        if count > LINES_MAX and LONG not in text[:1000]:
            yield name, LINES_MAX + 1, f'{count} lines; split it, or say "{LONG} ..." in its first comment'


def calls(names):
    # Neither a member of that name (world->random) nor a longer word.
    return re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")


def check_banned(tree):
    pattern = calls(BANNED)
    for name in tree.under("src", "tools", "tests", "bench", suffixes={".c", ".h"}):
        for number, line in enumerate(code_only(tree.text(name)).split("\n"), 1):
            for match in pattern.finditer(line):
                yield name, number, f"{match.group(1)}() is banned; use {BANNED[match.group(1)]}"


def check_world(tree):
    pattern = calls(WORLDLY)
    for name in tree.under("src", suffixes={".c", ".h"}):
        if name.startswith(WORLDLY_IN) or is_test(name):
            continue
        for number, line in enumerate(code_only(tree.text(name)).split("\n"), 1):
            for match in pattern.finditer(line):
                yield name, number, f"{match.group(1)}() goes past struct world; time and chance come from base/world.h"


def check_format(tree):
    def one_batch(files):
        return subprocess.run(
            ["clang-format", "--dry-run", "-Werror", "--ferror-limit=1", *files],
            cwd=tree.root, stderr=subprocess.PIPE, text=True, check=False,
        ).stderr

    files = tree.c_files()
    workers = os.cpu_count() or 1
    batches = [batch for batch in (files[i::workers] for i in range(workers)) if batch]
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for errors in pool.map(one_batch, batches):
            for match in re.finditer(r"^(.+?):(\d+):\d+: error:", errors, re.M):
                yield match.group(1), int(match.group(2)), "not as .clang-format has it; make fmt"


def check_scripts(tree):
    for name in tree.shell_scripts():
        run = subprocess.run(["bash", "-n", name], cwd=tree.root, stderr=subprocess.PIPE, text=True, check=False)
        for match in re.finditer(r"line (\d+): (.*)", run.stderr):
            yield name, int(match.group(1)), match.group(2)
    own = [f for f in tree.shell_scripts() if not f.startswith("tests/")]
    if own:
        run = subprocess.run(
            ["shellcheck", "-x", "-S", "warning", "-f", "gcc", *own],
            cwd=tree.root, stdout=subprocess.PIPE, text=True, check=False,
        )
        for match in re.finditer(r"^(.+?):(\d+):\d+: (.*)$", run.stdout, re.M):
            yield match.group(1), int(match.group(2)), match.group(3)
    for name in tree.files:
        if name.endswith(".py") or re.match(r"#!.*python", tree.text(name)):
            try:
                compile(tree.text(name), name, "exec")
            except SyntaxError as error:
                yield name, error.lineno or 1, f"python: {error.msg}"


def check_unfinished(tree):
    for name in tree.under("src", "tools", "web", "tests"):
        for number, line in tree.lines(name):
            match = UNFINISHED.search(line)
            if match:
                yield name, number, f"{match.group()}: finish it, or open an issue"


def check_blanks(tree):
    for name in tree.files:
        text = tree.text(name)
        spaces = pathlib.Path(name).suffix not in TABS
        if text and not text.endswith("\n"):
            yield name, text.count("\n") + 1, "no newline at the end of the file"
        for number, line in tree.lines(name):
            if line != line.rstrip():
                yield name, number, "blanks (or CR) at the end of the line"
            elif spaces and line.startswith("\t"):
                yield name, number, "a tab indents; .editorconfig has spaces here"


# `tests/api/test_privacy.py` or `tests/api/test_privacy.py::test_name`, as the documents name what shows a claim.
NAMED_TEST = re.compile(r"`((?:tests|src|tools)/[\w/.-]+\.(?:py|c|mjs))(?:::(\w+))?`")


def check_claims(tree):
    for path in sorted(tree.root.glob("docs/**/*.md")):
        name = str(path.relative_to(tree.root))
        for number, line in enumerate(path.read_text().split("\n"), 1):
            for file, function in NAMED_TEST.findall(line):
                if not (tree.root / file).is_file():
                    yield name, number, f"there is no {file}"
                elif function and not re.search(rf"\b{function}\b", (tree.root / file).read_text()):
                    yield name, number, f"there is no {function} in {file}"


# What documents tell to type: `marca events tail --follow`, or a line of code; and `SETTING` or `SETTING=value`.
TYPED = re.compile(r"(?:`|^ *|[(|;] ?|/)(?:\w+=\S* )*marca ([a-z][^`#|;<>)\"]*)")
SETTING = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?=[`=])")
# compose.yaml's, which marca does not know.
FOREIGN_SETTINGS = {"MARCA_PUBLISH"}


def commands_of(tree):
    """The rows of src/main.c, by name: each one's text has all its words and options."""
    rows = re.split(r'\.name = "', (tree.root / "src/main.c").read_text())[1:]
    return {"help": "", **{row.split('"')[0]: row.split(".run =")[0] for row in rows}}


def typed_in(text):
    """(line, words after `marca`) of code: in backticks, in a block, or indented by four."""
    fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("```"):
            fenced = not fenced
        code = line if fenced or line.startswith("    ") else " ".join(re.findall(r"`[^`]+`", line))
        for match in TYPED.finditer(code):
            yield number, match.group(1).replace("\\", " ").split()


def check_typed(tree):
    commands = commands_of(tree)
    known = set(re.findall(r"^#?(\w+)=", (tree.root / ".env.example").read_text(), re.M)) | FOREIGN_SETTINGS
    # What looks like a setting and is a macro of ours.
    known |= {word for name in tree.under("src") for word in re.findall(r"\b[A-Z][A-Z0-9_]+\b", tree.text(name))}
    for path in sorted([*tree.root.glob("docs/**/*.md"), *tree.root.glob("*.md"), *tree.root.glob("deploy/**/*.md")]):
        name, text = str(path.relative_to(tree.root)), path.read_text()
        for number, (command, *words) in typed_in(text):
            row = commands.get(command)
            if row is None:
                yield name, number, f"there is no command `marca {command}`"
                continue
            for word in [w for w in words if w.startswith("--") and w != "--help"] + [w for w in words[:1] if re.fullmatch(r"[a-z]+", w)]:
                if not re.search(rf"(?<![\w-]){word.split('=')[0]}(?![\w-])", row):
                    yield name, number, f"`marca {command}` has no {word}"
        for number, line in enumerate(text.split("\n"), 1):
            for setting in SETTING.findall(line):
                if setting not in known:
                    yield name, number, f"there is no setting {setting}"


def check_index(tree):
    index = tree.root / "docs/decisions/README.md"
    for path in sorted(index.parent.glob("[0-9]*.md")):
        if f"({path.name})" not in index.read_text():
            yield str(index.relative_to(tree.root)), 1, f"{path.name} is not in it"


LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors_of(text):
    """As a reader of Markdown makes them of titles: small letters, no signs, hyphens for blanks."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def check_links(tree):
    for path in sorted([*tree.root.glob("docs/**/*.md"), *tree.root.glob("*.md"), *tree.root.glob("deploy/**/*.md")]):
        for number, line in enumerate(path.read_text().split("\n"), 1):
            for link in LINK.findall(line):
                if re.match(r"\w+:", link):
                    continue
                file, _, anchor = link.partition("#")
                target = path.parent / file if file else path
                if not target.exists():
                    yield str(path.relative_to(tree.root)), number, f"there is no {file}"
                elif anchor and target.suffix == ".md" and anchor not in anchors_of(target.read_text()):
                    yield str(path.relative_to(tree.root)), number, f"{target.name} has no title for #{anchor}"


CHECKS = {
    "imports": check_imports,
    "size": check_size,
    "banned": check_banned,
    "world": check_world,
    "format": check_format,
    "scripts": check_scripts,
    "unfinished": check_unfinished,
    "blanks": check_blanks,
    "claims": check_claims,
    "typed": check_typed,
    "index": check_index,
    "links": check_links,
}


def main():
    parser = argparse.ArgumentParser(usage=__doc__.strip(), add_help=True)
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(CHECKS))
    parser.add_argument("--fmt", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        print("\n".join(CHECKS))
        return
    if unknown := set(options.only) - set(CHECKS):
        parser.error(f"no check {', '.join(sorted(unknown))}; there are {', '.join(CHECKS)}")

    began = time.monotonic()
    tree = Tree(options.root)
    if options.fmt:
        sys.exit(subprocess.call(["clang-format", "-i", *tree.c_files()], cwd=tree.root))

    failed = 0
    for check in options.only:
        faults = sorted(CHECKS[check](tree))
        failed += bool(faults)
        for file, line, message in faults:
            print(f"{file}:{line}: [{check}] {message}")
    print(
        f"lint of {len(tree.files)} files in {time.monotonic() - began:.1f} s: "
        f"{len(options.only) - failed} passed, {failed} failed"
    )
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
