"""What marca refuses to start with, and that it says all of it at once; the rules one by one: src/app/posture_test.c."""
import os
import subprocess

import pytest

import harness

PRODUCTION = {
    "ENVIRONMENT": "production",
    "CORS_ORIGINS": "https://app.example.com",
    "PUBLIC_URL": "https://marca.example.com",
}


def refused(tmp_path, env, arguments=()):
    """Standard error of a `marca serve` that must not start."""
    clean = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
    done = subprocess.run(
        [harness.binary(), "serve", "--listen", "127.0.0.1:0", "--data", tmp_path, *arguments],
        env={**clean, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 1 and done.stdout == "", done
    assert not list(tmp_path.iterdir()), "it refuses before it makes anything"
    return done.stderr


def test_every_fault_at_once(tmp_path):
    said = refused(tmp_path, {
        "ENVIRONMENT": "production", "MARCA_AUTH": "optional", "SECRET_KEY": "changeme", "MARCA_CLOCK": harness.CLOCK,
        "DATABASE_URL": "postgresql://marca:w0rd-of-db@db.example.com/marca", "REDIS_URL": "redis://:w0rd-of-redis@cache",
        "SMTP_URL": "smtp://mail:w0rd-of-mail@mail.example.com", "PUBLIC_URL": "http://marca.example.com",
    })
    for variable in ("MARCA_AUTH", "SECRET_KEY", "CORS_ORIGINS", "DATABASE_URL", "REDIS_URL", "SMTP_URL", "PUBLIC_URL",
                     "MARCA_CLOCK"):
        assert f"marca: {variable}: " in said, variable
    assert "w0rd" not in said and "changeme" not in said


@pytest.mark.parametrize("env, arguments, variable", [
    ({"MARCA_AUTH": "optional", "CORS_ORIGINS": "http://x"}, ["--listen", "0.0.0.0:0"], "MARCA_AUTH"),
    ({}, ["--listen", "[::]:0"], "CORS_ORIGINS"),
    ({**PRODUCTION, "MARCA_AUTH": "optional"}, [], "MARCA_AUTH"),
    ({**PRODUCTION, "CORS_ORIGINS": ""}, [], "CORS_ORIGINS"),
    ({**PRODUCTION, "DATABASE_URL": "postgresql://db/marca?sslmode=prefer"}, [], "DATABASE_URL"),
    ({"ENVIRONMENT": "prod"}, [], "ENVIRONMENT"),
    ({"MARCA_AUTH": "no"}, [], "MARCA_AUTH"),
])
def test_one_fault(tmp_path, env, arguments, variable):
    assert f"marca: {variable}: " in refused(tmp_path, env, arguments)


def test_production_starts():
    with harness.Marca(clock=None, env=PRODUCTION) as marca:
        assert marca.api().get("/health").status == 200
        assert "warning" not in marca.log()


def test_nobody_is_operator_in_production():
    with harness.Marca(clock=None, env=PRODUCTION) as marca:
        assert marca.api().get("/tenants/").status == 401
    with harness.Marca(env={"MARCA_AUTH": "required"}) as marca:
        assert marca.api().get("/tenants/").status == 401


def test_commands_need_less(tmp_path):
    """An operator's command talks to the stores only: CORS_ORIGINS is none of its business, TLS is."""
    def migrate(**env):
        return subprocess.run(
            [harness.binary(), "migrate", "all"], capture_output=True, text=True, timeout=60, check=False,
            env={"ENVIRONMENT": "production", "MARCA_DATA": str(tmp_path), "MARCA_AUTH": "optional", **env},
        )

    assert migrate().returncode == 0
    done = migrate(DATABASE_URL="postgresql://db.example.com/marca")
    assert done.returncode == 1 and "marca: DATABASE_URL: " in done.stderr and "CORS" not in done.stderr
