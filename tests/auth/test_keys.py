"""Keys of a running marca: who may read them, how they change, who may verify by them; `marca keys` and `marca token`."""
import json
import time

import pytest

import forge
import harness

REQUIRED = {"MARCA_AUTH": "required"}


@pytest.fixture
def server():
    with harness.Marca("sqlite", clock=None, env=REQUIRED) as marca:
        yield marca


def keys_of(server, ending="ed25519"):
    """Ids by the folder, newest first."""
    names = sorted((path.name for path in (server.data / "keys").glob(f"*.{ending}")), reverse=True)
    return [name.split("-", 1)[1].rsplit(".", 1)[0] for name in names]


def listed(server):
    return [json.loads(line) for line in server.run("keys", "list", "--json").splitlines()]


def takes(server, token):
    return server.api().bearing(token).get("/tenants/").status == 200


def make_token(server, *words):
    return server.run("token", *words).strip()


def said(token):
    return json.loads(forge.unb64(token.split(".")[1]))


def key_set(server):
    return server.api().get("/.well-known/jwks.json").json["keys"]


# --- The first start -----------------------------------------------------------------


def test_keys_are_for_nobody_else(server):
    folder = server.data / "keys"
    assert folder.stat().st_mode & 0o777 == 0o700
    files = list(folder.iterdir())
    assert len(files) == 2
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)


def test_keys_outlive_the_server(server):
    before, token = keys_of(server), make_token(server)
    server.stop()
    server.start()
    assert keys_of(server) == before and takes(server, token)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_stops_the_start(server, mode):
    server.stop()
    path = next((server.data / "keys").glob("*.ed25519"))
    path.chmod(mode)
    told = server.run("serve", "--listen", "127.0.0.1:0", status=1)
    assert path.name in told and "chmod 600" in told
    path.chmod(0o600)
    server.start()


def test_a_folder_that_is_open_to_others_stops_the_start(server):
    server.stop()
    (server.data / "keys").chmod(0o755)
    assert "chmod 700" in server.run("serve", "--listen", "127.0.0.1:0", status=1)
    (server.data / "keys").chmod(0o700)
    server.start()


def test_a_short_secret_key_stops_the_start(server):
    server.stop()
    server.env["SECRET_KEY"] = "x" * 63
    told = server.run("serve", "--listen", "127.0.0.1:0", status=1)
    assert "SECRET_KEY" in told and "64 bytes" in told and "x" * 63 not in told
    server.env["SECRET_KEY"] = "x" * 64
    server.start()


def test_keys_may_lie_elsewhere_and_be_shared(server, tmp_path):
    folder = tmp_path / "keys"
    server.stop()
    server.env["MARCA_KEYS"] = str(folder)
    server.start()
    assert len(list(folder.glob("*.ed25519"))) == 1
    with harness.Marca("sqlite", clock=None, env={**REQUIRED, "MARCA_KEYS": str(folder)}) as other:
        assert takes(other, make_token(server)) and takes(server, make_token(other))
        assert not (other.data / "keys").exists()
        server.run("keys", "rotate")
        assert takes(other, make_token(server))
        assert len(key_set(other)) == 2


def test_another_house_has_other_keys(server):
    with harness.Marca("sqlite", clock=None, env=REQUIRED) as other:
        assert not takes(other, make_token(server))


def test_another_issuer_with_the_same_keys_is_another_house(server, tmp_path):
    env = {**REQUIRED, "MARCA_KEYS": str(server.data / "keys"), "PUBLIC_URL": "https://other.example"}
    with harness.Marca("sqlite", clock=None, env=env) as other:
        assert takes(other, make_token(other)) and not takes(other, make_token(server))
        assert not takes(server, make_token(other))


# --- The public set ----------------------------------------------------------------------


def test_whoever_has_the_public_set_can_verify(server):
    reply = server.api().get("/.well-known/jwks.json")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/jwk-set+json"
    assert reply.headers["Cache-Control"] == "public, max-age=300"
    header, payload, signature = make_token(server).split(".")
    named = json.loads(forge.unb64(header))
    key = next(key for key in reply.json["keys"] if key["kid"] == named["kid"])
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", named["alg"], "sig")
    public = forge.ed25519.Ed25519PublicKey.from_public_bytes(forge.unb64(key["x"]))
    public.verify(forge.unb64(signature), f"{header}.{payload}".encode())


def test_nothing_secret_is_in_the_public_set(server):
    server.stop()
    server.env["SECRET_KEY"] = "s" * 64
    server.start()
    body = server.api().get("/.well-known/jwks.json").text
    assert set(json.loads(body)["keys"][0]) == {"kty", "crv", "use", "alg", "kid", "x"}
    for path in (server.data / "keys").iterdir():
        assert path.read_text().strip() not in body
    assert "s" * 64 not in body


