"""deploy/systemd/marca@.service: the services apart, as strictly held as marca.service, which tests/shell/test_unit.py holds."""
import os
import re
import secrets
import subprocess

import harness
from test_compose import SERVICES
from units import WORST, analyze, exposure, settings

FOLDER = harness.ROOT / "deploy/systemd"
UNIT = FOLDER / "marca@.service"


def test_it_is_held_as_the_single_process_is():
    """Line by line, from the user on: so neither can grow laxer than the other."""
    one, other = (path.read_text().partition("\n# A user that exists while it runs")[2] for path in (FOLDER / "marca.service", UNIT))
    assert one.count("\n") > 50 and other == one.replace("/var/lib/marca.", "/var/lib/marca-%i.").replace("StateDirectory=marca\n", "StateDirectory=marca-%i\n")


def test_exposure(tmp_path):
    level, accepted = exposure(UNIT)
    assert level <= WORST and accepted
    laxer = tmp_path / "marca@.service"
    laxer.write_text(re.sub(r"^(PrivateUsers|ProtectSystem|PrivateDevices|SystemCallFilter)=.*\n", "", UNIT.read_text(), flags=re.M))
    level, accepted = exposure(laxer)
    assert level > WORST and not accepted


def test_verify(tmp_path):
    copy = tmp_path / "marca@.service"
    copy.write_text(UNIT.read_text().replace("/usr/bin/marca", str(harness.binary().resolve())))
    instance = tmp_path / "marca@tenant.service"
    instance.symlink_to(copy)
    done = analyze("verify", "--man=no", "--recursive-errors=no", instance)
    assert done.returncode == 0 and done.stderr == "", done
    copy.write_text(copy.read_text() + "\n[Service]\nLoadCredentail=X:/y\n")
    assert "LoadCredentail" in analyze("verify", "--man=no", "--recursive-errors=no", instance).stderr


def test_no_variable_is_misspelt():
    named = {value.partition("=")[0] for value in settings(UNIT)["Environment"]} | {value.partition(":")[0] for value in settings(UNIT)["LoadCredential"]}
    named |= set(re.findall(r"^([A-Z_]+)=", (FOLDER / "README.md").read_text(), re.M))
    assert len(named) > 8 and not named - harness.settings()


def test_the_readme_starts_the_fleet():
    """Every address that it gives to others is one that somebody listens on, and no secret is a setting."""
    text = (FOLDER / "README.md").read_text()
    urls = dict(re.findall(r"^(\w+)_SERVICE_URL=http://127.0.0.1:(\d+)$", text, re.M))
    assert urls.keys() == {name.upper() for name in SERVICES} and len(set(urls.values())) == 4
    assert re.search(r"^MARCA_LISTEN=127.0.0.1:8001\nMARCA_SERVICE=tenant,audit$", text, re.M) and urls["TENANT"] == "8001"
    assert all(f"marca@{name}" in text and f"/etc/marca/{name}" in text for name in SERVICES)
    assert not re.search(r"(PASSWORD|SECRET|_KEY|DATABASE_URL)\w*=", "\n".join(settings(UNIT)["Environment"]))


def test_one_runs_with_its_settings(tmp_path):
    """As systemd would start it: its environment, its credentials; DATABASE_URL is the store of all that it runs."""
    credentials = tmp_path / "credentials"
    credentials.mkdir(mode=0o700)
    given = {"SERVICE_KEY": secrets.token_hex(32), "DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}"}
    with harness.Redis() as redis:
        for name, value in {**given, "REDIS_URL": redis.url}.items():
            (credentials / name).write_text(value)
            (credentials / name).chmod(0o400)
        declared = dict(value.replace("%i", "booking").split("=", 1) for value in settings(UNIT)["Environment"])
        assert declared == {"ENVIRONMENT": "production", "MARCA_SERVICE": "booking", "MARCA_DATA": "/var/lib/marca-booking", "MARCA_CONFINE": "required"}
        nobody = f"http://127.0.0.1:{harness.free_port()}"
        environment = {"CREDENTIALS_DIRECTORY": str(credentials), "MARCA_SERVICE": "booking",
                       "PUBLIC_URL": "https://marca.example.com", "CORS_ORIGINS": "https://app.example.com", "ENVIRONMENT": "production",
                       "TENANT_SERVICE_URL": nobody, "RESOURCE_SERVICE_URL": nobody, "USER_SERVICE_URL": nobody}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MARCA_") and k not in harness.settings()}
        settled = {**kept, **environment, "MARCA_LISTEN": f"127.0.0.1:{harness.free_port()}",
                   "MARCA_DATA": str(tmp_path / "data")}
        process = subprocess.Popen([harness.binary(), "serve"], env=settled, stdin=subprocess.DEVNULL)
        try:
            # Not /ready: its neighbours are not there.
            harness.until("it is well", lambda: subprocess.run([harness.binary(), "health"], env=settled, capture_output=True, check=False).returncode == 0)
        finally:
            process.terminate()
            assert process.wait(harness.STOP_SECONDS) == 0
    assert (tmp_path / "store.booking.db").exists()
