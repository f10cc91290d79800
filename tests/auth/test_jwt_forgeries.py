"""Forged tokens: each is refused with 401, none harms the server, and a good one is taken all the same.

The forger knows more than he should: most forgeries bear a good signature by the server's own key, so that what is
refused is the one thing that is wrong with them. Some 300 of them; what else may be wrong with a request that bears a
token is in test_bearer.py. RFC 8725; OWASP API2:2023.
"""
import json
import time
import uuid

import pytest

import forge
import harness
from forge import SECRET_KEY, assert_refused, b64, token

NOBODY = str(uuid.UUID(int=0))
FORGERIES = {}


# --- What is taken: the forger's tools are good ---------------------------------------


def test_what_marca_signs_is_taken(target):
    assert target.bears(target.server.run("token").strip()).status == 200
    assert target.bears(target.access, "/users/me").status == 200


def test_what_is_signed_by_hand_as_marca_does_it_is_taken(target):
    assert target.bears(target.signed()).status == 200
    reply = target.bears(token(target.key, target.person()), "/users/me")
    assert reply.status == 200 and reply.json["id"] == target.users[0]["id"]


def test_people_get_the_algorithm_that_was_chosen(target):
    header, payload, signature = target.access.split(".")
    said = json.loads(forge.unb64(header))
    assert said == (target.secret.header if target.has_secret else target.key.header)
    if target.has_secret:
        assert forge.unb64(signature) == target.secret.sign(f"{header}.{payload}")
        assert target.bears(token(target.secret, target.person()), "/users/me").status == 200
    else:
        target.key.private.public_key().verify(forge.unb64(signature), f"{header}.{payload}".encode())


def test_rights_are_not_in_tokens(target):
    said = json.loads(forge.unb64(target.access.split(".")[1]))
    assert list(said) == ["iss", "aud", "client_id", "sub", "iat", "nbf", "exp", "jti", "tid", "sid"]


def test_the_address_bears_no_token(target):
    assert_refused(target.ask([], f"/tenants/?access_token={target.signed()}"))


# --- Forgeries: the text -------------------------------------------------------------------


def forgery(function):
    """A table's row: its name is what is wrong with the token."""
    FORGERIES[function.__name__] = function
    return function


def forgeries(group, **rows):
    FORGERIES.update({f"{group}: {name.replace('_', ' ')}": row for name, row in rows.items()})


def parts(target):
    return target.signed().split(".")


forgeries(
    "text",
    a_word=lambda t: "operator",
    null=lambda t: "null",
    dots=lambda t: "..",
    more_dots=lambda t: "....",
    one_part=lambda t: parts(t)[0],
    two_parts=lambda t: ".".join(parts(t)[:2]),
    no_signature=lambda t: ".".join(parts(t)[:2]) + ".",
    no_header=lambda t: "." + ".".join(parts(t)[1:]),
    no_payload=lambda t: f"{parts(t)[0]}..{parts(t)[2]}",
    four_parts=lambda t: t.signed() + ".e30",
    a_dot_behind=lambda t: t.signed() + ".",
    a_dot_before=lambda t: "." + t.signed(),
    five_parts_as_jwe=lambda t: f"{b64(json.dumps({'alg': 'dir', 'enc': 'A256GCM'}))}..{b64('iv')}.{b64('text')}.{b64('tag')}",
    twice=lambda t: f"{t.signed()}.{t.signed()}",
    padded_header=lambda t: "{}=.{}.{}".format(*parts(t)),
    padded_payload=lambda t: "{}.{}==.{}".format(*parts(t)),
    padded_signature=lambda t: t.signed() + "==",
    a_blank_within=lambda t: t.signed()[:40] + " " + t.signed()[40:],
    a_tab_within=lambda t: t.signed()[:40] + "\t" + t.signed()[40:],
    percent_encoded=lambda t: t.signed().replace(".", "%2E"),
    in_quotes=lambda t: f'"{t.signed()}"',
    json_serialization=lambda t: json.dumps(dict(zip(("protected", "payload", "signature"), parts(t)))),
    general_json_serialization=lambda t: json.dumps(
        {"payload": parts(t)[1], "signatures": [{"protected": parts(t)[0], "signature": parts(t)[2]}]}),
    capital_letters=lambda t: t.signed().upper(),
    full_width_dots=lambda t: t.signed().replace(".", "．").encode(),
    a_cyrillic_letter=lambda t: t.signed().replace("e", "е", 1).encode(),
    a_zero_width_blank=lambda t: (t.signed() + "\u200b").encode(),
    a_byte_order_mark=lambda t: ("\ufeff" + t.signed()).encode(),
    bytes_of_no_utf8=lambda t: t.signed().encode() + b"\xff\xfe",
    huge=lambda t: "A" * 6000,
    huge_signature=lambda t: t.signed() + "A" * 4000,
    many_dots=lambda t: "." * 5000,
)


