#!/usr/bin/python3
"""tools/lint_tidy.py [--root DIR] [--build DIR] [FILE...]

clang-tidy over every C file that the build compiles, or the named ones. A file that passed is not
looked at again until it, a header or .clang-tidy changes. The last line counts files: "N passed, N failed".

  --root DIR   the tree to look at; this one by default
  --build DIR  has compile_commands.json; build-asan by default (clang's own flags)
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys


def main():
    parser = argparse.ArgumentParser(usage=__doc__.strip())
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--build", default="build-asan")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()

    root, build = options.root.resolve(), options.root.resolve() / options.build
    commands = json.loads((build / "compile_commands.json").read_text())
    compiled = {pathlib.Path(c["directory"], c["file"]).resolve() for c in commands}
    # What is generated or vendored lies in the build directory or in .cache/.
    own = {f for f in compiled if f.is_relative_to(root / "src") or f.is_relative_to(root / "tools")}
    files = sorted(f for f in own if not options.files or str(f.relative_to(root)) in options.files)

    shared = [root / ".clang-tidy", *(root / "src").rglob("*.h"), *(root / "src").rglob("*.def")]
    newest = max(path.stat().st_mtime for path in shared if path.exists())

    def stamp(file):
        return root / ".cache" / "tidy" / file.relative_to(root).with_suffix(".ok")

    def fresh(file):
        return stamp(file).exists() and stamp(file).stat().st_mtime > max(newest, file.stat().st_mtime)

    def checks(file):
        # cmocka's assertions leave by longjmp, which the analyzer does not see: it goes on after a failed one.
        tests = file.stem.endswith(("_test", "_fixture"))
        return ["--checks=-clang-analyzer-core.*"] if tests else []

    def tidy(file):
        run = subprocess.run(
            ["clang-tidy", "--quiet", *checks(file), "-p", build, file],
            cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
        )
        if run.returncode == 0:
            stamp(file).parent.mkdir(parents=True, exist_ok=True)
            stamp(file).touch()
        # On stderr it only counts what it kept silent about, unless it could not run at all.
        return run.returncode, run.stdout or run.stderr

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for code, text in pool.map(tidy, [f for f in files if not fresh(f)]):
            failed += code != 0
            if code != 0:
                # Paths as seen from the root, so that an editor finds them.
                print(re.sub(rf"(?m)^(?:{re.escape(str(root))}/)?(?:{options.build}/)?\.\./|{re.escape(str(root))}/", "", text))
    print(f"clang-tidy: {len(files) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
