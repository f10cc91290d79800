"""MARCA_AUTH=optional: a call without a token is the operator's, when it is from this machine's own programs.

A browser on this machine also runs pages of the web: those must not act as the operator, neither by calling
http://127.0.0.1 (their Origin tells), nor after their own name was made to lead here (Host tells).
"""
import pytest

from harness import Marca


@pytest.fixture(scope="module")
def marca():
    with Marca(env={"MARCA_AUTH": "optional"}) as marca:
        yield marca


HERE = [
    {},
    {"Host": "localhost:8000"},
    {"Host": "[::1]:8000"},
    {"Host": "LOCALHOST"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "http://127.0.0.1:5173"},
    {"Origin": "http://[::1]:3000"},
]
ELSEWHERE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://127.0.0.1.evil.example:8000"},
    {"Origin": "http://evil.example", "Host": "evil.example"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example:8000"},
    {"Host": "localhost.evil.example"},
    {"Host": "192.168.1.7:8000"},
    {"X-Forwarded-For": "203.0.113.7"},
    {"Forwarded": "for=203.0.113.7"},
    {"Via": "1.1 proxy"},
    {"X-Real-IP": "203.0.113.7"},
]


@pytest.mark.parametrize("headers", HERE)
def test_from_here_it_is_the_operators(marca, headers):
    assert marca.api().get("/tenants/", headers=headers).status == 200


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_from_a_page_of_the_web_it_is_nobodys(marca, headers):
    reply = marca.api().get("/tenants/", headers=headers)
    assert reply.status == 401 and reply.json["error"] == "unauthorized"


@pytest.fixture(scope="module")
def behind():
    """A marca that trusts a proxy on this machine."""
    with Marca(env={"MARCA_AUTH": "optional", "TRUSTED_PROXIES": "127.0.0.1"}) as marca:
        yield marca


@pytest.mark.parametrize("headers", [*HERE, {"X-Real-IP": "127.0.0.1"}, {"X-Real-IP": "::1"}])
def test_a_trusted_proxy_tells_of_somebody_here(behind, headers):
    assert behind.api().get("/tenants/", headers={"X-Forwarded-For": "127.0.0.1", **headers}).status == 200


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_of_somebody_elsewhere_whatever_else_is_said(behind, headers):
    """For one that stands before it may have named him only there."""
    assert behind.api().get("/tenants/", headers={"X-Forwarded-For": "127.0.0.1", **headers}).status == 401


def test_a_token_is_good_from_anywhere(marca):
    api = marca.operator()
    assert api.get("/tenants/", headers={"Origin": "https://app.example"}).status == 200


def test_nobody_is_the_operator_where_it_is_required():
    with Marca(env={"MARCA_AUTH": "required"}) as marca:
        assert marca.api().get("/tenants/").status == 401
        assert marca.api().get("/health").status == 200
