"""Two tenants side by side, with people of every kind, and a word of its own in every text that a tenant has.

Each connection of a tenant's person is a Watched one: every reply, whatever its status, is searched for the other
tenant's word, in its head and in its body. Ids that the caller sent himself are no secret, texts are.
"""
import datetime
import itertools
import uuid

import harness

# The caller's rights, by the column that he has in the matrix.
RIGHTS = {
    "plain": {},
    "book": {"can_book": True},
    "resources": {"can_manage_resources": True},
    "users": {"can_manage_users": True},
    "view": {"can_view_all_bookings": True},
    "admin": {},
}
# An API key's scopes, by its column.
SCOPES = {"k/book": "can_book", "k/users": "can_manage_users", "k/view": "can_view_all_bookings", "k/admin": "admin"}
NO_RIGHTS = {"can_book": False, "can_manage_resources": False, "can_manage_users": False, "can_view_all_bookings": False}

ENV = {"MARCA_AUTH": "required", "ACCESS_TOKEN_MINUTES": "60"}
OPENS = {"working_hours_start": "00:00", "working_hours_end": "24:00", "cancellation_hours": 0, "advance_booking_days": 365,
         "self_signup": True}


class Leak(AssertionError):
    """A tenant was told something of another one."""


class Watched:
    """An Api of which every reply is searched. `forbidden`: the words that must not be in it."""

    def __init__(self, api, forbidden):
        self.api, self.forbidden = api, forbidden

    def request(self, method, path, body=None, headers=None, query=None):
        reply = self.api.request(method, path, body, headers, query)
        told = (str(reply.headers) + reply.body.decode("utf-8", "replace")).lower()
        for word in self.forbidden:
            if word in told:
                raise Leak(f"{method} {path} told {word}: {reply}")
        return reply


class Person:
    def __init__(self, user, api):
        self.user, self.api = user, api
        self.id = user["id"]


class House:
    """A tenant. Whatever is asked of it by `fresh_*` is new, and belongs to nobody else's test."""

    def __init__(self, street, word):
        self.street, self.word, self.operator = street, word, street.operator
        self.hours = itertools.count(24)
        self.tenant = self.make_tenant()
        self.id = self.tenant["id"]
        self.category = self.fresh_category()
        self.resource = self.fresh_resource()
        self.people = {}

    def text(self, what):
        return f"{what} {self.word}"

    def make_tenant(self):
        return harness.make_tenant(
            self.operator, {**OPENS, "business_type": self.text("ramo"), "custom_labels": {
                "resource_singular": self.text("Sala"), "resource_plural": self.text("Salas"),
                "booking_label": self.text("Aula"), "user_label": self.text("Aluno")}},
            name=self.text("Academia"), domain=f"{uuid.uuid4()}.{self.word}.example.com",
            logo_url=f"https://{self.word}.example.com/logo.png")

    def open(self):
        """Once both are there, and the other's word is known."""
        self.people = {column: self.fresh_person(column) for column in RIGHTS}
        self.keys = {column: self.bearing(self.make_key(SCOPES[column])["key"]) for column in SCOPES}
        self.guest = self.fresh_person("plain")  # another user, of no more rights than anybody
        self.fresh_booking(self.guest.id)

    # --- People ---------------------------------------------------------------

    def make_user(self, column="plain", **fields):
        return harness.make_user(self.operator, self.tenant, **{
            "name": self.text("Pessoa"), "email": f"{uuid.uuid4()}@{self.word}.example.com", "phone": self.text("+55 11"),
            "department": self.text("Recepção"), "metadata": {"plano": self.text("anual")}, "password": harness.PASSWORD,
            "user_type": "admin" if column == "admin" else "user",
            "permissions": {**NO_RIGHTS, **RIGHTS[column]}, **fields})

    def bearing(self, token):
        return Watched(self.street.anyone.bearing(token), self.street.words_but(self.word))

    def log_in(self, user):
        """A connection of his own, of another session each time."""
        return self.bearing(harness.log_in(self.street.anyone, self.tenant, user["email"])["access_token"])

    def make_key(self, scope="can_book"):
        return harness.create(self.operator, "/auth/api-keys", {
            "tenant_id": self.id, "name": self.text("Site"), "scopes": [scope]})

    def make_provider(self):
        """One that nobody can reach."""
        return harness.create(self.operator, "/auth/providers", {
            "tenant_id": self.id, "name": self.text("Contas"), "issuer": "http://127.0.0.1:1", "client_id": self.word,
            "client_secret": self.text("segredo")})

    def fresh_person(self, column):
        user = self.make_user(column)
        return Person(user, self.log_in(user))

    # --- Things ---------------------------------------------------------------

    def fresh_category(self, **fields):
        return harness.make_category(self.operator, self.tenant, **{
            "name": self.text("Salas"), "description": self.text("Espaços"), "icon": self.word,
            "category_metadata": {"custom_fields": [{"key": self.word, "type": "string"}]}, **fields})

    def fresh_resource(self, **fields):
        return harness.make_resource(self.operator, self.tenant, self.category, **{
            "name": self.text("Sala"), "description": self.text("Sala de"), "location": self.text("Andar"),
            "attributes": {self.word: self.text("madeira")}, "image_url": f"https://{self.word}.example.com/s.jpg", **fields})

    def next_hour(self):
        start = datetime.datetime.fromisoformat(harness.CLOCK.replace("Z", "+00:00")) + datetime.timedelta(hours=next(self.hours))
        return {"start_time": start.isoformat(), "end_time": (start + datetime.timedelta(hours=1)).isoformat()}

    def wanted_booking(self, user_id, **fields):
        return {"tenant_id": self.id, "resource_id": self.resource["id"], "user_id": user_id, **self.next_hour(),
                "notes": self.text("nota"), **fields}

    def fresh_booking(self, user_id, **fields):
        return harness.create(self.operator, "/bookings/", self.wanted_booking(user_id, **fields))

    def fresh_session(self, user):
        """The id of one that is open."""
        api = self.log_in(user)
        current = [s["id"] for s in api.request("GET", "/auth/sessions").json if s["current"]]
        return current[0]


class Street:
    def __init__(self, store, env=None):
        self.marca = harness.Marca(store, env={**ENV, **(env or {})})
        self.words = [f"canario{name}{uuid.uuid4().hex[:8]}" for name in ("norte", "sul")]

    def words_but(self, own):
        return [word for word in self.words if word != own]

    def __enter__(self):
        self.marca.__enter__()
        self.operator = self.marca.operator()
        self.anyone = self.marca.api()
        self.north, self.south = (House(self, word) for word in self.words)
        self.north.open()
        self.south.open()
        return self

    def __exit__(self, *what):
        self.marca.__exit__(*what)
