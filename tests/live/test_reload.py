"""SIGHUP: what config_live.def lists is taken over from the file of settings, whole or not at all."""
import os
import re
import signal

import pytest

import harness
import journal
from business import ANY_TIME, Business

ORIGIN = "https://app.example.com"


class Reloaded:
    """A marca with a file of settings; write() replaces it, as an editor does, and reload() waits for the answer."""

    def __init__(self, text="", store="sqlite", env=None, **options):
        self.marca = harness.Marca(store, env={**(env or {}), "MARCA_CONFIG_FILE": "..."}, **options)
        self.path = self.marca.folder / "marca.conf"
        self.marca.env["MARCA_CONFIG_FILE"] = str(self.path)
        self.write(text)

    def __enter__(self):
        self.marca.__enter__()
        return self

    def __exit__(self, *what):
        self.marca.__exit__(*what)

    def write(self, text, mode=0o600):
        new = self.path.with_suffix(".new")
        new.write_text(text)
        new.chmod(mode)
        new.rename(self.path)

    def reload(self, text, mode=0o600):
        """What the log says of it."""
        self.write(text, mode)
        told = self.told()
        self.marca.process.send_signal(signal.SIGHUP)
        harness.until("the log says how it went", lambda: self.told() > told)
        return self.marca.log()

    def told(self):
        return len(re.findall("settings reloaded|settings are not taken over", self.marca.log()))

    def get(self, path="/health", **headers):
        return harness.Api(self.marca.address, headers).get(path)


def allowed(server, origin=ORIGIN):
    return server.get(Origin=origin).headers["Access-Control-Allow-Origin"]


