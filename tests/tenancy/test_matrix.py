"""Every route of the API, asked by everybody, about his own, about another's of his tenant, and about what is another
tenant's or is not there at all.

The table EXPECTED is the whole rule, and every operation of docs/openapi.json has rows in it: one that is new fails
test_no_route_is_left_out until it has. A row is `operation`, what is asked about, and the status for each caller:

    anyone     without a token                 plain      a user without any permission
    book ...   a user with that one permission admin      staff of the tenant
    operator   who runs marca                  k/book ... an API key of that one scope

About: `own`: the caller's own (himself, his booking, his session, his tenant's things; of a key, which is nobody, a
user's). `other`: another user's of his tenant. `strange`: the same of the other tenant, and then with an id that never
was. The two must be answered alike, byte for byte, to everybody but the operator, for whom all tenants are his: his
column tells of the id that never was.
A `-` is no case. What follows a `/` is a case of its own: see ASK.

All replies to a tenant's people are searched for the other tenant's word, which stands in each of its texts
(houses.py).

That this can fail was tried by hand. Of two mutants, for which sqlgen's wall (tools/sqlgen_tenant.c) had to be switched off:
`booking_by_id` with `(b.tenant_id = $1 OR 1 = 1)` failed 9 tests on SQLite, and `bookings_of_tenant` with the same 6; none
on PostgreSQL, whose row-level security let nothing out. A third, category_find() that asks whose the row is whoever asks,
was refused by db.c, which answers 500: every case of a category failed, on both stores, and no row was seen.
"""
import collections
import json
import pathlib
import re
import uuid

import pytest

import harness
from houses import NO_RIGHTS, SCOPES

DOCUMENT = json.loads((pathlib.Path(__file__).parents[2] / "docs/openapi.json").read_text())
OPERATIONS = {operation["operationId"]: (method.upper(), path)
              for path, item in DOCUMENT["paths"].items() for method, operation in item.items() if method != "parameters"}

CALLERS = ["anyone", "plain", "book", "resources", "users", "view", "admin", "operator", *SCOPES]

