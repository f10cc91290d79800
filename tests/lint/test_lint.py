"""Every check of tools/lint.py, proven on a planted fault in a small sound tree."""
import json
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

SOUND = {
    "src/base/base.h": "int base_one(void);\n",
    "src/base/world.c": '#include "base/base.h"\n\nint base_one(void)\n{\n\treturn (int)time(0);\n}\n',
    "src/json/shape.c": '#include "base/base.h"\n#include <jansson.h>\n',
    "src/db/sqlite.c": '#include "base/base.h"\n#include <sqlite3.h>\n',
    "src/events/outbox.c": '#include "db/db.h"\n#include "json/shape.h"\n',
    "src/http/server.c": '#include "json/shape.h"\n#include <uv.h>\n',
    "src/base/fold.c": '#include "base/base.h"\n#include <glib.h>\n',
    "src/booking/create.c": '#include "calendar/zone.h"\n#include "db/db.h"\n#include "tenant/client.h"\n',
    "src/tenant/client.h": '#include "base/base.h"\n',
    "src/tenant/tables.def": "/* clang-format off */\nROW(a,   b)\n",
    "src/gateway/pages.c": '#include "booking/service.h"\n#include "http/server.h"\n',
    "src/main.c": '#include "booking/service.h"\n#include "gateway/pages.h"\n',
    "tools/gen.c": '/* strcpy() and "time()" in words are no calls */\nconst char *words = "sprintf(";\n',
    "web/app.js": "// every page\n",
    "tests/test_one.py": "def test_one():\n    assert True\n",
    "docs/security.md": "Met: `tests/test_one.py::test_one`.\n",
    "docs/decisions/README.md": "1. [First](0001-first.md)\n",
    "docs/decisions/0001-first.md": "# First\n\n## Why so\n",
    ".env.example": "#MARCA_DATA=./data\n",
    "scripts/go": "#!/usr/bin/env bash\necho go\n",
}

# The check, the file, what is added at its end (or instead of it, after "="), and the line that must be told.
FAULTS = [
    ("claims", "docs/security.md", "Met: `tests/test_none.py`.\n", 2),
    ("claims", "docs/security.md", "Met: `tests/test_one.py::test_two`.\n", 2),
    ("typed", "docs/security.md", "Type `marca fly`.\n", 2),
    ("typed", "docs/security.md", "\n    MARCA_DATA=x build/marca fly\n", 3),
    ("typed", "docs/security.md", "\n```bash\n(set -a; marca fly)\n```\n", 4),
    ("typed", "docs/security.md", "Type `marca help --loudly`.\n", 2),
    ("typed", "docs/security.md", "Type `marca help me`.\n", 2),
    ("typed", "deploy/README.md", "Set `MARCA_DATE=x`.\n", 1),
    ("index", "docs/decisions/0002-second.md", "# Second\n", None),
    ("links", "docs/security.md", "See [that](nothing.md).\n", 2),
    ("links", "docs/security.md", "See [that](decisions/0001-first.md#why-not).\n", 2),
    ("imports", "src/base/world.c", '#include "db/db.h"\n', 7),
    ("imports", "src/json/shape.c", '#include "http/server.h"\n', 3),
    ("imports", "src/base/fold.c", '#include "json/shape.h"\n', 3),
    ("imports", "src/db/sqlite.c", '#include "events/outbox.h"\n', 3),
    ("imports", "src/events/outbox.c", '#include "http/server.h"\n', 3),
    ("imports", "src/http/server.c", '#include "booking/create.h"\n', 3),
    ("imports", "src/booking/create.c", '#include "tenant/tenant.h"\n', 4),
    ("imports", "src/booking/create.c", '#include "gateway/pages.h"\n', 4),
    ("imports", "src/gateway/pages.c", '#include "booking/create.h"\n', 3),
    ("imports", "src/tenant/tables.def", '#include "user/user.h"\n', 3),
    ("imports", "src/booking/create.c", "#include <sqlite3.h>\n", 4),
    ("imports", "src/http/server.c", "#include <jansson.h>\n", 3),
    ("imports", "src/base/world.c", '#include "base.h"\n', 7),
    ("imports", "src/attic/old.c", "int old;\n", 1),
    ("size", "src/db/sqlite.c", "\n" * 600, 601),
    ("size", "web/app.js", "//\n" * 600, 601),
    ("size", "tests/test_one.py", "#\n" * 600, 601),
    ("banned", "tools/gen.c", "void f(char *a)\n{\n\tstrcpy(a, words);\n}\n", 5),
    ("banned", "src/db/sqlite.c", "void f(char *a)\n{\n\tsprintf (a, a);\n}\n", 5),
    ("banned", "src/db/sqlite_test.c", "int f(char *a)\n{\n\treturn atoi(a);\n}\n", 3),
    ("world", "src/booking/create.c", "long f(void)\n{\n\treturn time(0);\n}\n", 6),
    ("world", "src/db/sqlite.c", "int f(void)\n{\n\treturn clock_gettime(0, 0);\n}\n", 5),
    ("world", "src/json/shape.c", "void f(void *p)\n{\n\trandombytes_buf(p, 8);\n}\n", 5),
    ("format", "src/db/sqlite.c", "int  a;\n", 3),
    ("format", "tools/gen.c", "int f(void) { return 1; }\n", 3),
    ("scripts", "scripts/go", "if true; then\n", 4),
    ("scripts", "scripts/go", 'unused=1\nrm "$unset"\n', 3),
    ("scripts", "tests/test_one.py", "def f(:\n", 3),
    ("unfinished", "src/main.c", "/* TO" "DO: more */\n", 3),
    ("unfinished", "web/app.js", "// FIX" "ME\n", 2),
    ("unfinished", "tests/test_one.py", "# X" "XX\n", 3),
    ("blanks", "src/main.c", "int a; \n", 3),
    ("blanks", "scripts/go", "\techo\n", 3),
    ("blanks", "web/app.js", "a();\r\n", 2),
    ("blanks", "web/app.js", "a();", 2),
]

