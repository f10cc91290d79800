"""The systemd unit: strict by systemd's own measure, and yet it lets marca do what it does."""
import re

import pytest

import harness
from units import WORST, analyze, exposure, settings

UNIT = harness.ROOT / "deploy/systemd/marca.service"


def test_exposure():
    level, accepted = exposure(UNIT)
    assert level <= WORST and accepted


@pytest.mark.parametrize("line", ["SystemCallFilter", "CapabilityBoundingSet", "DynamicUser"])
def test_a_laxer_one_is_seen(tmp_path, line):
    laxer = tmp_path / "marca.service"
    text = re.sub(rf"^{line}=.*\n", "", UNIT.read_text(), flags=re.M)
    laxer.write_text(re.sub(r"^(PrivateUsers|ProtectSystem|PrivateDevices)=.*\n", "", text, flags=re.M))
    level, accepted = exposure(laxer)
    assert level > WORST and not accepted


def test_verify(tmp_path):
    """With the binary where it is here: nothing in it that systemd does not understand."""
    copy = tmp_path / "marca.service"
    copy.write_text(UNIT.read_text().replace("/usr/bin/marca", str(harness.binary().resolve())))
    done = analyze("verify", "--man=no", "--recursive-errors=no", copy)
    assert done.returncode == 0 and done.stderr == "", done
    socket = harness.ROOT / "deploy/systemd/marca.socket"
    (tmp_path / "marca.socket").write_text(socket.read_text())
    done = analyze("verify", "--man=no", "--recursive-errors=no", tmp_path / "marca.socket", copy)
    assert done.returncode == 0 and done.stderr == "", done
    copy.write_text(copy.read_text() + "\n[Service]\nProtectSytem=strict\n")
    assert "ProtectSytem" in analyze("verify", "--man=no", "--recursive-errors=no", copy).stderr


def calls_of(group):
    """The system calls of systemd's group, all the way down."""
    found = set()
    for word in analyze("syscall-filter", group).stdout.split("\n")[1:]:
        word = word.strip()
        if word.startswith("@"):
            found |= calls_of(word)
        elif word and not word.startswith("#"):
            found.add(word)
    assert found, group
    return found


def filter_of_unit():
    allowed = set()
    for line in settings(UNIT)["SystemCallFilter"]:
        for word in line.lstrip("~").split():
            calls = calls_of(word) if word.startswith("@") else {word}
            allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def test_what_marca_calls_is_allowed():
    """The list that marca confines itself to, and what it takes to start and to get there, are within the unit's."""
    source = (harness.ROOT / "src/app/confine_calls.c").read_text()
    table = source[source.index("allowed[]"):source.index("deadly[]")]
    own = set(re.findall(r"CALL\((\w+)\)", table)) | set(re.findall(r"^\t\{SCMP_SYS\((\w+)\), \d", source, re.M))
    assert len(own) > 80 and {"mmap", "socket", "futex"} <= own
    start = {"execve", "arch_prctl", "set_tid_address", "listen", "prctl", "prlimit64", "seccomp", "landlock_create_ruleset",
             "landlock_add_rule", "landlock_restrict_self", "clone3"}
    # Of what it may call, these only root would: SQLite gives new files to the owner of the database.
    assert own - filter_of_unit() == {"fchown"}
    assert start <= filter_of_unit()


def test_what_an_intruder_calls_is_not():
    source = (harness.ROOT / "src/app/confine_calls.c").read_text()
    deadly = set(re.findall(r"CALL\((\w+)\)", source[source.index("deadly[]"):source.index("conditional[]")]))
    # How systemd itself starts marca, which then gives it up.
    assert deadly & filter_of_unit() == {"execve", "execveat"}


def test_addresses_are_those_of_the_filter():
    source = (harness.ROOT / "src/app/confine_calls.c").read_text()
    own = set(re.findall(r"SCMP_SYS\(socket\), 0, \w+, (AF_\w+)", source))
    assert set(settings(UNIT)["RestrictAddressFamilies"][0].split()) == own


def test_no_secret_in_it():
    """A unit is world-readable."""
    assert not re.search(r"(PASSWORD|SECRET|_URL)\w*=", "\n".join(settings(UNIT)["Environment"]))