EXPECTED = """
#                                       anyone plain book resources users view admin operator k/book k/users k/view k/admin
createTenant          new               401    403   403  403       403   403  403   201      403    403     403    403
listTenants           new               401    403   403  403       403   403  403   200      403    403     403    403
getBrand              own               200    200   200  200       200   200  200   200      200    200     200    200
getTenant             own               401    200   200  200       200   200  200   200      200    200     200    200
getTenant             strange           401    404   404  404       404   404  404   404      404    404     404    404
updateTenant          own               401    403   403  403       403   403  200   200      403    403     403    200
updateTenant          own/standing      401    403   403  403       403   403  403   200      403    403     403    403
updateTenant          strange           401    403   403  403       403   403  404   404      403    403     403    404
deleteTenant          own               401    403   403  403       403   403  403   -        403    403     403    403
deleteTenant          strange           401    403   403  403       403   403  403   404      403    403     403    403
getSettings           own               401    200   200  200       200   200  200   200      200    200     200    200
getSettings           strange           401    404   404  404       404   404  404   404      404    404     404    404
updateSettings        own               401    403   403  403       403   403  200   200      403    403     403    200
updateSettings        strange           401    403   403  403       403   403  404   404      403    403     403    404

createUser            own               401    403   403  403       201   403  201   201      403    201     403    201
createUser            own/booker        401    403   403  403       403   403  201   201      403    403     403    201
createUser            own/admin         401    403   403  403       403   403  201   201      403    403     403    201
createUser            strange           401    403   403  403       404   403  404   404      403    404     403    404
listUsers             own               401    403   403  403       200   403  200   422      403    200     403    200
listUsers             own/named         401    403   403  403       200   403  200   200      403    200     403    200
listUsers             strange           401    403   403  403       404   403  404   200      403    404     403    404
getMe                 own               401    200   200  200       200   200  200   404      404    404     404    404
loginUser             own               200    200   200  200       200   200  200   200      200    200     200    200
getUser               own               401    200   200  200       200   200  200   -        404    200     404    200
getUser               other             401    404   404  404       200   404  200   200      404    200     404    200
getUser               strange           401    404   404  404       404   404  404   404      404    404     404    404
updateUser            own               401    200   200  200       200   200  200   -        404    200     404    200
updateUser            own/rights        401    403   403  403       403   403  200   -        404    403     404    200
updateUser            own/admin         401    403   403  403       403   403  200   -        404    403     404    200
updateUser            own/address       401    403   403  403       200   403  200   -        404    200     404    200
updateUser            own/password      401    403   403  403       403   403  403   -        404    200     404    200
updateUser            other             401    404   404  404       200   404  200   200      404    200     404    200
updateUser            other/rights      401    404   404  404       403   404  200   200      404    403     404    200
updateUser            other/admin       401    404   404  404       403   404  200   200      404    403     404    200
updateUser            other/anadmin     401    404   404  404       403   404  200   200      404    403     404    200
updateUser            strange           401    404   404  404       404   404  404   404      404    404     404    404
deleteUser            own               401    403   403  403       204   403  204   -        403    204     403    204
deleteUser            other             401    403   403  403       204   403  204   204      403    204     403    204
deleteUser            other/anadmin     401    403   403  403       403   403  204   204      403    403     403    204
deleteUser            strange           401    403   403  403       404   403  404   404      403    404     403    404
exportUser            own               401    200   200  200       200   200  200   -        404    403     404    200
exportUser            other             401    404   404  404       403   404  200   200      404    403     404    200
exportUser            strange           401    404   404  404       404   404  404   404      404    404     404    404
eraseUser             own               401    204   204  204       204   204  204   -        404    204     404    204
eraseUser             other             401    404   404  404       204   404  204   204      404    204     404    204
eraseUser             other/anadmin     401    404   404  404       403   404  204   204      404    403     404    204
eraseUser             strange           401    404   404  404       404   404  404   404      404    404     404    404

createCategory        own               401    403   403  201       403   403  201   201      403    403     403    201
createCategory        strange           401    403   403  404       403   403  404   404      403    403     403    404
listCategories        own               401    200   200  200       200   200  200   422      200    200     200    200
listCategories        own/named         401    200   200  200       200   200  200   200      200    200     200    200
listCategories        strange           401    404   404  404       404   404  404   200      404    404     404    404
getCategory           own               401    200   200  200       200   200  200   200      200    200     200    200
getCategory           strange           401    404   404  404       404   404  404   404      404    404     404    404
updateCategory        own               401    403   403  200       403   403  200   200      403    403     403    200
updateCategory        strange           401    403   403  404       403   403  404   404      403    403     403    404
deleteCategory        own               401    403   403  204       403   403  204   204      403    403     403    204
deleteCategory        strange           401    403   403  404       403   403  404   404      403    403     403    404
createResource        own               401    403   403  201       403   403  201   201      403    403     403    201
createResource        strange           401    403   403  404       403   403  404   404      403    403     403    404
createResource        strange/category  401    403   403  404       403   403  404   404      403    403     403    404
listResources         own               401    200   200  200       200   200  200   422      200    200     200    200
listResources         own/named         401    200   200  200       200   200  200   200      200    200     200    200
listResources         strange           401    404   404  404       404   404  404   200      404    404     404    404
listResources         strange/category  401    200   200  200       200   200  200   422      200    200     200    200
getResource           own               401    200   200  200       200   200  200   200      200    200     200    200
getResource           strange           401    404   404  404       404   404  404   404      404    404     404    404
updateResource        own               401    403   403  200       403   403  200   200      403    403     403    200
updateResource        strange           401    403   403  404       403   403  404   404      403    403     403    404
updateResource        strange/category  401    403   403  404       403   403  404   404      403    403     403    404
deleteResource        own               401    403   403  204       403   403  204   204      403    403     403    204
deleteResource        strange           401    403   403  404       403   403  404   404      403    403     403    404
getAvailability       own               401    200   200  200       200   200  200   200      200    200     200    200
getAvailability       strange           401    404   404  404       404   404  404   404      404    404     404    404

createBooking         own               401    403   201  403       403   403  201   -        201    403     403    201
createBooking         own/confirmed     401    403   403  403       403   403  201   -        403    403     403    201
createBooking         other             401    403   403  403       403   403  201   201      201    403     403    201
createBooking         strange           401    403   404  403       403   403  404   404      404    403     403    404
createBooking         strange/resource  401    403   404  403       403   403  404   404      404    403     403    404
createBooking         strange/user      401    403   403  403       403   403  404   404      404    403     403    404
listBookings          own               401    200   200  200       200   200  200   422      403    403     200    200
listBookings          own/named         401    200   200  200       200   200  200   200      403    403     200    200
listBookings          other             401    403   403  403       403   200  200   422      403    403     200    200
listBookings          strange           401    404   404  404       404   404  404   200      403    403     404    404
listBookings          strange/user      401    403   403  403       403   200  200   422      403    403     200    200
listBookings          strange/resource  401    200   200  200       200   200  200   422      403    403     200    200
getBooking            own               401    200   200  200       200   200  200   -        200    404     200    200
getBooking            other             401    404   404  404       404   200  200   200      200    404     200    200
getBooking            strange           401    404   404  404       404   404  404   404      404    404     404    404
updateBooking         own               401    403   200  403       403   403  200   -        200    403     403    200
updateBooking         own/confirmed     401    403   403  403       403   403  200   -        403    403     403    200
updateBooking         own/given         401    403   403  403       403   403  200   -        200    403     403    200
updateBooking         other             401    403   404  403       403   403  200   200      200    403     403    200
updateBooking         strange           401    403   404  403       403   403  404   404      404    403     403    404
updateBooking         strange/resource  401    403   404  403       403   403  404   404      404    403     403    404
updateBooking         strange/user      401    403   403  403       403   403  404   404      404    403     403    404
cancelBooking         own               401    200   200  200       200   200  200   -        200    404     403    200
cancelBooking         other             401    404   404  404       404   403  200   200      200    404     403    200
cancelBooking         strange           401    404   404  404       404   404  404   404      404    404     404    404
cancelBookingQuietly  own               401    204   204  204       204   204  204   -        204    404     403    204
cancelBookingQuietly  other             401    404   404  404       404   403  204   204      204    404     403    204
cancelBookingQuietly  strange           401    404   404  404       404   404  404   404      404    404     404    404
setBookingStatus      own               401    403   403  403       403   403  200   -        403    403     403    200
setBookingStatus      own/cancelled     401    200   200  200       200   200  200   -        200    404     403    200
setBookingStatus      other             401    403   403  403       403   403  200   200      403    403     403    200
setBookingStatus      other/cancelled   401    404   404  404       404   403  200   200      200    404     403    200
setBookingStatus      strange           401    403   403  403       403   403  404   404      403    403     403    404
setBookingStatus      strange/cancelled 401    404   404  404       404   404  404   404      404    404     404    404

listAudit             own               401    403   403  403       403   403  200   422      403    403     403    200
listAudit             own/named         401    403   403  403       403   403  200   200      403    403     403    200
listAudit             strange           401    403   403  403       403   403  404   200      403    403     403    404
listAudit             strange/subject   401    403   403  403       403   403  200   422      403    403     403    200

getJwks               own               200    200   200  200       200   200  200   200      200    200     200    200
login                 own               200    200   200  200       200   200  200   200      200    200     200    200
refreshTokens         own               200    200   200  200       200   200  200   200      200    200     200    200
logout                own               401    204   204  204       204   204  204   404      404    404     404    404
listSessions          own               401    200   200  200       200   200  200   404      404    404     404    404
listSessions          other             401    403   403  403       200   403  200   200      403    200     403    200
listSessions          strange           401    403   403  403       404   403  404   404      403    404     403    404
endSession            own               401    204   204  204       204   204  204   -        404    204     404    204
endSession            other             401    404   404  404       204   404  204   204      404    204     404    204
endSession            strange           401    404   404  404       404   404  404   404      404    404     404    404
makePasswordLink      own               401    403   403  403       403   403  403   -        403    201     403    201
makePasswordLink      other             401    403   403  403       201   403  201   201      403    201     403    201
makePasswordLink      other/anadmin     401    403   403  403       403   403  201   201      403    403     403    201
makePasswordLink      strange           401    403   403  403       404   403  404   404      403    404     403    404
signUp                new               201    201   201  201       201   201  201   201      201    201     201    201
signUp                new/absent        404    404   404  404       404   404  404   404      404    404     404    404
forgotPassword        own               202    202   202  202       202   202  202   202      202    202     202    202
resetPassword         own               204    204   204  204       204   204  204   204      204    204     204    204
changePassword        own               401    200   200  200       200   200  200   403      403    403     403    403
createApiKey          own               401    403   403  403       403   403  201   422      403    403     403    201
createApiKey          own/named         401    403   403  403       403   403  201   201      403    403     403    201
createApiKey          strange           401    403   403  403       403   403  404   404      403    403     403    404
listApiKeys           own               401    403   403  403       403   403  200   422      403    403     403    200
listApiKeys           own/named         401    403   403  403       403   403  200   200      403    403     403    200
listApiKeys           strange           401    403   403  403       403   403  404   200      403    403     403    404
revokeApiKey          own               401    403   403  403       403   403  204   204      403    403     403    204
revokeApiKey          strange           401    403   403  403       403   403  404   404      403    403     403    404
createProvider        own               401    403   403  403       403   403  201   422      403    403     403    201
createProvider        own/named         401    403   403  403       403   403  201   201      403    403     403    201
createProvider        strange           401    403   403  403       403   403  404   404      403    403     403    404
listProviders         own               401    403   403  403       403   403  200   422      403    403     403    200
listProviders         own/named         401    403   403  403       403   403  200   200      403    403     403    200
listProviders         strange           401    403   403  403       403   403  404   200      403    403     403    404
getProvider           own               401    403   403  403       403   403  200   200      403    403     403    200
getProvider           strange           401    403   403  403       403   403  404   404      403    403     403    404
updateProvider        own               401    403   403  403       403   403  200   200      403    403     403    200
updateProvider        strange           401    403   403  403       403   403  404   404      403    403     403    404
deleteProvider        own               401    403   403  403       403   403  204   204      403    403     403    204
deleteProvider        strange           401    403   403  403       403   403  404   404      403    403     403    404
beginOidcLogin        own               503    503   503  503       503   503  503   503      503    503     503    503
endOidcLogin          own               401    401   401  401       401   401  401   401      401    401     401    401
exchangeOidcCode      new               401    401   401  401       401   401  401   401      401    401     401    401
"""

