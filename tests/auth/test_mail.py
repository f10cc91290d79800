"""Mail about accounts, taken by a real SMTP server: what it says, that none is lost or sent twice, and that asking tells
nothing of who exists."""
import contextlib
import email
import email.policy
import re
import socket
import ssl
import statistics
import threading
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

import checks
import harness
from harness import PASSWORD

NEW = "outra senha bem comprida"


class Mailbox:
    """Handler of an SMTP server: keeps what comes. refuse: answers to the next recipients, "" takes one."""

    def __init__(self):
        self.letters = []
        self.refuse = []
        self.hold = threading.Event()
        self.hold.set()
        self.asked = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.asked += 1
        answer = self.refuse.pop(0) if self.refuse else ""
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.letters.append((envelope.mail_from, envelope.rcpt_tos, message))
        return "250 OK"

    def wait(self, count, seconds=30):
        harness.until(f"{count} letters", lambda: len(self.letters) >= count, seconds)
        return self.letters

    def stays(self, count, seconds=2.5):
        """More than two looks of the task."""
        time.sleep(seconds)
        assert len(self.letters) == count


@contextlib.contextmanager
def smtp(mailbox, port, **options):
    server = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def post(store, mailbox):
    """(marca with that server, its address)"""
    port = harness.free_port()
    with smtp(mailbox, port), harness.Marca(store, env=settings(port)) as marca:
        yield marca


def settings(port, **more):
    return {"MARCA_AUTH": "required", "SMTP_URL": f"smtp://127.0.0.1:{port}", "SMTP_FROM": "agenda@marca.example.com",
            "PUBLIC_URL": "https://agenda.example.com/", "MARCA_THREADS": "1", **more}


def people(marca, **fields):
    operator = marca.operator()
    tenant = harness.make_tenant(operator, name="Academia São João")
    user, api = harness.make_person(operator, tenant, **fields)
    return operator, tenant, user, api


def forgot(marca, address, **fields):
    headers = fields.pop("headers", None)
    reply = marca.api().post("/auth/password/forgot", {"email": address, **fields}, headers=headers)
    assert reply.status == 202 and not reply.body, reply
    return reply


def link_of(letter):
    return re.search(r"https?://\S+", letter[2].get_content()).group()


def reset(marca, link, new=NEW):
    return marca.api().post("/auth/password/reset", {"token": link.split("#")[1], "new_password": new})


# --- What comes -----------------------------------------------------------------------


def test_a_forgotten_password(post, mailbox):
    _, tenant, user, api = people(post)
    forgot(post, user["email"].upper(), tenant_id=tenant["id"])
    [(sender, to, message)] = mailbox.wait(1)
    assert (sender, to) == ("agenda@marca.example.com", [user["email"]])
    assert message["From"] == "agenda@marca.example.com" and message["To"] == user["email"]
    assert message["Subject"] == "Academia São João: nova senha" and message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].startswith("Mon, 1 Dec 2025 12:0") or message["Date"].startswith("Mon, 01 Dec 2025 12:0")
    text = message.get_content()
    assert "Academia São João" in text and "30 minutos" in text and user["name"] not in text
    link = link_of(mailbox.letters[0])
    assert link.startswith("https://agenda.example.com/reset#ml_")
    assert reset(post, link).status == 204
    assert api.get("/users/me").status == 401
    [_, (_, to, told)] = mailbox.wait(2)
    assert to == [user["email"]] and told["Subject"] == "Academia São João: sua senha foi trocada"
    assert "ml_" not in told.get_content()
    checks.told(reset(post, link), 400, "Link inválido, vencido ou já usado.")
    mailbox.stays(2)
    assert "ml_" not in post.log() and user["email"] not in post.log()


def test_a_change_is_told(post, mailbox):
    _, _, user, api = people(post)
    reply = api.post("/auth/password", {"current_password": PASSWORD, "new_password": NEW}, headers={"Accept-Language": "en"})
    assert reply.status == 200
    [(_, to, message)] = mailbox.wait(1)
    assert to == [user["email"]] and message["Subject"] == "Academia São João: your password was changed"
    assert "2025-12-01T12:0" in message.get_content()


