"""Two processes on one PostgreSQL: what ends a session in one is known in the other, because it hears of it."""
import pytest

import harness
import streams

KEPT = {"CACHE_TTL_SECONDS": "3600", "MARCA_AUTH": "required"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with harness.Redis() as redis:
        env = {**KEPT, "REDIS_URL": redis.url, "MARCA_KEYS": str(tmp_path_factory.mktemp("keys") / "keys")}
        with harness.Marca("postgres", env=env) as first, harness.Marca("postgres", env=env, beside=first) as second:
            yield first, second


@pytest.fixture
def operator(pair):
    return pair[0].operator()


@pytest.fixture
def person(pair, operator):
    """(user, a connection to each process with his one token), which both have seen."""
    tenant = harness.make_tenant(operator)
    user = harness.make_user(operator, tenant, password=harness.PASSWORD)
    token = harness.log_in(pair[0].api(), tenant, user["email"])["access_token"]
    connections = [marca.api().bearing(token) for marca in pair]
    for connection in connections:
        assert connection.get("/users/me").status == 200
    return user, *connections


def refused(connection):
    return connection.get("/users/me").status == 401


@pytest.mark.parametrize("body", [None, {"all": True}])
def test_logout(person, body):
    _, here, there = person
    assert here.post("/auth/logout", body).status == 204
    assert refused(here)
    streams.until("the other process has heard", lambda: refused(there))


def test_a_role(person, operator):
    user, here, there = person
    assert there.get("/users/", tenant_id=user["tenant_id"]).status == 403
    assert operator.put(f"/users/{user['id']}", {"user_type": "admin"}).status == 200
    assert here.get("/users/", tenant_id=user["tenant_id"]).status == 200
    streams.until("the other process has heard",
                  lambda: there.get("/users/", tenant_id=user["tenant_id"]).status == 200)


def test_a_tenant(person, operator):
    user, here, there = person
    assert operator.delete(f"/tenants/{user['tenant_id']}").status == 204
    assert refused(here)
    streams.until("the other process has heard", lambda: refused(there))


def test_one_refresh_token_in_both(pair, operator):
    tenant = harness.make_tenant(operator)
    user = harness.make_user(operator, tenant, password=harness.PASSWORD)
    apis = [marca.api() for marca in pair]
    token = harness.log_in(apis[0], tenant, user["email"])["refresh_token"]
    replies = [api.post("/auth/refresh", {"refresh_token": token}) for api in apis]
    assert [reply.status for reply in replies] == [200, 401]
    assert refused(apis[0].bearing(replies[0].json["access_token"]))


def test_an_api_key(pair, operator):
    tenant = harness.make_tenant(operator)
    key = harness.create(operator, "/auth/api-keys", {"tenant_id": tenant["id"], "name": "x", "scopes": ["admin"]})
    here, there = (marca.api().bearing(key["key"]) for marca in pair)
    assert there.get("/auth/api-keys").status == 200
    assert here.delete(f"/auth/api-keys/{key['id']}").status == 204
    assert here.get("/auth/api-keys").status == 401
    streams.until("the other process has heard", lambda: there.get("/auth/api-keys").status == 401)