ROWS = [line.split() for line in EXPECTED.splitlines() if line and not line.startswith("#")]


# --- What is asked ------------------------------------------------------------------

ABSENT = "0193a3f2-7c00-7000-8000-00000000dead"


class Case:
    """One cell: who asks (a person of `home`, or nobody, or the operator), in which place what he names is."""

    def __init__(self, street, caller, about, where):
        self.street, self.caller, self.home = street, caller, street.north
        self.about, self.where = about, where  # where: "home", "foreign" or "absent"
        self.there = street.south if where == "foreign" else street.north
        self.sent = []  # ids in the request that an answer may echo
        self.person = None

    def use(self, person):
        self.person = person
        return self

    @property
    def fresh_caller(self):
        """Somebody of these rights whose account the call may end. Of anyone and the operator: the guest."""
        if self.person is None:
            self.person = self.home.fresh_person(self.caller if self.caller in self.home.people else "plain")
        return self.person

    @property
    def owner(self):
        """Whose the booking, the session is that is asked about."""
        if self.where == "foreign":
            return self.there.guest
        return self.me if self.about == "own" else self.home.guest

    @property
    def me(self):
        return self.home.people.get(self.caller, self.home.guest)

    def named(self, what):
        """The id of what make() gives; of something that never was."""
        self.sent.append(ABSENT if self.where == "absent" else what())
        return self.sent[-1]

    def tenant(self):
        return self.named(lambda: self.there.id)

    def user(self):
        if self.about == "own":
            return self.named(lambda: self.fresh_caller.id)
        return self.named(lambda: self.there.make_user()["id"])

    def an_admin(self):
        return self.named(lambda: self.there.make_user("admin")["id"])

    def category(self):
        return self.named(lambda: self.there.fresh_category()["id"])

    def resource(self):
        return self.named(lambda: self.there.fresh_resource()["id"])

    def booking(self):
        return self.named(lambda: self.there.fresh_booking(self.owner.id)["id"])

    def api_key(self):
        return self.named(lambda: self.there.make_key()["id"])

    def provider(self):
        return self.named(lambda: self.there.make_provider()["id"])

    def session(self):
        if self.about == "own":
            return self.named(lambda: self.home.fresh_session(self.fresh_caller.user))
        return self.named(lambda: self.there.fresh_session(self.owner.user))