@forgery
def a_byte_that_some_decoders_take_for_an_underscore(target):
    """libsodium 1.0.18 does: 0x80 for '_'."""
    while True:
        head, _, signature = target.signed().rpartition(".")
        if "_" in signature:
            return head.encode() + b"." + signature.encode().replace(b"_", b"\x80", 1)


@forgery
def set_bits_behind_the_signatures_end(target):
    """86 characters are 516 bits; four of them are nobody's."""
    text = target.signed()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


@forgery
def a_token_in_a_token(target):
    return token(target.key, b64(target.signed()), target.header(cty="JWT"))


# --- Forgeries: the header, under a good signature -------------------------------------------

forgeries(
    "alg",
    none=lambda t: token(t.key, t.operator(), t.header(alg="none"), b""),
    none_without_kid=lambda t: token(t.key, t.operator(), {"alg": "none"}, b""),
    None_=lambda t: token(t.key, t.operator(), t.header(alg="None"), b""),
    NONE=lambda t: token(t.key, t.operator(), t.header(alg="NONE"), b""),
    nOnE=lambda t: token(t.key, t.operator(), t.header(alg="nOnE"), b""),
    none_with_a_signature=lambda t: t.signed(header=t.header(alg="none")),
    none_with_blanks=lambda t: token(t.key, t.operator(), t.header(alg=" none "), b""),
    empty=lambda t: t.signed(header=t.header(alg="")),
    null=lambda t: t.signed(header=t.header(alg=None)),
    absent=lambda t: t.signed(header=t.header(alg=...)),
    number=lambda t: t.signed(header=t.header(alg=0)),
    list=lambda t: t.signed(header=t.header(alg=["EdDSA"])),
    small_letters=lambda t: t.signed(header=t.header(alg="eddsa")),
    a_blank=lambda t: t.signed(header=t.header(alg="EdDSA ")),
    Ed25519=lambda t: t.signed(header=t.header(alg="Ed25519")),
    Ed448=lambda t: t.signed(header=t.header(alg="Ed448")),
    ES256=lambda t: t.signed(header=t.header(alg="ES256")),
    ES256_with_nothing=lambda t: token(t.key, t.operator(), t.header(alg="ES256"), bytes(64)),  # CVE-2022-21449
    RS256=lambda t: t.signed(header=t.header(alg="RS256")),
    PS512=lambda t: t.signed(header=t.header(alg="PS512")),
    named_twice=lambda t: t.signed(header=json.dumps(t.key.header)[:-1] + ',"alg":"none"}'),
)


def confused(secret, alg="HS512", hashed="sha512", kid=None):
    """The public key, which everybody has, as the secret of an HMAC."""
    def forged(target):
        key = forge.Secret(secret(target), hashed)
        # A person's: the operator's would be refused for that alone.
        return token(key, target.person(), target.header(alg=alg, **({"kid": kid} if kid else {})))
    return forged