# What looks like a fault and is none.
FINE = [
    ("src/booking/create.c", "#define NOW(world) world->time(world)\n"),
    ("src/http/server.c", "#define NOW() clock_gettime(0, 0)\n"),
    ("src/db/sqlite_test.c", "#define NOW() clock_gettime(0, 0)\n"),
    ("src/db/sqlite.c", "/* long because: a table */\n" + "\n" * 600),
    ("src/main.c", '#include "db/db.h"\n'),
    ("docs/security.md", "Type `marca help` with `MARCA_DATA=x`, and see [why](decisions/0001-first.md#why-so) or <https://marca.example>.\n"),
]


def grow(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text() if path.exists() else ""
    # The reason for a long file stands at its top.
    path.write_text(text + before if "long because" in text else before + text, newline="")


@pytest.fixture
def tree(tmp_path):
    for name, text in SOUND.items():
        grow(tmp_path, name, text)
    for name in (".clang-format", ".clang-tidy"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def lint(tree, only=None):
    command = [ROOT / "tools/lint.py", "--root", tree]
    run = subprocess.run(command + (["--only", only] if only else []), capture_output=True, text=True, check=False)
    assert run.stderr == ""
    return run.returncode, run.stdout


def test_sound_tree_passes(tree):
    code, told = lint(tree)
    assert code == 0 and len(told.splitlines()) == 1 and told.endswith(" 0 failed\n"), told


@pytest.mark.parametrize("check, name, text, line", FAULTS)
def test_planted_fault_is_told(tree, check, name, text, line):
    grow(tree, name, text)
    code, told = lint(tree, check)
    where = f"{name}:{line}: [{check}] " if line else f"[{check}] {pathlib.Path(name).name} "
    assert code == 1 and where in told, told


@pytest.mark.parametrize("name, text", FINE)
def test_no_false_alarm(tree, name, text):
    grow(tree, name, text)
    code, told = lint(tree, "imports,size,banned,world,typed,index,links")
    assert code == 0, told


def test_import_fault_says_what_is_allowed(tree):
    grow(tree, "src/booking/create.c", '#include "user/user.h"\n')
    assert "of another service only its client.h" in lint(tree, "imports")[1]


def test_fmt_mends_the_format(tree):
    grow(tree, "src/db/sqlite.c", "int  a;\n")
    subprocess.run([ROOT / "tools/lint.py", "--root", tree, "--fmt"], check=True)
    assert lint(tree)[0] == 0


def test_tidy_finds_a_planted_bug_once_mended_never_again(tree):
    source = tree / "src/db/leak.c"
    source.write_text("#include <stdlib.h>\n\nvoid f(void)\n{\n\tchar *p = malloc(8);\n\n\tp[0] = 1;\n}\n")
    build = tree / "build-asan"
    build.mkdir()
    command = {"directory": str(build), "file": "../src/db/leak.c", "command": "clang -c ../src/db/leak.c"}
    (build / "compile_commands.json").write_text(json.dumps([command]))

    def tidy():
        run = [ROOT / "tools/lint_tidy.py", "--root", tree]
        return subprocess.run(run, capture_output=True, text=True, check=False)

    bad = tidy()
    assert bad.returncode == 1 and bad.stdout.startswith("src/db/leak.c:8:") and "0 passed, 1 failed" in bad.stdout, bad.stdout
    source.write_text("int f(void);\n\nint f(void)\n{\n\treturn 1;\n}\n")
    assert tidy().stdout == "clang-tidy: 1 passed, 0 failed\n"
    assert (tree / ".cache/tidy/src/db/leak.ok").exists()