def new_provider(case, **fields):
    return {"name": "Contas", "issuer": "https://login.example.com", "client_id": "marca", **fields}


def new_user(case, tenant, **fields):
    return {"tenant_id": tenant, "name": "Eva", "email": f"{uuid.uuid4()}@example.com", **fields}


def password_form(case):
    return {"tenant_id": case.home.id, "email": case.me.user["email"], "password": harness.PASSWORD}


def refresh_form(case):
    tokens = harness.log_in(case.street.anyone, case.home.tenant, case.me.user["email"])
    return {"refresh_token": tokens["refresh_token"]}


NEW_PASSWORD = {"new_password": "another long secret"}


def reset_form(case):
    """By a link to an account that nobody else needs."""
    link = harness.create(case.street.operator, f"/users/{case.fresh_caller.id}/password-link", {})["link"]
    return {"token": link.partition("#")[2], **NEW_PASSWORD}


def sign_up(case, tenant):
    return {"tenant_id": tenant, "name": "Eva", "email": f"{uuid.uuid4()}@example.com", "password": harness.PASSWORD}


def resource_body(case, tenant, category):
    return {"tenant_id": tenant, "category_id": category, "name": "Sala"}


def booking_body(case, **fields):
    return case.home.wanted_booking(**{"user_id": case.home.guest.id if case.about == "other" else case.me.id, **fields})