forgeries(
    "alg confusion",
    public_key=confused(lambda t: t.key.public),
    public_key_as_text=confused(lambda t: t.key.x),
    public_key_as_pem=confused(lambda t: t.key.pem),
    public_key_as_jwk=confused(lambda t: json.dumps(t.key.jwk)),
    key_set=confused(lambda t: t.server.api().get("/.well-known/jwks.json").body),
    public_key_HS256=confused(lambda t: t.key.public, "HS256", "sha256"),
    public_key_HS384=confused(lambda t: t.key.public, "HS384", "sha384"),
    nothing=confused(lambda t: b""),
    zeros=confused(lambda t: bytes(64)),
    public_key_by_the_secrets_name=confused(lambda t: t.key.public, kid="SECRET_KEY"),
    nothing_by_the_secrets_name=confused(lambda t: b"", kid="SECRET_KEY"),
    a_guess_by_the_secrets_name=confused(lambda t: "secret", kid="SECRET_KEY"),
    the_issuer_by_the_secrets_name=confused(lambda t: forge.ISSUER, kid="SECRET_KEY"),
    secret_as_HS256=confused(lambda t: SECRET_KEY, "HS256", "sha256", "SECRET_KEY"),
    secret_under_the_other_kid=confused(lambda t: SECRET_KEY),
    EdDSA_under_the_secrets_kid=lambda t: t.signed(header=t.header(kid="SECRET_KEY")),
    HS512_with_a_signature=lambda t: t.signed(t.person(), t.secret.header),
    HS512_with_zeros=lambda t: token(t.secret, t.person(), signature=bytes(64)),
    HS512_cut_off=lambda t: token(t.secret, t.person())[:-4],
    HS512_of_another_token=lambda t: ".".join(
        [*token(t.secret, t.person()).split(".")[:2], token(t.secret, t.person()).split(".")[2]]),
    # The secret is shared with other services: none of them shall become the operator.
    operator_by_the_secret=lambda t: token(t.secret, t.operator()),
)

forgeries(
    "kid",
    absent=lambda t: t.signed(header=t.header(kid=...)),
    null=lambda t: t.signed(header=t.header(kid=None)),
    empty=lambda t: t.signed(header=t.header(kid="")),
    number=lambda t: t.signed(header=t.header(kid=0)),
    list=lambda t: t.signed(header=t.header(kid=[t.key.kid])),
    unknown=lambda t: token(t.mine, t.operator()),
    small_letters=lambda t: t.signed(header=t.header(kid=t.key.kid.lower())),
    longer=lambda t: t.signed(header=t.header(kid=t.key.kid + "A")),
    cut_off=lambda t: t.signed(header=t.header(kid=t.key.kid[:-1])),
    a_NUL_behind=lambda t: t.signed(header=t.header(kid=t.key.kid + "\0")),
    the_key_that_seals=lambda t: t.signed(
        header=t.header(kid=next((t.server.data / "keys").glob("*.xchacha20")).name.split("-", 1)[1].split(".")[0])),
    a_path=lambda t: token(forge.Secret(b""), t.operator(), t.header(alg="HS512", kid="../../../../../../dev/null")),
    a_path_of_a_file=lambda t: t.signed(header=t.header(kid="/etc/passwd")),
    a_files_name=lambda t: t.signed(header=t.header(kid=max((t.server.data / "keys").glob("*.ed25519")).name)),
    sql=lambda t: token(forge.Secret("x"), t.operator(), t.header(alg="HS512", kid="' UNION SELECT 'x' --")),
    shell=lambda t: t.signed(header=t.header(kid="`id`|$(id)")),
    format=lambda t: t.signed(header=t.header(kid="%s%n%x" * 20)),
    an_address=lambda t: t.signed(header=t.header(kid="http://127.0.0.1:1/key")),
    huge=lambda t: t.signed(header=t.header(kid="A" * 2000)),
)

