"""The stream of `marca export`, read and made by something else than marca."""
import hashlib
import json
import random
import uuid

INT64 = (-(2**63) + 1, 2**63 - 1)  # the least one is marca's "none"
SERVICES = ("events", "audit", "booking", "resource", "user", "tenant")


def blake(data):
    return hashlib.blake2b(data, digest_size=32).hexdigest()


class Dump:
    """Checks the counts and hashes that the stream gives of itself."""

    def __init__(self, data):
        self.data = data
        lines = data.splitlines(keepends=True)
        assert lines[-1].endswith(b"\n")
        self.head, self.end = json.loads(lines[0]), json.loads(lines[-1])["end"]
        self.lines = lines[1:-1]
        self.rows = [json.loads(line) for line in self.lines]
        assert self.end["hash"] == blake(b"".join(lines[:-1]))
        assert self.end["rows"] == len(self.rows)
        for store in self.end["stores"]:
            own = [(line, row) for line, row in zip(self.lines, self.rows) if row["service"] == store["service"]]
            assert store["rows"] == len(own) == sum(store["tables"].values())
            assert store["hash"] == blake(b"".join(line for line, _ in own))

    def tables(self):
        """{(service, table): {column: type}}"""
        return {(store["service"], name): columns
                for store in self.head["stores"] for name, columns in store["tables"].items()}

    def of(self, service, table):
        return [row["row"] for row in self.rows if (row["service"], row["table"]) == (service, table)]


def stream(head, rows):
    """The bytes that marca would write of these rows, [{service, table, row}], in this order."""
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    lines = [json.dumps(line, **compact).encode() + b"\n" for line in (head, *rows)]
    stores = []
    for store in head["stores"]:
        own = [(line, row) for line, row in zip(lines[1:], rows) if row["service"] == store["service"]]
        stores.append({
            "service": store["service"], "rows": len(own), "hash": blake(b"".join(line for line, _ in own)),
            "tables": {name: sum(row["table"] == name for _, row in own) for name in store["tables"]},
        })
    end = {"end": {"rows": len(rows), "hash": blake(b"".join(lines)), "stores": stores}}
    return b"".join(lines) + json.dumps(end, **compact).encode() + b"\n"


# --- Rows that are hard to carry ------------------------------------------------------------

TEXTS = ("", " ", "a\"b\\c/d", "tab\tnewline\nreturn\r", "\x01\x1f\x7f", "Ação ß İ", "\U0001f600\u200d", "null",
         "\ufeffBOM", "x" * 5000, "'; DROP TABLE users; --", "\\u0000", "{}", "a\u0301")
NUMBERS = (0, 1, -1, 2**31, 2**53 + 1, *INT64)
TIMES = (0, 1, -1, -62135596800000000, 253402300799999999, 1764594000000001, *INT64)
# As marca's canonical form has them.
JSONS = ("null", "{}", "[]", "\"\"", "0", "9007199254740993", "-9223372036854775808", "0.1", "5.0", "1.50",
         "100000000000000000000", "0.00000015", "{\"a\":null,\"b\":[{},\"\"],\"é\":\"\\\"\"}",
         "{\"\":1,\"A\":2,\"B\":{\"a\":true,\"aa\":false,\"b\":[1,2.5,\"\\u0001\"]},\"a\":\"/\"}")


def hard_rows(head, of_each, seed=1):
    """So many rows for every table: every value of the lists above comes up, and none where none may be."""
    random_ = random.Random(seed)
    tenant, category = str(uuid.UUID(int=7)), str(uuid.UUID(int=8))
    rows = []
    for store in head["stores"]:
        for table, columns in store["tables"].items():
            count = 1 if table.endswith("_relay") else of_each
            for number in range(count):
                row = {}
                for place, (column, type_) in enumerate(columns.items()):
                    row[column] = hard_value(random_, type_, number + place)
                if "tenant_id" in row and table not in ("tenants", "tenant_settings", "audit_heads"):
                    row["tenant_id"] = tenant
                if table == "categories" and number == 0:
                    row["id"] = category
                if table == "resources":
                    row["category_id"] = category
                for column in row:  # what is unique beside ids
                    if column in ("domain", "email_key", "confirmation_code", "hash", "recipient", "subject", "stream"):
                        row[column] = f"{row[column]}{number:06}"
                    elif column in ("number", "sequence") and table != "audit_heads":
                        row[column] = number + 1
                if table.endswith("_relay"):
                    row["id"], row["sequence"] = 1, 2**40
                rows.append({"service": store["service"], "table": table, "row": row})
    return rows


def hard_value(random_, type_, number):
    if type_.endswith("?") and number % 3 == 0:
        return None
    kind = type_.rstrip("?")
    if kind == "uuid":
        return str(random_.choice((uuid.UUID(int=random_.getrandbits(128)), uuid.UUID(int=random_.getrandbits(100)))))
    if kind == "bool":
        return random_.random() < 0.5
    values = {"text": TEXTS, "json": JSONS, "time": TIMES, "int": NUMBERS}[kind]
    return values[number % len(values)]
