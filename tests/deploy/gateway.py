"""nginx with the configuration of deploy/nginx, and witnesses: servers that tell what reached them."""
import contextlib
import http.client
import http.server
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import urllib.parse

import harness

NGINX = harness.ROOT / "deploy/nginx"
SERVICES = ("tenant", "user", "resource", "booking")  # the fleet's processes


class Witness:
    """Answers whatever it is asked with what it was asked, as JSON.

    The query may ask for more: status=, location=, etag=, pad= (so many bytes more), and fate=cut (hangs up once
    the request is read) or fate=hang (never answers).
    """

    def __init__(self, name):
        self.name = name
        self.asked = []  # (method, target)
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one piece

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                wish = dict(urllib.parse.parse_qsl(self.path.partition("?")[2]))
                target = self.requestline.split()[1]  # self.path has lost a slash where there were two
                witness.asked.append((self.command, target))
                if wish.get("fate") == "hang":
                    witness.over.wait()
                if "fate" in wish:
                    self.close_connection = True
                    return
                told = json.dumps({
                    "name": witness.name, "method": self.command, "target": target, "body": len(body),
                    "headers": self.headers.items(), "port": self.client_address[1], "pad": "x" * int(wish.get("pad", 0)),
                }).encode()
                self.send_response(int(wish.get("status", 200)))
                for header in ("location", "etag", "allow", "request_id"):
                    if header in wish:
                        self.send_header("X-Request-ID" if header == "request_id" else header.title(), wish[header])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(told)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

            def log_message(self, *_):
                pass

        self.over = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


class Plain(harness.Api):
    """Takes any reply, where a witness and not marca gives it."""

    def request(self, method, path, body=None, headers=None, query=None):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        self.connection.request(method, path, body, {**self.headers, **(headers or {})})
        response = self.connection.getresponse()
        return harness.Reply(response.status, response.headers, response.read())


class Gateway:
    """`upstreams`: a service's name to the addresses (host:port) of its process; "any" follows from them.

    `edit`: (file, pattern, replacement): what is otherwise in the copy of the configuration that it runs with.
    """

    def __init__(self, upstreams, edit=(), site=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="marca-gateway-"))
        self.port = harness.free_port()
        self.address = f"127.0.0.1:{self.port}"
        for path in NGINX.glob("*.conf"):
            shutil.copy(path, self.folder)
        self.rewrite("upstreams.conf", r"server (\w+):8000;",
                     lambda m: " ".join(f"server {address};" for address in upstreams[m.group(1)]))
        (self.folder / "site.conf").write_text(
            f"listen 127.0.0.1:{self.port} default_server;\naccess_log access.log json;\n{site}\n")
        # One worker: it keeps its connections, and what it found out of upstreams, to itself.
        self.rewrite("nginx.conf", "worker_processes auto;", "worker_processes 1;")
        self.rewrite("nginx.conf", "worker_connections 16384;", "worker_connections 512;")
        for name, pattern, replacement in edit:
            self.rewrite(name, pattern, replacement)
        self.process = None
        self.apis = []

    def rewrite(self, name, pattern, replacement):
        text, count = re.subn(pattern, replacement, (self.folder / name).read_text())
        assert count > 0, f"{name} has no {pattern}"
        (self.folder / name).write_text(text)

    @property
    def command(self):
        return ["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", "stderr"]

    def check(self):
        """What `nginx -t` says; "" where it is content."""
        done = subprocess.run([*self.command, "-t", "-q"], capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == (done.stderr == ""), done
        return done.stderr

    def __enter__(self):
        with open(self.folder / "stderr", "wb") as log:
            self.process = subprocess.Popen([*self.command, "-g", "daemon off;"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        harness.until("nginx takes connections", self.listens)
        return self

    def listens(self):
        assert self.process.poll() is None, (self.folder / "stderr").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def __exit__(self, kind, value, trace):
        for api in self.apis:
            api.close()
        self.process.terminate()  # at once
        self.process.wait(harness.STOP_SECONDS)
        shutil.rmtree(self.folder)

    def api(self, headers=None, kind=harness.Api):
        self.apis.append(kind(self.address, headers))
        return self.apis[-1]

    def plain(self):
        return self.api(kind=Plain)

    def raw(self, request):
        """The reply to these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as there:
            there.sendall(request)
            response = http.client.HTTPResponse(there)
            response.begin()
            return harness.Reply(response.status, response.headers, response.read())

    def log(self, request_id):
        """The line of the log about that request."""
        def line():
            rows = [json.loads(row) for row in (self.folder / "access.log").read_text().splitlines()]
            return next((row for row in rows if row["request_id"] == request_id), None)
        return harness.until(f"{request_id} is in the log", line)