def own_booking(case):
    """Also where something else in the request is strange."""
    return case.home.fresh_booking(case.me.id)["id"]


# operation[/case]: id of the path, query, body; each from the Case, None where there is none.
Ask = collections.namedtuple("Ask", "id query body", defaults=(None, None, None))
NAMED = {"query": lambda case: {"tenant_id": case.tenant()}}
NAMES = {"body": lambda case: {"name": "Eva"}}
PLANS = {"operator": "basico"}  # another than the one that it has, and than the others ask for
ONE_RIGHT = {"permissions": {"can_book": True}}

ASK = {
    "createTenant": Ask(body=lambda case: {"name": "T", "domain": f"{uuid.uuid4()}.example.com"}),
    "listTenants": Ask(),
    "getBrand": Ask(),
    "getTenant": Ask(Case.tenant),
    "updateTenant": Ask(Case.tenant, body=lambda case: {"theme_primary_color": "#123456"}),
    "updateTenant/standing": Ask(Case.tenant, body=lambda case: {"plan": PLANS.get(case.caller, "corporativo")}),
    "deleteTenant": Ask(Case.tenant),
    "getSettings": Ask(Case.tenant),
    "updateSettings": Ask(Case.tenant, body=lambda case: {"advance_booking_days": 365}),

    "createUser": Ask(body=lambda case: new_user(case, case.tenant())),
    "createUser/booker": Ask(body=lambda case: new_user(case, case.tenant(), **ONE_RIGHT)),
    "createUser/admin": Ask(body=lambda case: new_user(case, case.tenant(), user_type="admin")),
    "listUsers": Ask(), "listUsers/named": Ask(**NAMED), "listUsers/strange": Ask(**NAMED),
    "getMe": Ask(),
    "loginUser": Ask(body=password_form),
    "getUser": Ask(Case.user),
    "updateUser": Ask(Case.user, **NAMES),
    "updateUser/rights": Ask(Case.user, body=lambda case: {"permissions": {r: True for r in NO_RIGHTS}}),
    "updateUser/admin": Ask(Case.user, body=lambda case: {"user_type": "admin"}),
    "updateUser/address": Ask(Case.user, body=lambda case: {"email": f"{uuid.uuid4()}@example.com"}),
    "updateUser/password": Ask(Case.user, body=lambda case: {"password": "another long secret"}),
    "updateUser/anadmin": Ask(Case.an_admin, **NAMES),
    "deleteUser": Ask(Case.user), "deleteUser/anadmin": Ask(Case.an_admin),
    "exportUser": Ask(Case.user),
    "eraseUser": Ask(Case.user), "eraseUser/anadmin": Ask(Case.an_admin),

    "createCategory": Ask(body=lambda case: {"tenant_id": case.tenant(), "name": "Salas", "type": "fisico"}),
    "listCategories": Ask(), "listCategories/named": Ask(**NAMED), "listCategories/strange": Ask(**NAMED),
    "getCategory": Ask(Case.category),
    "updateCategory": Ask(Case.category, **NAMES),
    "deleteCategory": Ask(Case.category),
    "createResource": Ask(body=lambda case: resource_body(case, case.tenant(), case.home.category["id"])),
    "createResource/category": Ask(body=lambda case: resource_body(case, case.home.id, case.category())),
    "listResources": Ask(), "listResources/named": Ask(**NAMED), "listResources/strange": Ask(**NAMED),
    "listResources/category": Ask(query=lambda case: {"category_id": case.category()}),
    "getResource": Ask(Case.resource),
    "updateResource": Ask(Case.resource, **NAMES),
    "updateResource/category": Ask(lambda case: case.home.fresh_resource()["id"], body=lambda case: {"category_id": case.category()}),
    "deleteResource": Ask(Case.resource),
    "getAvailability": Ask(Case.resource, query=lambda case: {"data": "2025-12-05"}),

    "createBooking": Ask(body=booking_body),
    "createBooking/confirmed": Ask(body=lambda case: booking_body(case, status="confirmado")),
    "createBooking/strange": Ask(body=lambda case: booking_body(case, tenant_id=case.tenant())),
    "createBooking/resource": Ask(body=lambda case: booking_body(case, resource_id=case.resource())),
    "createBooking/user": Ask(body=lambda case: booking_body(case, user_id=case.user())),
    "listBookings": Ask(), "listBookings/named": Ask(**NAMED), "listBookings/strange": Ask(**NAMED),
    "listBookings/other": Ask(query=lambda case: {"user_id": case.user()}),
    "listBookings/user": Ask(query=lambda case: {"user_id": case.user()}),
    "listBookings/resource": Ask(query=lambda case: {"resource_id": case.resource()}),
    "getBooking": Ask(Case.booking),
    "updateBooking": Ask(Case.booking, body=lambda case: {"notes": "x"}),
    "updateBooking/confirmed": Ask(Case.booking, body=lambda case: {"status": "confirmado"}),
    "updateBooking/given": Ask(Case.booking, body=lambda case: {"user_id": case.home.guest.id}),
    "updateBooking/resource": Ask(own_booking, body=lambda case: {"resource_id": case.resource()}),
    "updateBooking/user": Ask(own_booking, body=lambda case: {"user_id": case.user()}),
    "cancelBooking": Ask(Case.booking, body=lambda case: {"reason": "x"}),
    "cancelBookingQuietly": Ask(Case.booking),
    "setBookingStatus": Ask(Case.booking, query=lambda case: {"status_param": "confirmado"}),
    "setBookingStatus/cancelled": Ask(Case.booking, query=lambda case: {"status_param": "cancelado"}),

    "listAudit": Ask(), "listAudit/named": Ask(**NAMED), "listAudit/strange": Ask(**NAMED),
    "listAudit/subject": Ask(query=lambda case: {"subject_id": case.booking()}),

    "getJwks": Ask(),
    "login": Ask(body=password_form),
    "refreshTokens": Ask(body=refresh_form),
    "logout": Ask(body=lambda case: case.fresh_caller and {}),
    "listSessions": Ask(), "listSessions/other": Ask(query=lambda case: {"user_id": case.user()}),
    "listSessions/strange": Ask(query=lambda case: {"user_id": case.user()}),
    "endSession": Ask(Case.session),
    "makePasswordLink": Ask(Case.user), "makePasswordLink/anadmin": Ask(Case.an_admin),
    "signUp": Ask(body=lambda case: sign_up(case, case.home.id)),
    "signUp/absent": Ask(body=lambda case: sign_up(case, ABSENT)),
    "forgotPassword": Ask(body=lambda case: {"tenant_id": case.home.id, "email": case.me.user["email"]}),
    "resetPassword": Ask(body=reset_form),
    "changePassword": Ask(body=lambda case: case.fresh_caller and {"current_password": harness.PASSWORD, **NEW_PASSWORD}),
    "createApiKey": Ask(body=lambda case: {"name": "Site", "scopes": ["can_book"]}),
    "createApiKey/named": Ask(body=lambda case: {"name": "Site", "scopes": ["admin"], "tenant_id": case.tenant()}),
    "createApiKey/strange": Ask(body=lambda case: {"name": "Site", "scopes": [], "tenant_id": case.tenant()}),
    "listApiKeys": Ask(), "listApiKeys/named": Ask(**NAMED), "listApiKeys/strange": Ask(**NAMED),
    "revokeApiKey": Ask(Case.api_key),
    "createProvider": Ask(body=new_provider),
    "createProvider/named": Ask(body=lambda case: new_provider(case, tenant_id=case.tenant())),
    "createProvider/strange": Ask(body=lambda case: new_provider(case, tenant_id=case.tenant())),
    "listProviders": Ask(), "listProviders/named": Ask(**NAMED), "listProviders/strange": Ask(**NAMED),
    "getProvider": Ask(Case.provider),
    "updateProvider": Ask(Case.provider, **NAMES),
    "deleteProvider": Ask(Case.provider),
    "beginOidcLogin": Ask(Case.provider),
    "endOidcLogin": Ask(Case.provider, query=lambda case: {"code": "x", "state": "y"}),
    "exchangeOidcCode": Ask(body=lambda case: {"code": "mo_x", "code_verifier": "x" * 43}),
}


