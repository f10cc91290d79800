"""POST /auth/refresh: each token once, and what happens to whoever sends it again."""
import pytest

import checks
import harness
import streams

SPENT = "Token de renovação inválido ou já usado; entre novamente."


@pytest.fixture
def user(operator, tenant):
    return harness.make_user(operator, tenant, password=harness.PASSWORD)


def refresh(api, token):
    return api.post("/auth/refresh", {"refresh_token": token})


def alive(api, token):
    return api.bearing(token).get("/users/me").status == 200


def test_rotation(anyone, tenant, user):
    first = harness.log_in(anyone, tenant, user["email"])
    second = refresh(anyone, first["refresh_token"])
    assert second.status == 200 and second.headers["Cache-Control"] == "no-store"
    assert list(second.json) == list(first) and second.json["user"] == user
    assert second.json["refresh_token"] != first["refresh_token"]
    assert second.json["access_token"] != first["access_token"]
    # One session, and both access tokens are its own.
    sessions = anyone.bearing(second.json["access_token"]).get("/auth/sessions").json
    assert [session["current"] for session in sessions] == [True]
    assert alive(anyone, first["access_token"]) and alive(anyone, second.json["access_token"])
    third = refresh(anyone, second.json["refresh_token"])
    assert third.status == 200


def test_reuse_ends_the_family(anyone, tenant, user):
    first = harness.log_in(anyone, tenant, user["email"])
    other = harness.log_in(anyone, tenant, user["email"])
    second = refresh(anyone, first["refresh_token"]).json
    third = refresh(anyone, second["refresh_token"]).json
    checks.told(refresh(anyone, first["refresh_token"]), 401, SPENT)
    for token in (first["refresh_token"], second["refresh_token"], third["refresh_token"]):
        checks.told(refresh(anyone, token), 401, SPENT)
    for token in (first["access_token"], second["access_token"], third["access_token"]):
        assert not alive(anyone, token)
    assert alive(anyone, other["access_token"]), "another session is not concerned"


def test_of_twenty_at_once_one_wins_and_then_nobody(guarded, tenant, user):
    """The winner's tokens are dead as well: one of the twenty is a thief, and nobody can tell which."""
    anyone = guarded.api()
    tokens = harness.log_in(anyone, tenant, user["email"])
    replies = checks.race(guarded, 20, lambda api, _: refresh(api, tokens["refresh_token"]))
    won = [reply.json for reply in replies if reply.status == 200]
    assert len(won) == 1
    for reply in replies:
        if reply.status != 200:
            checks.told(reply, 401, SPENT)
    checks.told(refresh(anyone, won[0]["refresh_token"]), 401, SPENT)
    assert not alive(anyone, won[0]["access_token"]) and not alive(anyone, tokens["access_token"])


def test_what_is_no_refresh_token(anyone, tenant, user):
    tokens = harness.log_in(anyone, tenant, user["email"])
    good = tokens["refresh_token"]
    flipped = good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1]
    for token in ("x", "mr_", "mr_" + "A" * 86, good[:-1], good + "A", good.replace("mr_", "mk_"), flipped,
                  tokens["access_token"][:128], good.swapcase(), " " + good):
        checks.told(refresh(anyone, token), 401, SPENT)
    # None of it did any harm.
    assert refresh(anyone, good).status == 200
    assert checks.issues(anyone.post("/auth/refresh", {})) == {"body.refresh_token": "missing"}


def test_a_refresh_token_is_no_access_token(anyone, tenant, user):
    tokens = harness.log_in(anyone, tenant, user["email"])
    assert anyone.bearing(tokens["refresh_token"]).get("/users/me").status == 401
    assert refresh(anyone, tokens["refresh_token"]).status == 200


@pytest.mark.parametrize("change", ["password", "inactive", "deleted", "logout", "everywhere", "tenant"])
def test_who_may_not_go_on(operator, anyone, tenant, user, change):
    tokens = harness.log_in(anyone, tenant, user["email"])
    path = f"/users/{user['id']}"
    if change == "password":
        assert operator.put(path, {"password": "quite another secret"}).status == 200
    elif change == "inactive":
        assert operator.put(path, {"is_active": False}).status == 200
    elif change == "deleted":
        assert operator.delete(path).status == 204
    elif change == "tenant":
        assert operator.put(f"/tenants/{tenant['id']}", {"is_active": False}).status == 200
    else:
        body = {"all": True} if change == "everywhere" else None
        assert anyone.bearing(tokens["access_token"]).post("/auth/logout", body).status == 204
    checks.told(refresh(anyone, tokens["refresh_token"]), 401, SPENT)
    assert not alive(anyone, tokens["access_token"])


def later(marca, clock):
    """The same marca, at another time."""
    marca.stop()
    marca.env["MARCA_CLOCK"] = clock
    marca.start()
    return marca.api()


def test_how_long_a_session_lives(store):
    """30 days from use to use, and 90 at most. The access token 10 minutes."""
    with harness.Marca(store, env={"MARCA_AUTH": "required", "EVENT_WORKERS": "0"}) as marca:
        operator = marca.operator()
        tenant = harness.make_tenant(operator)
        users = [harness.make_user(operator, tenant, password=harness.PASSWORD) for _ in range(2)]
        api = marca.api()
        idle, busy = (harness.log_in(api, tenant, user["email"]) for user in users)
        api = later(marca, "2025-12-01T12:09:50Z")
        assert alive(api, busy["access_token"])
        api = later(marca, "2025-12-01T12:11:00Z")
        assert not alive(api, busy["access_token"])
        for day in ("2025-12-30", "2026-01-28", "2026-02-26"):
            api = later(marca, f"{day}T12:00:00Z")
            reply = refresh(api, busy["refresh_token"])
            assert reply.status == 200, day
            busy = reply.json
        sessions = api.bearing(busy["access_token"]).get("/auth/sessions").json
        assert [session["expires_at"][:16] for session in sessions] == ["2026-03-01T12:00"], "90 days after its beginning"
        checks.told(refresh(api, idle["refresh_token"]), 401, SPENT)
        api = later(marca, "2026-03-01T11:58:00Z")
        last = refresh(api, busy["refresh_token"])
        assert last.status == 200 and last.json["expires_in"] <= 180, "no token outlives its session"
        api = later(marca, "2026-03-01T12:03:00Z")
        checks.told(refresh(api, last.json["refresh_token"]), 401, SPENT)
        assert not alive(api, last.json["access_token"])


def test_what_has_ended_is_let_go(store):
    with harness.Marca(store, env={"MARCA_AUTH": "required"}) as marca:
        operator = marca.operator()
        tenant = harness.make_tenant(operator)
        user = harness.make_user(operator, tenant, password=harness.PASSWORD)
        tokens = harness.log_in(marca.api(), tenant, user["email"])
        assert refresh(marca.api(), tokens["refresh_token"]).status == 200

        def rows():
            return [int(checks.texts(marca, "user", f"SELECT CAST(COUNT(*) AS TEXT) FROM {table}")[0])
                    for table in ("sessions", "refresh_tokens")]

        assert rows() == [1, 2]
        later(marca, "2025-12-20T12:00:00Z")
        harness.log_in(marca.api(), tenant, user["email"])
        assert rows() == [2, 3]
        later(marca, "2026-01-10T12:00:00Z")
        streams.until("what has ended is gone, and nothing else", lambda: rows() == [1, 1])