forgeries(
    "typ",
    JWT=lambda t: t.signed(header=t.header(typ="JWT")),
    absent=lambda t: t.signed(header=t.header(typ=...)),
    null=lambda t: t.signed(header=t.header(typ=None)),
    id_token=lambda t: t.signed(header=t.header(typ="id_token+jwt")),
    logout=lambda t: t.signed(header=t.header(typ="logout+jwt")),
    capital_letters=lambda t: t.signed(header=t.header(typ="AT+JWT")),
    media_type=lambda t: t.signed(header=t.header(typ="application/at+jwt")),
)

forgeries(
    "header",
    crit=lambda t: t.signed(header=t.header(crit=["exp"])),
    crit_of_nothing=lambda t: t.signed(header=t.header(crit=[])),
    crit_unknown=lambda t: t.signed(header=t.header(crit=["x"], x=1)),
    unencoded_payload=lambda t: t.signed(header=t.header(crit=["b64"], b64=False)),
    zipped=lambda t: t.signed(header=t.header(zip="DEF")),
    jwk=lambda t: token(t.mine, t.operator(), t.header(jwk=t.mine.jwk)),
    jwk_and_its_kid=lambda t: token(t.mine, t.operator(), {**t.mine.header, "jwk": t.mine.jwk}),
    jku=lambda t: token(t.mine, t.operator(), {**t.mine.header, "jku": "http://127.0.0.1:1/jwks.json"}),
    jku_of_ours=lambda t: t.signed(header=t.header(jku=f"{t.server.url}/.well-known/jwks.json")),
    x5u=lambda t: token(t.mine, t.operator(), {**t.mine.header, "x5u": "file:///etc/ssl/certs/ca-certificates.crt"}),
    x5c=lambda t: token(t.mine, t.operator(), t.header(x5c=["MIIB"])),
    duplicate_kid=lambda t: token(t.mine, t.operator(), json.dumps(t.key.header)[:-1] + f',"kid":"{t.mine.kid}"}}'),
    one_member_more=lambda t: t.signed(header=t.header(x=1)),
    another_order=lambda t: t.signed(header=dict(reversed(list(t.key.header.items())))),
    blanks=lambda t: t.signed(header=json.dumps(t.key.header)),
    an_escaped_letter=lambda t: t.signed(header=forge.compact(t.key.header).replace("EdDSA", "\\u0045dDSA")),
    empty_object=lambda t: t.signed(header={}),
    list=lambda t: t.signed(header=[t.key.header]),
    text=lambda t: t.signed(header='"EdDSA"'),
    null=lambda t: t.signed(header="null"),
    no_json=lambda t: t.signed(header="alg=EdDSA"),
    brackets=lambda t: t.signed(header="[" * 2000),
    bad_utf8=lambda t: t.signed(header=b'{"alg":"EdDSA\xff"}'),
)

# --- Forgeries: the signature -----------------------------------------------------------------

# Encodings of points whose order divides 8, by which one signature could fit many keys and texts.
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # 1, not reduced
]


def resigned(change):
    """The good signature of a good token, changed."""
    def forged(target):
        text, _, signature = target.signed().rpartition(".")
        return f"{text}.{b64(change(forge.unb64(signature)))}"
    return forged


def plus_order(signature):
    s = int.from_bytes(signature[32:], "little") + forge.ORDER
    return signature[:32] + s.to_bytes(32, "little")


def of_another_token(target):
    text, other = target.signed(target.person()).rpartition(".")[0], target.signed().rpartition(".")[2]
    return f"{text}.{other}"


def over(text_of):
    """Good, but over something else than header and payload."""
    def forged(target):
        header, payload, _ = parts(target)
        return f"{header}.{payload}.{b64(target.key.private.sign(text_of(header, payload)))}"
    return forged