def ask_of(operation, about):
    """`about` may be "own", "own/named"; the most particular entry of ASK stands."""
    kind, _, particular = about.partition("/")
    for key in (f"{operation}/{particular or kind}", operation):
        if key in ASK:
            return ASK[key]
    raise KeyError(operation)


# --- Asking -------------------------------------------------------------------------

VOLATILE = ("Date", "X-Request-ID", "traceparent")


def told(case, reply):
    """All that was answered, without what differs from call to call, and without the ids that were asked about."""
    text = reply.body.decode("utf-8")
    headers = "\n".join(f"{name}: {value}" for name, value in reply.headers.items() if name not in VOLATILE)
    text = re.sub(r'"trace_id":"[0-9a-f]{32}"', '"trace_id":""', text)
    for sent in case.sent:
        text, headers = text.replace(sent, "<id>"), headers.replace(sent, "<id>")
    return reply.status, headers, text


def call(street, operation, about, caller, where, ask=None, send=lambda api: api):
    """`ask` where it is none of ASK; `send` makes of the caller's Api what the request is handed to."""
    case = Case(street, caller, about.partition("/")[0], where)
    ask = ask or ask_of(operation, about)
    method, path = OPERATIONS[operation]
    path = path.replace("{domain}", street.north.tenant["domain"])
    if "{id}" in path:
        own_id = ask.id(case)
        case.sent.append(own_id)
        path = path.replace("{id}", own_id)
    query = ask.query(case) if ask.query is not None else None
    body = ask.body(case) if ask.body is not None else None
    apis = {"anyone": street.anyone, "operator": street.operator, **street.north.keys}
    api = apis.get(caller) or (case.person or case.me).api
    return case, send(api).request(method, path, body, None, query)


