"""Where a request bears its token: in one header, by one scheme, and nowhere else. RFC 6750; RFC 9110, 11.1."""
import pytest

from forge import assert_refused

HEADERS = {
    "no header at all": lambda t: [],
    "two good ones": lambda t: [("Authorization", f"Bearer {t.signed()}")] * 2,
    "two, in two cases": lambda t: [("Authorization", f"Bearer {t.signed()}"), ("authorization", f"Bearer {t.signed()}")],
    "a good one and an empty one": lambda t: [("Authorization", f"Bearer {t.signed()}"), ("Authorization", "")],
    "a good one and an API key": lambda t: [("Authorization", f"Bearer {t.signed()}"), ("X-API-Key", "mk_x")],
    "two in one": lambda t: [("Authorization", f"Bearer {t.signed()}, Bearer {t.signed()}")],
    "empty": lambda t: [("Authorization", "")],
    "the scheme alone": lambda t: [("Authorization", "Bearer")],
    "no scheme": lambda t: [("Authorization", t.signed())],
    "Basic": lambda t: [("Authorization", "Basic b3BlcmF0b3I6b3BlcmF0b3I=")],
    "Basic with a token": lambda t: [("Authorization", f"Basic {t.signed()}")],
    "Digest": lambda t: [("Authorization", 'Digest username="operator"')],
    "Token": lambda t: [("Authorization", f"Token {t.signed()}")],
    "DPoP": lambda t: [("Authorization", f"DPoP {t.signed()}")],
    "the scheme and more": lambda t: [("Authorization", f"BearerX {t.signed()}")],
    "the scheme twice": lambda t: [("Authorization", f"Bearer Bearer {t.signed()}")],
    "a tab between": lambda t: [("Authorization", f"Bearer\t{t.signed()}")],
    "two blanks between": lambda t: [("Authorization", f"Bearer  {t.signed()}")],
    "a colon": lambda t: [("Authorization", f"Bearer: {t.signed()}")],
    "an equals sign": lambda t: [("Authorization", f"Bearer={t.signed()}")],
    "quotes": lambda t: [("Authorization", f'Bearer "{t.signed()}"')],
    "a parameter": lambda t: [("Authorization", f"Bearer token={t.signed()}")],
    "in a cookie": lambda t: [("Cookie", f"access_token={t.signed()}; Authorization=Bearer {t.signed()}")],
    "in Proxy-Authorization": lambda t: [("Proxy-Authorization", f"Bearer {t.signed()}")],
    "in X-Authorization": lambda t: [("X-Authorization", f"Bearer {t.signed()}")],
    "as an API key": lambda t: [("X-API-Key", t.signed())],
    "said by a proxy": lambda t: [("X-Forwarded-User", "operator"), ("X-Remote-User", "operator")],
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers(target, case):
    assert_refused(target.ask(HEADERS[case](target)))
    assert target.bears(target.signed()).status == 200


def test_what_is_refused_is_told_by_rfc_6750(target):
    """An error where something was sent, none where nothing was."""
    assert target.ask([]).headers["WWW-Authenticate"] == 'Bearer realm="marca"'
    assert target.bears("x").headers["WWW-Authenticate"] == 'Bearer realm="marca", error="invalid_token"'


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_may_be_written_in_any_case(target, scheme):
    for name in ("Authorization", "authorization", "AUTHORIZATION"):
        assert target.ask([(name, f"{scheme} {target.signed()}")]).status == 200


def test_blanks_around_the_value_are_https(target):
    assert target.ask([("Authorization", f" \tBearer {target.signed()} \t ")]).status == 200