forgeries(
    "signature",
    zeros=resigned(lambda s: bytes(64)),
    ones=resigned(lambda s: b"\xff" * 64),
    cut_off=resigned(lambda s: s[:-1]),
    half=resigned(lambda s: s[:32]),
    longer=resigned(lambda s: s + b"\0"),
    one_bit=resigned(lambda s: bytes([s[0] ^ 1]) + s[1:]),
    the_sign_bit_of_R=resigned(lambda s: s[:31] + bytes([s[31] ^ 0x80]) + s[32:]),
    high_bits_of_S=resigned(lambda s: s[:63] + bytes([s[63] | 0xe0])),
    S_not_reduced=resigned(plus_order),
    halves_exchanged=resigned(lambda s: s[32:] + s[:32]),
    backwards=resigned(lambda s: s[::-1]),
    hex=resigned(lambda s: s.hex()),
    by_another_key=lambda t: token(t.mine, t.operator(), t.key.header),
    of_another_token=of_another_token,
    over_the_payload_alone=over(lambda header, payload: payload.encode()),
    over_the_json=over(lambda header, payload: forge.unb64(header) + b"." + forge.unb64(payload)),
    over_no_dot=over(lambda header, payload: (header + payload).encode()),
    **{f"small_order_{i}": (lambda t, point=point: token(
        t.key, t.operator(), signature=bytes.fromhex(point) + bytes(32))) for i, point in enumerate(SMALL_ORDER)},
)


@forgery
def another_payload_under_the_old_signature(target):
    header, payload, signature = target.access.split(".")
    return f"{header}.{b64(forge.unb64(payload).replace(target.users[0]['id'].encode(), target.users[1]['id'].encode()))}.{signature}"


# --- Forgeries: the claims, under a good signature ---------------------------------------------


def claim(name, value):
    return lambda t: t.signed(t.operator(**{name: value(t) if callable(value) else value}))


def now(seconds):
    return lambda target: int(time.time()) + seconds


forgeries(
    "exp",
    past=lambda t: t.signed(t.operator(iat=int(time.time()) - 60, nbf=int(time.time()) - 60, exp=int(time.time()) - 1)),
    before_iat=claim("exp", now(-1)),
    long_past=claim("exp", 1),
    zero=claim("exp", 0),
    negative=claim("exp", -1),
    absent=claim("exp", ...),
    null=claim("exp", None),
    true=claim("exp", True),
    text=claim("exp", lambda t: str(int(time.time()) + 600)),
    fraction=claim("exp", lambda t: time.time() + 600),
    list=claim("exp", lambda t: [int(time.time()) + 600]),
    milliseconds=claim("exp", lambda t: (int(time.time()) + 600) * 1000),
    more_than_a_day=claim("exp", now(86500)),
    of_64_bits=claim("exp", 2**63 - 1),
    of_more_bits=claim("exp", 2**80),
    infinite=lambda t: t.signed(forge.compact(t.operator(exp=0)).replace('"exp":0', '"exp":1e999')),
    exponent=lambda t: t.signed(forge.compact(t.operator(exp=0)).replace('"exp":0', '"exp":99e9')),
    nan=lambda t: t.signed(forge.compact(t.operator(exp=0)).replace('"exp":0', '"exp":NaN')),
    twice=lambda t: t.signed(forge.compact(t.operator(exp=1))[:-1] + f',"exp":{int(time.time()) + 600}}}'),
)

forgeries(
    "other times",
    nbf_to_come=claim("nbf", now(60)),
    nbf_text=claim("nbf", "0"),
    nbf_null=claim("nbf", None),
    nbf_absent=claim("nbf", ...),
    iat_to_come=claim("iat", now(60)),
    iat_absent=claim("iat", ...),
    iat_text=claim("iat", "0"),
    iat_after_exp=lambda t: t.signed(t.operator(iat=int(time.time()) + 4, exp=int(time.time()) + 3)),
    iat_long_ago=claim("iat", 0),
)

