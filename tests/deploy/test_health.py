"""`marca health`, by which a container's engine knows how it is."""
import os
import subprocess

import pytest

import gateway
import harness


def health(*words, **env):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MARCA_") and k not in harness.settings()}
    return subprocess.run([harness.binary(), "health", *words], env={**kept, **env}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_one_that_is_well(host):
    with harness.Marca() as marca:
        listen = f"{host}:{marca.address.rpartition(':')[2]}"
        for words, part in (((), '"status":"ok"'), (("--ready",), '"checks"')):
            done = health(*words, MARCA_LISTEN=listen)
            assert done.returncode == 0 and part in done.stdout and done.stderr == "", done


def test_one_that_is_not_well():
    """The gateway answers, with 503, for services of which none is there."""
    nowhere = [f"127.0.0.1:{harness.free_port()}"]
    with gateway.Gateway({name: nowhere for name in gateway.SERVICES}) as nginx:
        for words in ((), ("--ready",)):
            done = health(*words, MARCA_LISTEN=nginx.address)
            assert done.returncode == 1 and "service_unavailable" in done.stdout, done


def test_nobody_there():
    done = health(MARCA_LISTEN=f"127.0.0.1:{harness.free_port()}")
    assert done.returncode == 1 and "nobody answers" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("listen", ["", "8000", ":8000", "127.0.0.1:", "[::1]", "x" * 70 + ":1", "127.0.0.1:123456789", "no such:80"])
def test_no_address(listen):
    done = health(MARCA_LISTEN=listen)
    assert done.returncode == 1 and done.stderr.startswith("marca: "), done


def test_wrong_usage():
    assert health("--reddy").returncode == 2 and health("--ready", "x").returncode == 2
