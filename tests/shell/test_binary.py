"""What compiler and linker have done to make a mistake harder to use, read from the binary; docs/security/shell.md.

Always that of build/, as it is shipped: the sanitizers' build goes without.
"""
import re
import subprocess

import pytest

import harness

MARCA = harness.ROOT / "build" / "marca"


def readelf(*words):
    return subprocess.run(["readelf", "-W", *words], check=True, capture_output=True, text=True).stdout


def faults(program):
    """What it lacks, by name."""
    headers, dynamic, symbols = readelf("-hl", program), readelf("-d", program), readelf("--dyn-syms", program)
    segments = re.findall(r"^ +(\w+) +0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ ([R ][W ][E ])", headers, re.M)
    flags = dict(segments)
    entries = {name: value for name, value in re.findall(r"\((\w+)\)\s+(.*)", dynamic)}
    found = {
        "pie": "Type:                              DYN" in headers and "PIE" in entries.get("FLAGS_1", ""),
        "relro": "GNU_RELRO" in flags,
        "now": "BIND_NOW" in entries.get("FLAGS", "") or "NOW" in entries.get("FLAGS_1", ""),
        "nx": "GNU_STACK" in flags and "E" not in flags["GNU_STACK"],
        "w^x": not any("W" in rights and "E" in rights for _, rights in segments),
        "canaries": "__stack_chk_fail" in symbols,
        "fortify": len(set(re.findall(r" (__\w+_chk)@", symbols)) - {"__longjmp_chk"}) > 0,
        "no rpath": not {"RPATH", "RUNPATH", "TEXTREL"} & set(entries),
    }
    return {name for name, good in found.items() if not good}


def test_marca():
    assert MARCA.exists(), "scripts/build"
    assert faults(MARCA) == set()


def test_every_object_is_fortified():
    """Not only one by chance: the functions that copy and print are those that check."""
    symbols = readelf("--dyn-syms", MARCA)
    for name in ("memcpy", "snprintf", "fprintf", "read"):
        assert re.search(rf" __{name}_chk@", symbols), name


def test_libuv_waits_as_we_say():
    """Its calls come to src/http/turn.c only where they can be seen from outside."""
    symbols = readelf("--dyn-syms", MARCA)
    for name in ("epoll_wait", "epoll_pwait"):
        assert re.search(rf" FUNC +GLOBAL DEFAULT +\d+ {name}$", symbols, re.M), name


PROBE = """
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
    char text[64];
    (void)argc;
    snprintf(text, strlen(argv[0]), "%s", argv[0]);
    return puts(text);
}
"""
HARD = ["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3", "-fstack-protector-strong", "-fPIE", "-pie",
        "-Wl,-z,relro,-z,now,-z,noexecstack"]


@pytest.mark.parametrize("options, lacks", [
    ([], set()),
    (["-fno-PIE", "-no-pie"], {"pie"}),
    (["-Wl,-z,norelro"], {"relro"}),
    (["-Wl,-z,lazy"], {"now"}),
    (["-Wl,-z,execstack"], {"nx", "w^x"}),
    (["-fno-stack-protector"], {"canaries"}),
    (["-U_FORTIFY_SOURCE"], {"fortify"}),
    (["-Wl,-rpath,/tmp"], {"no rpath"}),
])
def test_what_is_missing_is_seen(tmp_path, options, lacks):
    source, program = tmp_path / "probe.c", tmp_path / "probe"
    source.write_text(PROBE)
    subprocess.run(["gcc", *HARD, *options, source, "-o", program], check=True, capture_output=True)
    assert faults(program) == lacks