forgeries(
    "iss and aud",
    iss_of_another=claim("iss", "https://evil.example"),
    iss_absent=claim("iss", ...),
    iss_null=claim("iss", None),
    iss_list=claim("iss", [forge.ISSUER]),
    iss_with_a_slash=claim("iss", forge.ISSUER + "/"),
    iss_with_more=claim("iss", forge.ISSUER + ".evil.example"),
    iss_by_https=claim("iss", forge.ISSUER.replace("http:", "https:")),
    iss_in_capitals=claim("iss", forge.ISSUER.upper()),
    iss_with_a_NUL=claim("iss", forge.ISSUER + "\0"),
    aud_of_another=claim("aud", "https://evil.example"),
    aud_absent=claim("aud", ...),
    aud_null=claim("aud", None),
    aud_empty=claim("aud", ""),
    aud_list=claim("aud", ["marca"]),
    aud_list_of_two=claim("aud", ["evil", "marca"]),
    aud_in_capitals=claim("aud", "MARCA"),
    client_of_another=claim("client_id", "evil"),
    client_absent=claim("client_id", ...),
)

forgeries(
    "who",
    nobody=claim("sub", ...),
    sub_null=claim("sub", None),
    sub_number=claim("sub", 1),
    sub_in_capitals=claim("sub", "Operator"),
    sub_a_homoglyph=claim("sub", "оperator"),
    role_admin=claim("role", "admin"),
    role_absent=claim("role", ...),
    role_null=claim("role", None),
    role_true=claim("role", True),
    role_list=claim("role", ["operator"]),
    operator_of_a_tenant=lambda t: t.signed(t.operator(tid=t.tenants[0]["id"])),
    operator_with_a_session=lambda t: t.signed(t.operator(sid=t.session)),
    operator_and_a_user=lambda t: t.signed(t.person(role="operator")),
    jti_absent=claim("jti", ...),
    jti_nil=claim("jti", NOBODY),
    jti_no_uuid=claim("jti", "1"),
    jti_number=claim("jti", 1),
    no_tenant=lambda t: t.signed(t.person(tid=...)),
    nil_tenant=lambda t: t.signed(t.person(tid=NOBODY)),
    null_tenant=lambda t: t.signed(t.person(tid=None)),
    tenant_sql=lambda t: t.signed(t.person(tid="' OR '1'='1")),
    tenants=lambda t: t.signed(t.person(tid=[t.tenants[0]["id"]])),
    no_session=lambda t: t.signed(t.person(sid=...)),
    nil_session=lambda t: t.signed(t.person(sid=NOBODY)),
    unknown_session=lambda t: t.signed(t.person(sid=str(uuid.uuid4()))),
    no_user=lambda t: t.signed(t.person(sub=...)),
    nil_user=lambda t: t.signed(t.person(sub=NOBODY)),
    unknown_user=lambda t: t.signed(t.person(sub=str(uuid.uuid4()))),
    unknown_tenant=lambda t: t.signed(t.person(tid=str(uuid.uuid4()))),
    another_user_of_the_tenant=lambda t: t.signed(t.person(sub=t.users[1]["id"])),
    another_tenant=lambda t: t.signed(t.person(tid=t.tenants[1]["id"])),
    another_tenants_user=lambda t: t.signed(t.person(sub=t.users[2]["id"], tid=t.tenants[1]["id"])),
    user_with_braces=lambda t: t.signed(t.person(sub="{" + t.users[0]["id"] + "}")),
    user_as_urn=lambda t: t.signed(t.person(sub="urn:uuid:" + t.users[0]["id"])),
)