def test_in_the_language_of_who_asks_and_by_domain(post, mailbox):
    _, tenant, user, _ = people(post)
    forgot(post, user["email"], domain=tenant["domain"].upper(), headers={"Accept-Language": "en"})
    [(_, _, message)] = mailbox.wait(1)
    assert message["Subject"] == "Academia São João: new password" and "within 30 minutes" in message.get_content()


def test_without_a_tenant_each_account_has_its_own(post, mailbox):
    operator, tenant, user, _ = people(post)
    other = harness.make_tenant(operator, name="Outro")
    harness.make_user(operator, other, email=user["email"], password="mais uma senha longa")
    forgot(post, user["email"])
    letters = mailbox.wait(2)
    assert {message["Subject"] for _, _, message in letters} == {"Academia São João: nova senha", "Outro: nova senha"}
    mine = next(letter for letter in letters if "São João" in letter[2]["Subject"])
    assert reset(post, link_of(mine)).status == 204
    assert harness.login(post.api(), tenant, user["email"], NEW)
    assert harness.login(post.api(), other, user["email"], "mais uma senha longa")


def test_nobody_is_sent_nothing(post, mailbox):
    operator, tenant, user, _ = people(post)
    idle = harness.make_user(operator, tenant, is_active=False)
    gone = harness.make_tenant(operator)
    lost = harness.make_user(operator, gone)
    assert operator.put(f"/tenants/{gone['id']}", {"is_active": False}).status == 200
    forgot(post, "nobody@example.com")
    forgot(post, "nobody@example.com", tenant_id=tenant["id"])
    forgot(post, user["email"], tenant_id=checks.some_id())
    forgot(post, user["email"], domain="nobody.example.org")
    forgot(post, idle["email"], tenant_id=tenant["id"])
    forgot(post, lost["email"], tenant_id=gone["id"])
    mailbox.stays(0, 3.5)
    forgot(post, user["email"], tenant_id=tenant["id"])
    mailbox.wait(1)
    mailbox.stays(1)


def test_an_address_is_sent_one_a_minute(post, mailbox):
    _, tenant, user, _ = people(post)
    for _ in range(5):
        forgot(post, user["email"], tenant_id=tenant["id"])
    mailbox.wait(1)
    forgot(post, user["email"], tenant_id=tenant["id"])
    mailbox.stays(1)
    post.stop()
    post.env["MARCA_CLOCK"] = "2025-12-01T12:02:00Z"
    post.start()
    forgot(post, user["email"], tenant_id=tenant["id"])
    mailbox.wait(2)


def test_what_is_no_address(post):
    for bad in ("x", "a b@c.com", "a@b.com\r\nBcc: c@d.com", "a@b.com\n", None):
        assert list(checks.issues(post.api().post("/auth/password/forgot", {"email": bad}))) == ["body.email"]


# --- What does not, at first ------------------------------------------------------------


def test_a_server_that_is_down_at_first(store, mailbox):
    """And a marca that ends meanwhile: the mail was in its store."""
    port = harness.free_port()
    with harness.Marca(store, env=settings(port)) as marca:
        _, tenant, user, _ = people(marca)
        forgot(marca, user["email"], tenant_id=tenant["id"])
        harness.until("the log tells", lambda: "mail could not be sent" in marca.log())
        time.sleep(2)  # told before it is committed, and due again after 5 s: not while it is claimed, which is for minutes
        marca.kill()
        with smtp(mailbox, port):
            marca.start()
            # The clock begins anew, behind the time at which the letter is due again.
            [letter] = mailbox.wait(1, 180)
            assert reset(marca, link_of(letter)).status == 204


def test_an_answer_of_4xx_is_tried_again_and_5xx_is_not(post, mailbox):
    operator, tenant, user, _ = people(post)
    mailbox.refuse = ["451 4.3.0 Come again"]
    forgot(post, user["email"], tenant_id=tenant["id"])
    mailbox.wait(1)
    assert mailbox.asked == 2
    other = harness.make_user(operator, tenant)
    mailbox.refuse = ["550 5.1.1 Nobody here"]
    forgot(post, other["email"], tenant_id=tenant["id"])
    harness.until("the log tells", lambda: "it is not tried again" in post.log())
    mailbox.stays(1, 7)
    assert mailbox.asked == 3


