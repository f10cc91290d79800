"""What is a request, and what is not: the table of R9. Every case is sent whole and byte by byte.

A row: name, bytes, the statuses that come back, and whether the server closes after them. A row that
must stay open is asked once more; a row that must close may not answer anything beyond its row.
"""
import pytest

from echo import GET, Server, chunked, post, sized

H = b"GET / HTTP/1.1\r\nHost: a\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
OPEN, CLOSES = False, True

GOOD = [
    ("get", GET, [200], OPEN),
    ("get with a line before it", b"\r\n" + GET, [200], OPEN),
    ("get with an empty query", b"GET /? HTTP/1.1\r\nHost: a\r\n\r\n", [200], OPEN),
    ("options *", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", [200], OPEN),
    ("empty header value", H + b"X:\r\n\r\n", [200], OPEN),
    ("header in utf-8", H + "X: ação\r\n\r\n".encode(), [200], OPEN),
    ("64 headers", H + b"X: a\r\n" * 63 + b"\r\n", [200], OPEN),
    ("empty host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", [200], OPEN),
    ("host with port", b"GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n", [200], OPEN),
    ("post without a body", b"POST /echo HTTP/1.1\r\nHost: a\r\n\r\n", [200], OPEN),
    ("length 0", sized(b"/echo", b""), [200], OPEN),
    ("length 5", sized(b"/echo", b"hallo"), [200], OPEN),
    ("length with zeros before it", post(b"/echo", b"hallo", b"Content-Length: 0005"), [200], OPEN),
    ("chunked", chunked(b"/echo", b"2\r\nha\r\n3\r\nllo\r\n0\r\n\r\n"), [200], OPEN),
    ("chunked, large hex", chunked(b"/echo", b"0A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), [200], OPEN),
    ("chunked, empty", chunked(b"/echo", b"0\r\n\r\n"), [200], OPEN),
    ("chunk extension", chunked(b"/echo", b"5;a=b\r\nhallo\r\n0;c\r\n\r\n"), [200], OPEN),
    ("Chunked", post(b"/echo", b"0\r\n\r\n", b"Transfer-Encoding: Chunked"), [200], OPEN),
    ("get with a body", b"GET /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", [200], OPEN),
    ("upgrade is not taken", H + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", [200], OPEN),
    ("two in one", GET + sized(b"/echo", b"hallo") + GET, [200, 200, 200], OPEN),
    ("after a chunked one", chunked(b"/echo", b"5\r\nhallo\r\n0\r\n\r\n") + GET, [200, 200], OPEN),
    ("close", H + b"Connection: close\r\n\r\n" + SMUGGLED, [200], CLOSES),
    ("Close", H + b"Connection: Close\r\n\r\n" + SMUGGLED, [200], CLOSES),
    ("close among others", H + b"Connection: x, close\r\n\r\n", [200], CLOSES),
    ("closed by the handler", b"GET /close HTTP/1.1\r\nHost: a\r\n\r\n" + SMUGGLED, [200], CLOSES),
    ("1.0", b"GET / HTTP/1.0\r\n\r\n", [200], CLOSES),
    ("1.0 keep-alive", b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", [200], OPEN),
    ("1.0 with a body", b"POST /echo HTTP/1.0\r\nContent-Length: 5\r\n\r\nhallo", [200], CLOSES),
    ("204", b"GET /empty HTTP/1.1\r\nHost: a\r\n\r\n", [204], OPEN),
]

BAD_LINES = [
    ("no version", b"GET /\r\n\r\n", [400], CLOSES),
    ("only a method", b"GET\r\n\r\n", [400], CLOSES),
    ("garbage", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400], CLOSES),
    ("1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", [505], CLOSES),
    ("2.0 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505], CLOSES),
    ("0.9 by name", b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", [505], CLOSES),
    ("1.10", b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", [505], CLOSES),
    ("http/1.1", b"GET / http/1.1\r\nHost: a\r\n\r\n", [400], CLOSES),
    ("rtsp", b"DESCRIBE / RTSP/1.0\r\n\r\n", [400], CLOSES),
    ("two blanks", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", [400], CLOSES),
    ("blank at the end", b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", [505], CLOSES),
    ("blank at the start", b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", [400], CLOSES),
    ("tab for a blank", b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", [400], CLOSES),
    ("unknown method", b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n", [405], CLOSES),
    ("method in small letters", b"get / HTTP/1.1\r\nHost: a\r\n\r\n", [405], CLOSES),
    ("method with a quote", b'GE"T / HTTP/1.1\r\nHost: a\r\n\r\n', [400], CLOSES),
    ("absolute target", b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", [400], CLOSES),
    ("get *", b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", [400], CLOSES),
    ("connect", b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", [400], CLOSES),
    ("fragment", b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", [400], CLOSES),
    ("raw utf-8 in the target", "GET /ã HTTP/1.1\r\nHost: a\r\n\r\n".encode(), [400], CLOSES),
    ("NUL in the target", b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", [400], CLOSES),
    ("target too long", b"GET /" + b"a" * 4096 + b" HTTP/1.1\r\nHost: a\r\n\r\n", [414], CLOSES),
    ("target without an end", b"GET /" + b"a" * 40000, [414], CLOSES),
    ("three lines before it", b"\r\n\r\n\r\n" + GET, [400], CLOSES),
]

BAD_HEADERS = [
    ("no host", b"GET / HTTP/1.1\r\n\r\n", [400], CLOSES),
    ("two hosts", H + b"Host: b\r\n\r\n", [400], CLOSES),
    ("the same host twice", H + b"Host: a\r\n\r\n", [400], CLOSES),
    ("two hosts, 1.0", b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", [400], CLOSES),
    ("host with a path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", [400], CLOSES),
    ("host with a blank", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", [400], CLOSES),
    ("folded", H + b"X: a\r\n b\r\n\r\n", [400], CLOSES),
    ("folded by a tab", H + b"X: a\r\n\tb\r\n\r\n", [400], CLOSES),
    ("folded at once", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", [400], CLOSES),
    ("bare LF everywhere", b"GET / HTTP/1.1\nHost: a\n\n", [400], CLOSES),
    ("bare LF after a header", H + b"X: a\n\r\n", [400], CLOSES),
    ("bare LF at the end", H + b"\n", [400], CLOSES),
    ("bare CR in a value", H + b"X: a\rb\r\n\r\n", [400], CLOSES),
    ("CR CR LF", H + b"X: a\r\r\n\r\n", [400], CLOSES),
    ("NUL in a value", H + b"X: a\0b\r\n\r\n", [400], CLOSES),
    ("NUL in a name", H + b"X\0: a\r\n\r\n", [400], CLOSES),
    ("DEL in a value", H + b"X: \x7f\r\n\r\n", [400], CLOSES),
    ("blank before the colon", H + b"X : a\r\n\r\n", [400], CLOSES),
    ("no name", H + b": a\r\n\r\n", [400], CLOSES),
    ("no colon", H + b"X\r\n\r\n", [400], CLOSES),
    ("65 headers", H + b"X: a\r\n" * 64 + b"\r\n", [431], CLOSES),
    ("a huge header", H + b"X: " + b"a" * 17000 + b"\r\n\r\n", [431], CLOSES),
    ("headers without an end", H + b"X: " + b"a" * 40000, [431], CLOSES),
]

BAD_LENGTHS = [
    ("CL and TE", post(b"/echo", b"0\r\n\r\n" + SMUGGLED, b"Content-Length: 5", b"Transfer-Encoding: chunked"), [400], CLOSES),
    ("TE and CL", post(b"/echo", b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: chunked", b"Content-Length: 40"), [400], CLOSES),
    ("TE and CL 0", post(b"/echo", SMUGGLED, b"Transfer-Encoding: chunked", b"Content-Length: 0"), [400], CLOSES),
    ("TE on 1.0", b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [400], CLOSES),
    ("TE twice", post(b"/echo", b"0\r\n\r\n", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), [400], CLOSES),
    ("TE twice, the second odd", post(b"/echo", b"0\r\n\r\n", b"Transfer-Encoding: chunked", b"Transfer-encoding: x"), [400], CLOSES),
    ("TE xchunked", post(b"/echo", b"0\r\n\r\n", b"Transfer-Encoding: xchunked"), [400], CLOSES),
    ("TE chunkedx", post(b"/echo", b"0\r\n\r\n", b"Transfer-Encoding: chunkedx"), [400], CLOSES),
    ("TE quoted", post(b"/echo", b"0\r\n\r\n", b'Transfer-Encoding: "chunked"'), [400], CLOSES),
    ("TE with VT", post(b"/echo", b"0\r\n\r\n", b"Transfer-Encoding: \x0bchunked"), [400], CLOSES),
    ("TE folded", post(b"/echo", b"0\r\n\r\n", b"Transfer-Encoding:\r\n chunked"), [400], CLOSES),
    ("TE with a blank before the colon", post(b"/echo", b"0\r\n\r\n", b"Transfer-Encoding : chunked"), [400], CLOSES),
    ("TE identity", post(b"/echo", b"", b"Transfer-Encoding: identity"), [400], CLOSES),
    ("TE identity and CL", post(b"/echo", b"hi", b"Transfer-Encoding: identity", b"Content-Length: 2"), [400], CLOSES),
    ("TE chunked, identity", post(b"/echo", b"0\r\n\r\n", b"Transfer-Encoding: chunked, identity"), [400], CLOSES),
    ("TE gzip", post(b"/echo", b"", b"Transfer-Encoding: gzip"), [400], CLOSES),
    ("TE empty", post(b"/echo", b"", b"Transfer-Encoding:"), [400], CLOSES),
    ("TE gzip, chunked", post(b"/echo", b"0\r\n\r\n", b"Transfer-Encoding: gzip, chunked"), [501], CLOSES),
    ("CL twice", post(b"/echo", b"hi", b"Content-Length: 2", b"Content-Length: 2"), [400], CLOSES),
    ("CL twice, different", post(b"/echo", b"hi" + SMUGGLED, b"Content-Length: 2", b"Content-Length: 5"), [400], CLOSES),
    ("CL as a list", post(b"/echo", b"hi", b"Content-Length: 2, 2"), [400], CLOSES),
    ("CL empty", post(b"/echo", b"", b"Content-Length: "), [400], CLOSES),
    ("CL +2", post(b"/echo", b"hi", b"Content-Length: +2"), [400], CLOSES),
    ("CL -2", post(b"/echo", b"hi", b"Content-Length: -2"), [400], CLOSES),
    ("CL 0x2", post(b"/echo", b"hi", b"Content-Length: 0x2"), [400], CLOSES),
    ("CL 2e0", post(b"/echo", b"hi", b"Content-Length: 2e0"), [400], CLOSES),
    ("CL beyond 64 bits", post(b"/echo", b"", b"Content-Length: 18446744073709551617"), [413], CLOSES),
    ("CL of 64 bits", post(b"/echo", b"", b"Content-Length: 18446744073709551615"), [413], CLOSES),
    ("CL over the cap", sized(b"/echo", b"a" * 65537), [413], CLOSES),
    ("refused before its body", sized(b"/denied", b"a" * 1000) + SMUGGLED, [503], CLOSES),
]

BAD_CHUNKS = [
    ("size 0x5", chunked(b"/echo", b"0x5\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("size +5", chunked(b"/echo", b"+5\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("size -1", chunked(b"/echo", b"-1\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("size g", chunked(b"/echo", b"g\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("no size", chunked(b"/echo", b"\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("only an extension", chunked(b"/echo", b";a\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("size with a blank before it", chunked(b"/echo", b" 5\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("size with a blank after it", chunked(b"/echo", b"5 \r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("size beyond 64 bits", chunked(b"/echo", b"10000000000000005\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("size of 64 bits", chunked(b"/echo", b"ffffffffffffffff\r\nhallo\r\n0\r\n\r\n"), [413], CLOSES),
    ("size over the cap", chunked(b"/echo", b"10001\r\n" + b"a" * 65537 + b"\r\n0\r\n\r\n"), [413], CLOSES),
    ("bare LF after the size", chunked(b"/echo", b"5\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("bare CR after the size", chunked(b"/echo", b"5\rhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("bare LF after the data", chunked(b"/echo", b"5\r\nhallo\n0\r\n\r\n"), [400], CLOSES),
    ("too much data", chunked(b"/echo", b"5\r\nhalloo\r\n0\r\n\r\n"), [400], CLOSES),
    ("too little data", chunked(b"/echo", b"5\r\nhall\r\n0\r\n\r\n"), [400], CLOSES),
    ("bare LF at the end", chunked(b"/echo", b"5\r\nhallo\r\n0\r\n\n"), [400], CLOSES),
    ("bare LF after the last size", chunked(b"/echo", b"5\r\nhallo\r\n0\n\r\n"), [400], CLOSES),
    ("trailer", chunked(b"/echo", b"5\r\nhallo\r\n0\r\nX: a\r\n\r\n"), [400], CLOSES),
    ("trailer with a length", chunked(b"/echo", b"0\r\nContent-Length: 5\r\n\r\nhallo"), [400], CLOSES),
    ("long extension", chunked(b"/echo", b"5;" + b"a" * 300 + b"\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("many extensions", chunked(b"/echo", b"1;abcdefgh\r\na\r\n" * 40 + b"0\r\n\r\n"), [400], CLOSES),
    ("NUL in an extension", chunked(b"/echo", b"5;a\0\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("bare LF in an extension", chunked(b"/echo", b"5;a\nb\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("bare CR in an extension", chunked(b"/echo", b"5;a\rb\r\nhallo\r\n0\r\n\r\n"), [400], CLOSES),
    ("zeros without an end", chunked(b"/echo", b"0" * 540000), [413], CLOSES),
]

TABLE = GOOD + BAD_LINES + BAD_HEADERS + BAD_LENGTHS + BAD_CHUNKS


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server


@pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "bytewise"])
@pytest.mark.parametrize("data, statuses, closes", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table(server, data, statuses, closes, bytewise):
    with server.client() as client:
        (client.send_bytewise if bytewise else client.send)(data)
        replies = [client.reply() for _ in statuses]
        assert [reply and reply.status for reply in replies] == statuses
        assert [reply.closes for reply in replies] == [False] * (len(statuses) - 1) + [closes]
        assert client.closed() if closes else client.still_open()


def test_bodies_come_through(server):
    with server.client() as client:
        client.send(chunked(b"/echo", b"2;x=y\r\nha\r\n3\r\nllo\r\n0\r\n\r\n"))
        assert client.reply().body == b"hallo"
        body = bytes(range(256)) * 256
        client.send(sized(b"/echo", body))
        assert client.reply().body == body
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body[:5000])
        client.send(chunked(b"/echo", chunks + b"0\r\n\r\n"))
        assert client.reply().body == body[:5000]
        client.send(sized(b"/large", b"a" * 5000000))
        assert client.reply().body == b"5000000"


def test_what_the_handler_sees(server):
    with server.client() as client:
        client.send(b"PATCH /seen?a=b?c HTTP/1.1\r\nhOst: a\r\nX-A: \t b c \t\r\nX-B:\r\nConnection: x , y\r\n"
                    b"Content-Length: 000\r\nTransfer-Thing: z\r\n\r\n")
        assert client.reply().body.decode().splitlines() == [
            "PATCH", "/seen", "a=b?c", "hOst=[a]", "X-A=[b c]", "X-B=[]", "Connection=[x , y]",
            "Content-Length=[000]", "Transfer-Thing=[z]"]


def test_head_has_no_body(server):
    with server.client() as client:
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
        reply = client.reply("HEAD")
        assert (reply.status, reply.headers["content-length"]) == (200, "6")
        assert client.reply().body == b"hello\n"
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n")
        reply = client.reply("HEAD")
        assert reply.status == 400 and int(reply.headers["content-length"]) > 0
        assert client.closed()


def test_reply_head(server):
    with server.client() as client:
        client.send(b"GET /empty HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        none, ten = client.reply(), client.reply()
        assert set(none.headers) == {"date"}
        assert len(none.headers["date"]) == len("sun, 06 nov 1994 08:49:37 gmt")
        assert (ten.version, ten.headers["connection"]) == ("HTTP/1.1", "keep-alive")


def test_no_reply_is_split(server):
    with server.client() as client:
        client.send(b"GET /split HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.reply().headers["x-value"] == "a  x-other: b"
        assert client.still_open()