forgeries(
    "payload",
    empty=lambda t: t.signed(""),
    empty_object=lambda t: t.signed({}),
    null=lambda t: t.signed("null"),
    true=lambda t: t.signed("true"),
    number=lambda t: t.signed("1"),
    text=lambda t: t.signed(json.dumps(forge.compact(t.operator()))),
    list=lambda t: t.signed(json.dumps([t.operator()])),
    within=lambda t: t.signed(json.dumps({"claims": t.operator()})),
    no_json=lambda t: t.signed("role=operator"),
    single_quotes=lambda t: t.signed(forge.compact(t.operator()).replace('"', "'")),
    a_comment=lambda t: t.signed(forge.compact(t.operator()) + "/**/"),
    a_comma=lambda t: t.signed(forge.compact(t.operator())[:-1] + ",}"),
    cut_off=lambda t: t.signed(forge.compact(t.operator())[:-1]),
    two_documents=lambda t: t.signed(forge.compact(t.operator()) * 2),
    more_behind=lambda t: t.signed(forge.compact(t.operator()) + "x"),
    a_byte_order_mark=lambda t: t.signed("\ufeff" + forge.compact(t.operator())),
    utf16=lambda t: t.signed(forge.compact(t.operator()).encode("utf-16")),
    bad_utf8=lambda t: t.signed(forge.compact(t.operator())[:-1].encode() + b',"x":"\xff"}'),
    a_surrogate=lambda t: t.signed(forge.compact(t.operator())[:-1] + ',"x":"\\ud800"}'),
    a_NUL=lambda t: t.signed(forge.compact(t.operator()) + "\0"),
    sub_twice=lambda t: t.signed(forge.compact(t.person())[:-1] + f',"sub":"{t.users[1]["id"]}"}}'),
    role_twice=lambda t: t.signed(forge.compact(t.operator(role="user"))[:-1] + ',"role":"operator"}'),
    brackets=lambda t: t.signed("[" * 2500),
    deep=lambda t: t.signed(forge.compact(t.operator())[:-1] + ',"x":' + "[" * 1000 + "]" * 1000 + "}"),
    too_long=lambda t: t.signed(t.operator(x="x" * 3000)),
    twice_encoded=lambda t: t.signed(b64(forge.compact(t.operator()))),
)

# --- Forgeries: other secrets in a token's place --------------------------------------------------

forgeries(
    "instead",
    refresh_token=lambda t: t.tokens[0]["refresh_token"],
    session=lambda t: t.session,
    api_key_that_nobody_made=lambda t: "mk_" + b64(uuid.uuid4().bytes * 4),
    link_that_nobody_made=lambda t: "ml_" + b64(uuid.uuid4().bytes * 4),
    public_key=lambda t: t.key.x,
    password=lambda t: harness.PASSWORD,
    token_of_another_house=lambda t: token(t.mine, t.operator()),
)


def test_there_are_enough_of_them():
    assert len(FORGERIES) >= 80


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries(target, name):
    forged = FORGERIES[name](target)
    assert_refused(target.bears(forged))
    assert_refused(target.bears(forged, "/users/me"))
    assert target.bears(target.signed()).status == 200


def test_a_known_signature_vouches_for_its_own_text_alone(target):
    """A good token is remembered by its signature."""
    good = target.signed()
    header, payload, signature = good.split(".")
    other = b64(json.dumps({**target.operator(), "exp": target.operator()["exp"] + 1}))
    assert target.bears(good).status == 200 == target.bears(good).status
    for text in (f"{header}.{other}", f"{header}.{payload[:-1]}", f"{header}.{payload}.", f"{header[:-1]}.{payload}", f"{header}", ".", ""):
        assert_refused(target.bears(f"{text}.{signature}"))
    for end in (signature[:-1], signature[:-1] + ("A" if signature[-1] != "A" else "B"), signature + "A", signature + "=", ""):
        assert_refused(target.bears(f"{header}.{payload}.{end}"))
    assert target.bears(good).status == 200


def test_a_secret_that_the_server_does_not_have_signs_nothing(target):
    reply = target.bears(token(target.secret, target.person()), "/users/me")
    assert reply.status == (200 if target.has_secret else 401)


def test_secrets_are_not_told(target):
    """Neither what came nor what it was checked with is in the log."""
    forged = [FORGERIES[name](target) for name in ("who: role admin", "instead: refresh token", "signature: zeros")]
    for text in forged:
        target.bears(text)
    log = target.server.stderr.read_text() + target.server.stdout.read_text()
    for text in [*forged, target.access, SECRET_KEY, target.server.operator().headers["Authorization"][7:]]:
        assert text not in log