def places(about, caller):
    if not about.startswith("strange"):
        return ["home"]
    return ["absent"] if caller == "operator" else ["foreign", "absent"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_cell(street, row):
    operation, about, *statuses = row
    for caller, status in zip(CALLERS, statuses, strict=True):
        if status == "-":
            continue
        answers = {where: call(street, operation, about, caller, where) for where in places(about, caller)}
        for where, (_, reply) in answers.items():
            assert reply.status == int(status), f"{caller}, {where}: {reply}"
        if len(answers) == 2:
            assert told(*answers["foreign"]) == told(*answers["absent"]), caller


# --- Every route ----------------------------------------------------------------------


def test_no_route_is_left_out():
    asked = {row[0] for row in ROWS}
    assert not set(OPERATIONS) - asked, "a route without a row: who may call it, and about what?"
    assert not asked - set(OPERATIONS), "a row without a route"
    # What takes an id, or names a tenant, is asked about another's.
    names = {operation for operation, (method, path) in OPERATIONS.items()
             if "{id}" in path or any(p.get("name") == "tenant_id" for p in operation_of(method, path).get("parameters", ()))}
    strange = {row[0] for row in ROWS if row[1].startswith("strange")}
    # Where anybody logs in: who has its address may know that it is there.
    assert not names - strange - {"beginOidcLogin", "endOidcLogin"}, "asked about one's own only"


def operation_of(method, path):
    return DOCUMENT["paths"][path][method.lower()]


# --- What else might tell ---------------------------------------------------------------


def caller_of(street, column="admin"):
    return street.north.people[column].api


@pytest.mark.parametrize("column", ["plain", "view", "admin"])
@pytest.mark.parametrize("path", ["/users/", "/categories/", "/resources/", "/bookings/", "/audit/"])
def test_a_list_goes_on_from_a_cursor_of_anothers(street, path, column):
    """A cursor is a place, not a right: the rows after it are one's own."""
    for _ in range(3):
        street.south.fresh_booking(street.south.guest.id)
        street.south.fresh_category()
        street.south.fresh_resource()
    page = street.south.people["admin"].api.request("GET", path, query={"limit": 1})
    cursor = page.headers["X-Next-Cursor"]
    reply = caller_of(street, column).request("GET", path, query={"cursor": cursor, "limit": 1000})
    assert reply.status in (200, 403)
    if reply.status == 200:
        assert {row["tenant_id"] for row in reply.json} <= {street.north.id}


def test_a_warm_cache_answers_nobody_else(street):
    """What is kept of a resource, its days and a user for their own tenant is not given to another."""
    resource, guest = street.south.fresh_resource(), street.south.guest
    path, day = f"/resources/{resource['id']}/availability", {"data": "2025-12-05"}
    for _ in range(3):
        assert street.south.people["admin"].api.request("GET", path, query=day).status == 200
        assert street.operator.request("GET", path, query=day).status == 200
    harness.make_booking(street.operator, resource, guest.user, *street.south.next_hour().values())
    for column in street.north.people:
        assert caller_of(street, column).request("GET", path, query=day).status == 404
    admin = street.north.people["admin"]
    for wanted in ({"resource_id": resource["id"]}, {"user_id": guest.id}):
        reply = admin.api.request("POST", "/bookings/", street.north.wanted_booking(**{"user_id": admin.id, **wanted}))
        assert reply.status == 404, reply


@pytest.mark.parametrize("tag", ['"1"', "*", '"99"'])
@pytest.mark.parametrize("path", ["/bookings/{booking}", "/users/{user}", "/resources/{resource}", "/categories/{category}"])
def test_if_match_tells_nothing(street, path, tag):
    """412 would say that it is there."""
    ids = {"booking": street.south.fresh_booking(street.south.guest.id)["id"], "user": street.south.guest.id,
           "resource": street.south.resource["id"], "category": street.south.category["id"]}
    reply = caller_of(street).request("PUT", path.format(**ids), {}, {"If-Match": tag})
    assert reply.status == 404, reply


def test_an_address_of_another_tenant_is_free(street):
    """E-mail addresses are unique in a tenant: that one is taken elsewhere is not told."""
    wanted = {"tenant_id": street.north.id, "name": "Eva", "email": street.south.guest.user["email"]}
    reply = street.north.people["admin"].api.api.post("/users/", wanted)  # not watched: he sends the word himself
    assert reply.status == 201, reply


def test_rows_that_stayed(street):
    """After all of that, the other tenant has what it had."""
    south = street.south
    owner = south.people["admin"].api
    assert owner.request("GET", f"/tenants/{south.id}").json == south.tenant
    assert owner.request("GET", f"/resources/{south.resource['id']}").json == south.resource
    assert owner.request("GET", f"/categories/{south.category['id']}").json == south.category
    assert owner.request("GET", f"/users/{south.guest.id}").json == south.guest.user
    assert all(b["status"] in ("pendente", "confirmado") for b in owner.request("GET", "/bookings/", query={"limit": 1000}).json)


def test_events_are_of_ones_own(street):
    for house in (street.north, street.south):
        rows = house.people["admin"].api.request("GET", "/audit/", query={"limit": 1000}).json
        assert rows and {row["tenant_id"] for row in rows} == {house.id}


def test_no_word_in_what_all_can_see(street):
    """Neither counters, nor health, nor the log: they are of the whole house."""
    texts = [street.anyone.request("GET", path).text for path in ("/metrics", "/health", "/ready", "/openapi.json")]
    texts += [path.read_text() for path in street.marca.logs()]
    for text in texts:
        assert not [word for word in street.words if word in text.lower()]