def test_the_file_is_under_the_environment():
    with Reloaded(f"# ours\nCORS_ORIGINS={ORIGIN}\nCORS_MAX_AGE=7\n", env={"CORS_MAX_AGE": "9"}) as server:
        assert allowed(server) == ORIGIN and allowed(server, "https://other.example.com") is None
        preflight = harness.Api(server.marca.address).request(
            "OPTIONS", "/tenants/", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
        assert preflight.headers["Access-Control-Max-Age"] == "9"


@pytest.mark.parametrize("text, words", [
    ("MARCA_LOG_LEVEL=info\nMARCA_LOGLEVEL=debug\n", "marca.conf, line 2: there is no such setting"),
    ("MARCA_THREADS=two\n", "MARCA_THREADS=two: must be a whole number"),
    ("CORS_ORIGINS=app.example.com\n", "CORS_ORIGINS: app.example.com: must be"),
    ("MARCA_CONFIG_FILE=/etc/marca.conf\n", "line 1: there is no such setting"),
])
def test_no_start_with_a_bad_file(text, words):
    with pytest.raises(AssertionError, match=re.escape(words)), Reloaded(text):
        pass


def test_cors():
    with Reloaded(f"CORS_ORIGINS={ORIGIN}\n") as server:
        log = server.reload("CORS_ORIGINS=https://new.example.com\nCORS_ALLOW_CREDENTIALS=1\n")
        assert allowed(server) is None and allowed(server, "https://new.example.com") == "https://new.example.com"
        assert server.get(Origin="https://new.example.com").headers["Access-Control-Allow-Credentials"] == "true"
        assert "a setting has changed" in log and "CORS_ORIGINS" in log and "CORS_MAX_AGE" not in log


def limited(server, count=6, **headers):
    return any(harness.Api(server.marca.address, headers).get("/tenants/").status == 429 for _ in range(count))


def test_rates_and_proxies():
    with Reloaded("RATE_IP=0\n") as server:
        assert not limited(server)
        server.reload("RATE_IP=1\n")
        assert limited(server, 60)
        # Each request from another client, once the proxy before marca is believed.
        server.reload("RATE_IP=1\nTRUSTED_PROXIES=127.0.0.1\n")
        replies = [server.get("/tenants/", **{"X-Forwarded-For": f"192.0.2.{n}"}) for n in range(20)]
        assert {reply.status for reply in replies} == {401}  # whoever comes through a proxy is nobody without a token
        server.reload("")
        assert not limited(server)


def test_rate_of_logins():
    with Reloaded("", env={"RATE_LOGIN": None}) as server:
        server.reload("RATE_LOGIN=2\n")
        api = server.marca.api()
        tenant = harness.make_tenant(api)
        body = {"tenant_id": tenant["id"], "email": "nobody@example.com", "password": "x"}
        assert [api.post("/auth/login", body).status for _ in range(3)] == [401, 401, 429]


def test_log():
    with Reloaded("MARCA_LOG_FORMAT=json\n") as server:
        assert '"message":"settings reloaded"' in server.reload("MARCA_LOG_FORMAT=json\nMARCA_LOG_LEVEL=debug\n")
        assert " settings reloaded\n" in server.reload("MARCA_LOG_FORMAT=text\n")
        server.write(f"MARCA_LOG_FORMAT=text\nMARCA_LOG_LEVEL=error\nCORS_ORIGINS={ORIGIN}\n")
        told = server.told()
        server.marca.process.send_signal(signal.SIGHUP)
        harness.until("it is taken over", lambda: allowed(server, "https://other.example.com") is None)
        # At that level a reload that goes well says nothing; the next one does.
        assert "no such setting" in server.reload("X=1\n") and server.told() == told + 1


def test_drain():
    with Reloaded("MARCA_DRAIN_DELAY_SECONDS=600\n") as server:
        server.reload("MARCA_DRAIN_SECONDS=5\n")
        # leaving it stops it, and it would take ten minutes


@pytest.mark.parametrize("bad, words", [
    ("CORS_ORIGINS=nonsense\n", "CORS_ORIGINS: nonsense: must be"),
    ("TRUSTED_PROXIES=nonsense\n", "TRUSTED_PROXIES"),
    ("RATE_IP=many\n", "RATE_IP=many: must be a whole number"),
    ("MARCA_LOG_LEVEL=loud\n", "MARCA_LOG_LEVEL=loud: must be one of"),
    ("ENVIRONMENT=produktion\n", None),  # not live: it takes a restart, and what is wrong with it is told there
    ("MARCA_THREADS=0\n", "MARCA_THREADS=0: must be"),
    ("no setting\n", "line 3: it is no KEY=VALUE"),
])
def test_refused_whole(bad, words):
    """The good line before the bad one is not taken over either."""
    with Reloaded(f"CORS_ORIGINS={ORIGIN}\n") as server:
        good = [line for line in ("MARCA_LOG_LEVEL=info", "RATE_IP=1") if line.split("=")[0] != bad.split("=")[0]]
        log = server.reload("\n".join([*good, bad]))
        if words is None:
            assert "takes a restart" in log and "settings reloaded" in log
            return
        assert words in log and "nothing has changed" in log
        assert allowed(server) == ORIGIN and not limited(server, 20)
        server.write("")
        os.unlink(server.path)
        told = server.told()
        server.marca.process.send_signal(signal.SIGHUP)
        harness.until("it says that there is no file", lambda: server.told() > told)
        assert allowed(server) == ORIGIN


def test_what_takes_a_restart_is_told(tmp_path):
    """By its name; a secret's value stays out of the log."""
    key = tmp_path / "key"
    key.write_text(os.urandom(64).hex())
    key.chmod(0o600)
    with Reloaded(f"MARCA_THREADS=1\nSECRET_KEY_FILE={key}\n") as server:
        fresh = os.urandom(64).hex()
        key.write_text(fresh)
        log = server.reload(f"MARCA_THREADS=2\nSECRET_KEY_FILE={key}\n")
        assert re.search("takes a restart.*MARCA_THREADS", log) and re.search("takes a restart.*SECRET_KEY", log)
        assert fresh not in log
        assert "everybody may read this file" in server.reload(f"SECRET_KEY={fresh}\n", 0o644)


def test_under_load():
    """Reload after reload, while others are served by what is being replaced."""
    with Reloaded("", env={"MARCA_THREADS": "2"}) as server:
        business = Business(server.marca.api(), ANY_TIME)
        with journal.Clients(server.marca.address, business) as clients:
            for n in range(20):
                server.reload(f"CORS_ORIGINS=https://{n}.example.com\nRATE_IP={100000 + n}\nMARCA_LOG_LEVEL=info\n")
            clients.finish()
        assert journal.disturbed(clients.journal) == {} and clients.journal.unanswered == []
        assert journal.faults(clients.journal, journal.stored(server.marca, business)) == []
        assert allowed(server, "https://19.example.com") == "https://19.example.com"
