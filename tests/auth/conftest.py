"""A marca that asks everybody for a token.

guarded    such a marca, which the whole session shares, once per store
operator   a connection with an operator's token
tenant     a new tenant
anyone     a connection without a token
target     such a marca, its keys, and somebody who is logged in there: forge.Target; once by EdDSA, once by HS512
"""
import pytest

import forge
import harness

REQUIRED = {"MARCA_AUTH": "required"}


@pytest.fixture(scope="session")
def guarded(store):
    with harness.Marca(store, env=REQUIRED) as server:
        yield server


@pytest.fixture
def operator(guarded):
    return guarded.operator()


@pytest.fixture
def anyone(guarded):
    return guarded.api()


@pytest.fixture
def tenant(operator):
    return harness.make_tenant(operator)


@pytest.fixture(scope="module", params=["EdDSA", "HS512"])
def target(request):
    secret = forge.SECRET_KEY if request.param == "HS512" else None
    env = {"MARCA_AUTH": "required", **({"SECRET_KEY": secret} if secret else {})}
    with harness.Marca("sqlite", clock=None, env=env) as server:
        yield forge.Target(server, secret)
