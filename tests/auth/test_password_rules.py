"""What a new password may be, wherever one is taken: length, the common ones, and what is known of the person."""
import pathlib

import pytest

import checks
import harness

LIST = pathlib.Path(__file__).parent.parent.parent / ".cache/passwords/common.txt"
TAKEN = 100_000  # src/user/common_passwords.h


def commonest():
    """The list as tools/common_passwords.c reads it: the first of 8 characters or more, whatever their case."""
    seen = {}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if len(line) >= 8:
            seen.setdefault(line.lower())
            if len(seen) == TAKEN:
                break
    return list(seen)


@pytest.fixture(scope="module")
def common():
    return commonest()


@pytest.fixture
def tenant(api):
    return harness.make_tenant(api)


def new(tenant, **fields):
    number = next(harness.serial)
    return {"tenant_id": tenant["id"], "name": f"U {number}", "email": f"u{number}@example.com", **fields}


def test_the_list_is_long_and_has_what_brazilians_choose(common):
    assert len(common) == TAKEN
    assert {"12345678", "password", "qwertyuiop", "flamengo", "mudar123", "senha123"} <= set(common)


def test_common_passwords_are_refused(api, tenant, common):
    """The first, the last, some between; the whole table is gone through in the unit test."""
    for password in [*common[:20], *common[1000:TAKEN:9999], common[-1]]:
        assert checks.issues(api.post("/users/", new(tenant, password=password))) == {
            "body.password": "password_too_common"}, password


@pytest.mark.parametrize("password", ["PASSWORD", "Password1", "QwErTyUiOp", "SENHA123"])
def test_common_whatever_their_case(api, tenant, password):
    assert checks.issues(api.post("/users/", new(tenant, password=password))) == {"body.password": "password_too_common"}


def test_common_at_a_change(api, tenant):
    user = harness.make_user(api, tenant)
    assert checks.issues(api.put(f"/users/{user['id']}", {"password": "12345678"})) == {
        "body.password": "password_too_common"}


@pytest.mark.parametrize("password", ["Conceição Prates", "CONCEICAO PRATES", "Conce.Prates@example.com", "conce.prates"])
def test_what_is_known_of_the_person(api, tenant, password):
    person = {"name": "Conceição Prates", "email": "conce.prates@example.com"}
    refused = {"body.password": "password_personal"}
    assert checks.issues(api.post("/users/", new(tenant, **person, password=password))) == refused
    user = api.post("/users/", new(tenant, **person)).json
    assert checks.issues(api.put(f"/users/{user['id']}", {"password": password})) == refused
    assert api.put(f"/users/{user['id']}", {"name": "Outra Pessoa", "email": "outra@example.com",
                                            "password": password}).status == 200


def test_refusals_speak_both_languages(api, tenant):
    for language, words in (("pt-BR", "Senha comum demais"), ("en", "too common")):
        reply = api.post("/users/", new(tenant, password="password"), headers={"Accept-Language": language})
        assert words in reply.json["errors"][0]["msg"]


def test_long_passphrases_and_any_sign_are_fine(api, tenant):
    for password in ("correct horse battery staple", "ação 🔑 não é comum", " leading and trailing "):
        assert api.post("/users/", new(tenant, password=password)).status == 201
