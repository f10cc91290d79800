"""Services that ask one another by https: with a proxy that ends TLS before one of them, over HTTP/2, and only where its
certificate is good."""
import shutil
import subprocess

import pytest

import harness

PROXY = """
worker_processes 1;
pid nginx.pid;
events {{ worker_connections 256; }}
http {{
    log_format protocol "$server_protocol $request_uri $connection";
    access_log access.log protocol;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        location / {{ proxy_pass http://{behind}; proxy_set_header Host $http_host; }}
    }}
}}
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    harness.certificate(folder)
    return folder


class Proxy:
    def __init__(self, folder, certificate, behind):
        self.folder, self.port = folder, harness.free_port()
        for name in ("cert.pem", "key.pem"):
            shutil.copy(certificate / name, folder)
        (folder / "nginx.conf").write_text(PROXY.format(port=self.port, behind=behind))

    def __enter__(self):
        self.process = subprocess.Popen(
            ["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", self.folder / "errors", "-g", "daemon off;"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.until("the proxy is there", (self.folder / "nginx.pid").exists)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(harness.STOP_SECONDS)

    def lines(self):
        return [line.split() for line in (self.folder / "access.log").read_text().splitlines()]


def asked(proxy):
    return [line for line in proxy.lines() if line[1] == "/internal/reads"]


def is_up(member):
    api = harness.Api(member.address)
    try:
        return api.get("/health").status == 200
    except OSError:
        return False
    finally:
        api.close()


def test_by_https(tmp_path, certificate):
    """Over HTTP/2, by the certificates that OUTGOING_CA_FILE vouches for, and no others."""
    harness.need_store("fleet")
    marca = harness.Marca("fleet")
    with Proxy(tmp_path, certificate, marca.members["tenant"].address) as proxy:
        marca.env["TENANT_SERVICE_URL"] = f"https://localhost:{proxy.port}/tenants/"
        marca.env["OUTGOING_CA_FILE"] = str(certificate / "cert.pem")
        with marca:
            api = marca.api()
            tenant = harness.make_tenant(api)
            body = {"tenant_id": tenant["id"], "name": "Ana", "user_type": "user"}
            replies = [api.post("/users/", {**body, "email": f"ana{number}@example.com"}) for number in range(5)]
            assert [reply.status for reply in replies] == [201] * 5, replies
            harness.until("the proxy has written down all of them", lambda: len(asked(proxy)) >= 5)
            assert {line[0] for line in asked(proxy)} == {"HTTP/2.0"}
            assert len({line[2] for line in asked(proxy)}) < len(asked(proxy)), "connections are kept"

            user = marca.members["user"]
            user.stop()
            del marca.env["OUTGOING_CA_FILE"]
            user.start()
            harness.until("it is up", lambda: is_up(user))
            before = len(asked(proxy))
            reply = api.post("/users/", {**body, "email": "ana@example.com"})
            assert reply.status == 503 and reply.json["error"] == "settings_unavailable", reply
            assert len(asked(proxy)) == before
