"""A server for test_client.py to be called: each path does one thing that a server of others may do.

    peer.py ADDRESS [CERTIFICATE KEY]

prints "port N" and serves until it is killed. Standard library only.
"""
import http.server
import json
import socket
import ssl
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status=200, body=b"hello", **headers):
        self.send_response(status)
        for name, value in {"content_type": "text/plain", "content_length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-").title(), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name, _, argument = self.path.strip("/").partition("/")
        act = getattr(self, f"on_{name}", None)
        if act is None:
            self.answer()
        else:
            act(argument, sent)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def on_seen(self, _, sent):
        """What came: method, headers, body, and the port that it came from."""
        seen = {"method": self.command, "headers": dict(self.headers), "body": sent.decode(), "port": self.client_address[1]}
        self.answer(body=json.dumps(seen).encode(), content_type="application/json")

    def on_status(self, code, _):
        self.answer(int(code))

    def on_redirect(self, where, _):
        self.answer(302, location=f"/{where}")

    def on_size(self, size, _):
        self.answer(body=b"x" * int(size))

    def on_chunked(self, size, _):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        left = int(size)
        while left > 0:
            piece = min(left, 1000)
            self.wfile.write(b"%x\r\n%s\r\n" % (piece, b"x" * piece))
            left -= piece
        self.wfile.write(b"0\r\n\r\n")

    def on_sleep(self, seconds, _):
        time.sleep(float(seconds))
        self.answer()

    def on_drip(self, seconds, _):
        """A byte now and then: never silent, never done."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b"x")
            time.sleep(float(seconds))

    def on_cut(self, _, sent):
        """Ends amid its body."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x")
        self.close_connection = True

    def on_garbage(self, _, sent):
        self.wfile.write(b"this is no HTTP\r\n\r\n")
        self.close_connection = True

    def on_gzip(self, _, sent):
        self.answer(body=b"not unpacked", content_encoding="gzip")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # whoever called has hung up


def main():
    address, *tls = sys.argv[1:]
    Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = Server((address, 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print("port", server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
