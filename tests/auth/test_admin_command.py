"""marca admin create: beside a running marca, with a password that stands in no argument and on no screen."""
import os
import pty
import select
import subprocess
import time

import pytest

import checks
import harness
from harness import PASSWORD


def words(tenant, email, *more, name="Ana Souza"):
    return ["admin", "create", "--tenant", tenant, "--email", email, "--name", name, *more]


def command(marca, arguments, text):
    return subprocess.run(
        [*marca.command, *arguments], env={**marca.env, "MARCA_DATA": str(marca.data)}, cwd=marca.folder,
        input=text, capture_output=True, text=True, timeout=60, check=False)


def email():
    return f"ana-{next(harness.serial)}@example.com"


@pytest.mark.parametrize("named", ["id", "domain"])
def test_create(guarded, operator, anyone, tenant, named):
    who = email()
    done = command(guarded, words(tenant[named].upper(), who), PASSWORD + "\n")
    assert done.returncode == 0, done
    assert done.stdout.startswith(f"Ana Souza is an admin of {tenant['name']}: user ") and not done.stderr
    assert PASSWORD not in done.stdout
    api = harness.login(anyone, tenant, who)
    me = api.get("/users/me").json
    assert me["user_type"] == "admin" and me["id"] in done.stdout and all(me["permissions"].values())
    assert api.put(f"/tenants/{tenant['id']}/settings", {"booking_interval": 45}).status == 200


@pytest.mark.parametrize("text, told", [
    ("", "no password came"),
    ("short\n", "password: Must have at least 8 characters"),
    ("x" * 129 + "\n", "password: Must have at most 128 characters"),
    ("x" * 2000 + "\n", "no password came"),
    ("12345678\n", "password: That password is too common"),
    ("ana souza\n", "password: The password must not be"),
])
def test_the_rules_hold(guarded, operator, tenant, text, told):
    done = command(guarded, words(tenant["id"], email()), text)
    assert done.returncode == 1 and told in done.stderr, done
    assert operator.get("/users/", tenant_id=tenant["id"]).json == []


def test_what_cannot_be(guarded, operator, tenant):
    taken = harness.make_user(operator, tenant)["email"]
    for arguments, told in (
        (words(tenant["id"], taken.upper()), "already registered"),
        (words(checks.some_id(), email()), "No such tenant"),
        (words("nobody.example.org", email()), "No such tenant"),
        (words(tenant["id"], "no address"), "email: Must be a valid e-mail address"),
        (words(tenant["id"], email(), name=""), "name: Must have at least 1 characters"),
    ):
        done = command(guarded, arguments, PASSWORD + "\n")
        assert done.returncode == 1 and told in done.stderr, done
    assert len(operator.get("/users/", tenant_id=tenant["id"]).json) == 1


@pytest.mark.parametrize("arguments", [
    ["admin"], ["admin", "make"], ["admin", "create"], ["admin", "create", "--tenant", "x", "--email", "a@b.com"],
    words("x", "a@b.com", "--password", "correct horse battery"), words("x", "a@b.com", "--data"),
])
def test_usage(guarded, arguments):
    done = command(guarded, arguments, PASSWORD + "\n")
    assert done.returncode == 2 and done.stderr.startswith("Usage: marca admin create "), done


class Terminal:
    """The command, with a terminal for its standard input and output."""

    def __init__(self, marca, arguments):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*marca.command, *arguments], env={**marca.env, "MARCA_DATA": str(marca.data)}, cwd=marca.folder,
            stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.shown = ""

    def wait_for(self, text):
        deadline = time.monotonic() + 30
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if select.select([self.ours], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.ours, 4096).decode()
                except OSError:  # it has ended
                    assert text in self.shown, self.shown

    def type(self, text):
        os.write(self.ours, (text + "\n").encode())

    def end(self):
        status = self.process.wait(30)
        os.close(self.ours)
        return status


def test_a_terminal_shows_nothing_of_it(guarded, anyone, tenant):
    who = email()
    terminal = Terminal(guarded, words(tenant["id"], who))
    terminal.wait_for("Password: ")
    terminal.type(PASSWORD)
    terminal.wait_for("The same again: ")
    terminal.type(PASSWORD)
    terminal.wait_for("is an admin of")
    assert terminal.end() == 0
    assert PASSWORD not in terminal.shown
    assert harness.login(anyone, tenant, who)


def test_two_different_ones(guarded, operator, tenant):
    terminal = Terminal(guarded, words(tenant["id"], email()))
    terminal.wait_for("Password: ")
    terminal.type(PASSWORD)
    terminal.wait_for("The same again: ")
    terminal.type(PASSWORD + "x")
    terminal.wait_for("two different ones")
    assert terminal.end() == 1
    assert operator.get("/users/", tenant_id=tenant["id"]).json == []