# --- Changing keys ----------------------------------------------------------------------


def test_rotate_and_remove_beside_a_running_server(server):
    old, before = keys_of(server)[0], make_token(server)
    new = server.run("keys", "rotate").strip()
    assert keys_of(server) == [new, old] == [key["kid"] for key in key_set(server)]
    after = make_token(server)
    assert json.loads(forge.unb64(after.split(".")[0]))["kid"] == new
    assert takes(server, after) and takes(server, before)
    server.run("keys", "remove", old)
    assert not takes(server, before) and takes(server, after)
    assert [key["kid"] for key in key_set(server)] == [new]


def test_people_get_the_new_key_and_keep_their_sessions(server):
    operator = server.operator()
    tenant = harness.make_tenant(operator)
    user = harness.make_user(operator, tenant, password=harness.PASSWORD)
    tokens = harness.log_in(server.api(), tenant, user["email"])
    old, new = keys_of(server)[0], server.run("keys", "rotate").strip()
    server.run("keys", "remove", old)
    assert server.api().bearing(tokens["access_token"]).get("/users/me").status == 401
    again = server.api().post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    assert again.status == 200
    assert json.loads(forge.unb64(again.json["access_token"].split(".")[0]))["kid"] == new
    assert server.api().bearing(again.json["access_token"]).get("/users/me").status == 200


def test_many_rotations_in_one_second_stay_in_order(server):
    made = [server.run("keys", "rotate").strip() for _ in range(4)]
    assert keys_of(server)[:4] == made[::-1]
    assert json.loads(forge.unb64(make_token(server).split(".")[0]))["kid"] == made[-1]


def test_the_server_takes_no_key_that_others_could_read(server):
    """Put there while it runs: it is left out, and the log tells."""
    server.run("keys", "rotate")
    token = make_token(server)
    path = max((server.data / "keys").glob("*.ed25519"))
    assert takes(server, token)
    path.chmod(0o644)
    (server.data / "keys" / "x").touch()  # the folder changes
    harness.until("its tokens are refused", lambda: not takes(server, token))
    assert path.name in server.log()


# --- The commands -----------------------------------------------------------------------


def test_list(server):
    old, new = keys_of(server)[0], server.run("keys", "rotate").strip()
    lines = listed(server)
    assert [(line["kid"], line["algorithm"], line["newest"]) for line in lines] == [
        (new, "EdDSA", True), (old, "EdDSA", False), (keys_of(server, "xchacha20")[0], "XChaCha20-Poly1305", True)]
    words = [line.split() for line in server.run("keys", "list").splitlines()]
    assert [(word[0], word[-1]) for word in words] == [(new, "signs"), (old, "verifies"), (lines[2]["kid"], "seals")]


def test_the_last_key_stays(server):
    for kid in (keys_of(server)[0], keys_of(server, "xchacha20")[0]):
        assert "only key" in server.run("keys", "remove", kid, status=1)
    assert len(listed(server)) == 2


def test_a_key_that_seals_goes_by_force_only(server):
    old, new = keys_of(server, "xchacha20")[0], server.run("keys", "rotate", "--seal").strip()
    assert keys_of(server, "xchacha20") == [new, old]
    assert "--force" in server.run("keys", "remove", old, status=1)
    server.run("keys", "remove", old, "--force")
    assert keys_of(server, "xchacha20") == [new]


def test_wrong_use(server):
    assert "no such key" in server.run("keys", "remove", "nothing", status=1)
    for words in (["keys"], ["keys", "remove"], ["keys", "burn"], ["keys", "list", "x"], ["keys", "rotate", "--force"],
                  ["token", "--minutes"], ["token", "--hours", "1"], ["token", "--minutes", "0"],
                  ["token", "--minutes", "1441"], ["token", "--minutes", "1x"]):
        server.run(*words, status=2)
    assert len(listed(server)) == 2


def test_a_command_makes_no_folder_by_mistake(server, tmp_path):
    server.run("token", "--data", str(tmp_path / "elsewhere"), status=1)
    server.run("keys", "list", "--data", str(tmp_path / "elsewhere"), status=1)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("minutes", [1, 60, 1440])
def test_a_token_is_good_for_so_long(server, minutes):
    token = make_token(server, "--minutes", str(minutes))
    claims = said(token)
    assert claims["exp"] - claims["iat"] == minutes * 60
    assert abs(claims["iat"] - time.time()) < 30
    assert claims["sub"] == claims["role"] == "operator" and "tid" not in claims
    assert takes(server, token)


def test_help_tells_it_all(server):
    assert "ACCESS_TOKEN_MINUTES" in server.run("keys", "--help")
    assert "--minutes" in server.run("token", "--help")