def test_a_server_that_does_not_answer_does_not_hold_up_a_stop(store):
    with socket.create_server(("127.0.0.1", 0)) as silent, \
            harness.Marca(store, env=settings(silent.getsockname()[1])) as marca:
        _, tenant, user, _ = people(marca)
        forgot(marca, user["email"], tenant_id=tenant["id"])
        silent.settimeout(harness.DEADLINE)
        with silent.accept()[0]:
            began = time.monotonic()
            marca.stop()
        assert time.monotonic() - began < 8


def test_two_processes_send_one(mailbox):
    port = harness.free_port()
    with smtp(mailbox, port), harness.Redis() as redis, \
            harness.Marca("postgres", env=settings(port, REDIS_URL=redis.url)) as one:
        env = settings(port, REDIS_URL=redis.url, MARCA_KEYS=str(one.data / "keys"))
        with harness.Marca("postgres", env=env, beside=one):
            operator, tenant, user, _ = people(one)
            others = [harness.make_user(operator, tenant) for _ in range(8)]
            for other in others:
                forgot(one, other["email"], tenant_id=tenant["id"])
            mailbox.wait(8)
            mailbox.stays(8, 3)
            assert sorted(to[0] for _, to, _ in mailbox.letters) == sorted(other["email"] for other in others)


# --- By TLS, and with a password ----------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smtp")
    harness.certificate(folder)
    return folder


def test_smtps_with_a_password(mailbox, certificate):
    port = harness.free_port()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    seen = []

    def check(server, session, envelope, mechanism, data):
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss word")

    env = settings(port, SMTP_URL=f"smtps://agenda:p%40ss%20word@localhost:{port}",
                   SMTP_CA_FILE=str(certificate / "cert.pem"))
    with smtp(mailbox, port, ssl_context=context, auth_required=True, auth_require_tls=False, authenticator=check), \
            harness.Marca("sqlite", env=env) as marca:
        _, tenant, user, _ = people(marca)
        forgot(marca, user["email"], tenant_id=tenant["id"])
        mailbox.wait(1)
        assert seen[-1] == (b"agenda", b"p@ss word")
        assert "p@ss" not in marca.log() and "p%40ss" not in marca.log()


def test_a_certificate_that_nobody_vouches_for(mailbox, certificate):
    port = harness.free_port()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    env = settings(port, SMTP_URL=f"smtps://localhost:{port}")
    with smtp(mailbox, port, ssl_context=context), harness.Marca("sqlite", env=env) as marca:
        _, tenant, user, _ = people(marca)
        forgot(marca, user["email"], tenant_id=tenant["id"])
        harness.until("the log tells", lambda: "mail could not be sent" in marca.log())
        assert "certificate" in marca.log()
        mailbox.stays(0)


# --- What asking tells ----------------------------------------------------------------------


def test_unset_is_answered_alike_and_told_once(store):
    with harness.Marca(store, env={"MARCA_AUTH": "required"}) as marca:
        _, tenant, user, _ = people(marca)
        for _ in range(3):
            forgot(marca, user["email"], tenant_id=tenant["id"])
            forgot(marca, "nobody@example.com")
        assert marca.log().count("SMTP_URL is not set") == 1
        assert checks.texts(marca, "user", "SELECT recipient FROM messages") == []


def test_unknown_addresses_take_as_long(post):
    """Medians of turns that both take within one run. Each address is asked for once: the first is the dear one."""
    operator, tenant, _, _ = people(post)
    known = [harness.make_user(operator, tenant)["email"] for _ in range(60)]
    api = post.api()

    def ask(address):
        began = time.perf_counter()
        assert api.post("/auth/password/forgot", {"email": address, "tenant_id": tenant["id"]}).status == 202
        return time.perf_counter() - began

    for n in range(5):
        ask(f"warm-{n}@example.com")
    turns = [(ask(address), ask(f"not-{address}")) for address in known]
    somebody, nobody = (statistics.median(times) for times in zip(*turns))
    assert 0.5 < somebody / nobody < 2, (somebody, nobody)
