"""Every route of the API while a neighbour is dead: an answer that the contract has, 503 where it must be, and never a
process that ends. MARCA_STRICT, which all tests set, ends one whose handler fails as its row in the table does not say.
"""
import collections
import time
import uuid

import pytest

import harness
import houses
import test_matrix as matrix

# Where MARCA_AUTH is optional nobody's is the operator's, of whom the user service need not be asked. So what comes
# after that is reached without it, too.
CALLERS = ("anyone", "admin")
# Otherwise than in the matrix: what needs a neighbour, and what leaves the tenants where they are.
ADMIN = {"name": "Ana", "email": "ana@example.com", "password": harness.PASSWORD}
MORE = {
    "createTenant": ("new", matrix.Ask(body=lambda case: {"name": "T", "domain": f"{uuid.uuid4()}.example.com", "admin": ADMIN})),
    "deleteTenant": ("own", matrix.Ask(lambda case: harness.make_tenant(case.street.operator)["id"])),
}

Request = collections.namedtuple("Request", "api method path body headers query")


class Unsent:
    """In the place of an Api: keeps what would be asked."""

    def __init__(self, api):
        self.api = api

    def request(self, *what):
        return Request(self.api, *what)


def prepared(street):
    """A request for each operation and each caller; all that it names is there."""
    asks = {operation: (about, matrix.ask_of(operation, about)) for operation, about, *_ in reversed(matrix.ROWS)}
    for operation, (about, ask) in {**asks, **MORE}.items():
        for caller in CALLERS:
            yield operation, matrix.call(street, operation, about, caller, "home", ask, Unsent)[1]


def prepared_soon(street):
    """Whoever has asked the last one that was dead in vain asks again after a pause: src/neighbour/circuit.h."""
    found = []

    def prepare():
        try:
            found[:] = prepared(street)
        except AssertionError as refused:
            if " 503 " not in str(refused):
                raise
        return found

    harness.until("all neighbours are asked again", prepare)
    return found


def alive(fleet):
    return [name for name, member in fleet.members.items() if member.process is not None and member.process.poll() is None]


@pytest.fixture(scope="module")
def street():
    harness.need_store("fleet")
    with houses.Street("fleet", {"MARCA_AUTH": "optional"}) as street:
        yield street


@pytest.mark.parametrize("dead", ["tenant", "user", "resource", "booking"])
def test_every_route(street, dead):
    fleet, seen = street.marca, collections.Counter()
    requests = prepared_soon(street)
    fleet.members[dead].kill()
    try:
        living = alive(fleet)
        for operation, (api, *request) in requests:
            reply = api.request(*request)
            assert reply.status < 500 or reply.status == 503, (operation, reply)
            assert alive(fleet) == living, (operation, fleet.log())
            seen[reply.status] += 1
    finally:
        fleet.members[dead].start()
        fleet.members[dead].await_ready(time.monotonic() + 2 * harness.START_SECONDS)
    for name in fleet.members:
        harness.until(f"{name} is ready", lambda name=name: harness.is_ready(fleet.members[name].address))
    assert len(living) == 3 and seen[503] and seen[200], seen
