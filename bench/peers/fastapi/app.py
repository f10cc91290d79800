"""A peer of marca: FastAPI, SQLAlchemy and asyncpg, on marca's own tables. See docs/performance.md, "Peers".

GET /resources/{id}/availability and POST /bookings/, with the answers that marca gives, for marca's access tokens. Settings
in the environment: DATABASE_URL, REDIS_URL, JWKS (the public keys, as JSON), ISSUER, CLOCK (where time starts). Run by

    uvicorn app:app --workers 2 --loop uvloop --http httptools --no-access-log --log-level warning
"""
import asyncio
import contextlib
import datetime
import functools
import json
import os
import re
import secrets
import sys
import time
import typing
import uuid
import zoneinfo

import jwt
import pydantic
import redis.asyncio
import sqlalchemy
import ujson
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import create_async_engine

SECOND = 1_000_000  # all times are in microseconds
DAY = datetime.timedelta(days=1)
KEEP_SECONDS = 30  # settings and sessions, like CACHE_TTL_SECONDS
KEEP_COUNT = 4096
RELAY_BATCH = 500
RELAY_PAUSE = 0.05
RELAY_LOCK = 7_236_001  # of pg_advisory_lock: one relay a database
CODE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# A planted fault, to show that check.py can fail.
FAULT = os.environ.get("PLANTED_FAULT")

# --- The clock ----------------------------------------------------------------------------

SHIFT = 0
if "CLOCK" in os.environ:
    SHIFT = datetime.datetime.fromisoformat(os.environ["CLOCK"].replace("Z", "+00:00")).timestamp() - time.time()


def now():
    return int((time.time() + SHIFT) * SECOND)


def instant(when):
    """Of a datetime with a zone."""
    return int(when.timestamp()) * SECOND + when.microsecond


@functools.lru_cache(65_536)
def text_of(zone, at):
    """RFC 3339, of whole seconds."""
    return datetime.datetime.fromtimestamp(at // SECOND, zone).isoformat()


def utc(at):
    seconds, rest = divmod(at, SECOND)  # a double would lose the last microsecond
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(microsecond=rest)
    return when.isoformat().removesuffix("+00:00") + "Z"


# --- Failures -------------------------------------------------------------------------------


class Refused(Exception):
    def __init__(self, status, code, message, **more):
        super().__init__(message)
        self.status, self.code, self.message, self.more = status, code, message, more


UNAUTHENTICATED = (401, "unauthorized", "Autenticação necessária: envie um token válido.")
NO_RESOURCE = (404, "resource_not_found", "Recurso não encontrado")
NO_USER = (404, "user_not_found", "Usuário não encontrado")
NO_TENANT = (404, "tenant_not_found", "Tenant não encontrado")
CONFLICT = (409, "conflict", "Recurso já possui reserva neste intervalo")


def answer(status, content, media_type="application/json"):
    """Returned as it is: the docs' way around checking what one has just made."""
    body = ujson.dumps(content, ensure_ascii=False, escape_forward_slashes=False)
    return Response(body, status, media_type=media_type)


def problem(request, status, code, message, **more):
    """And a line in the log, as marca has one by default for each request that failed."""
    print(json.dumps({"time": utc(now()), "path": request.url.path, "status": status, "error": code}), file=sys.stderr)
    body = {
        "type": f"urn:marca:error:{code}", "title": message, "status": status, "detail": message, "success": False,
        "error": code, "message": message, **more,
    }
    return answer(status, body, "application/problem+json")


# --- The database ----------------------------------------------------------------------------

# Without JIT, as SQLAlchemy's docs advise: it makes asyncpg's look at the types slow, and nothing here faster.
engine = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=10, max_overflow=0,
    connect_args={"server_settings": {"jit": "off"}},
)
reading = engine.execution_options(isolation_level="AUTOCOMMIT")  # one statement needs no BEGIN

SESSION = sqlalchemy.text(
    "SELECT s.user_id, s.expires_at, u.user_type FROM sessions s JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id"
    " WHERE s.tenant_id = :tenant AND s.id = :session AND s.revoked_at IS NULL AND s.auth_epoch = u.auth_epoch AND u.is_active"
    " AND u.deleted_at IS NULL"
)
TENANT = sqlalchemy.text(
    "SELECT t.is_active, s.timezone, s.working_hours_start, s.working_hours_end, s.booking_interval, s.advance_booking_days,"
    " s.cancellation_hours, s.auto_confirm FROM tenants t JOIN tenant_settings s ON s.tenant_id = t.tenant_id"
    " WHERE t.tenant_id = :tenant AND t.deleted_at IS NULL"
)
RESOURCE = sqlalchemy.text("SELECT status FROM resources WHERE tenant_id = :tenant AND id = :id AND deleted_at IS NULL")
USER = sqlalchemy.text("SELECT is_active FROM users WHERE tenant_id = :tenant AND id = :id AND deleted_at IS NULL")

# No booking is longer than 26 hours: without that bound all of a resource's past would be read.
OVERLAPS = """b.tenant_id = :tenant AND b.resource_id = :resource AND b.status IN ('pendente', 'confirmado')
    AND b.start_time < :end AND b.start_time > :start - 93600000000 AND b.end_time > :start"""
BUSY = sqlalchemy.text(f"SELECT b.start_time, b.end_time FROM bookings b WHERE {OVERLAPS} ORDER BY b.start_time")
CONFLICTS = sqlalchemy.text(f"SELECT b.id, b.start_time, b.end_time FROM bookings b WHERE {OVERLAPS} ORDER BY b.start_time")

LOCK = sqlalchemy.text(
    "INSERT INTO resource_locks (tenant_id, resource_id, version) VALUES (:tenant, :resource, 1)"
    " ON CONFLICT (tenant_id, resource_id) DO UPDATE SET version = resource_locks.version + 1"
)
INSERT = sqlalchemy.text(f"""
    INSERT INTO bookings (tenant_id, id, resource_id, user_id, client_id, start_time, end_time, status, notes,
                          confirmation_code, recurring_enabled, recurring_pattern, version, change_id, created_at, updated_at)
    SELECT l.tenant_id, :id, l.resource_id, :user, :client, :start, :end, :status, :notes, :code, :recurring, :pattern, 1,
           :change, :now, :now
      FROM resource_locks l
     WHERE l.tenant_id = :tenant AND l.resource_id = :resource
       AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.tenant_id = :tenant AND g.id IN (:tenant, :resource, :user))
       AND NOT EXISTS (SELECT 1 FROM bookings b WHERE {OVERLAPS if FAULT != "overlap" else "FALSE"})
    RETURNING id""")
EVENT = sqlalchemy.text(
    "INSERT INTO booking_outbox (tenant_id, id, ordinal, stream, type, subject_id, version, payload, trace_id, created_at)"
    " VALUES (:tenant, :change, 0, 'booking-events', 'booking.created', :id, 1, :payload, :trace, :now)"
)


def kept(read):
    """What `read` gave is kept for a while."""
    known = {}

    @functools.wraps(read)
    async def get(*key):
        found = known.get(key)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        value = await read(*key)
        if len(known) >= KEEP_COUNT:
            known.clear()
        known[key] = (time.monotonic() + KEEP_SECONDS, value)
        return value

    return get


async def first(statement, **values):
    async with reading.connect() as connection:
        return (await connection.execute(statement, values)).first()


# --- Who asks -----------------------------------------------------------------------------------

keys = {key.key_id: key.key for key in jwt.PyJWKSet.from_json(os.environ["JWKS"]).keys}
ISSUER = os.environ["ISSUER"]


class Principal(typing.NamedTuple):
    tenant: uuid.UUID
    user: uuid.UUID
    is_staff: bool
    until: int


def claims_of(token):
    """Times apart: the clock may be shifted."""
    try:
        key = keys[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token, key, ["EdDSA"], audience="marca", issuer=ISSUER,
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["exp", "nbf", "sub", "tid", "sid"]},
        )
        return uuid.UUID(claims["tid"]), uuid.UUID(claims["sid"]), int(claims["nbf"]), int(claims["exp"])
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        raise Refused(*UNAUTHENTICATED) from None


@kept
async def principal_of(token):
    tenant, session, since, until = claims_of(token)
    row = await first(SESSION, tenant=tenant, session=session)
    if row is None or now() < (since - 5) * SECOND:
        raise Refused(*UNAUTHENTICATED)
    return Principal(tenant, row.user_id, row.user_type == "admin", min(until * SECOND, row.expires_at))


async def principal(request: Request):
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(*UNAUTHENTICATED)
    who = await principal_of(token)
    if who.until <= now():
        raise Refused(*UNAUTHENTICATED)
    return who


# --- The rules -----------------------------------------------------------------------------------


class Rules(typing.NamedTuple):
    is_active: bool
    name: str
    zone: zoneinfo.ZoneInfo
    opens: int  # seconds since midnight
    closes: int
    interval: int
    days: int
    cancellation: int
    auto_confirm: bool

    def date(self, at):
        return datetime.datetime.fromtimestamp(at / SECOND, self.zone).date()


@kept
async def rules_of(tenant):
    row = await first(TENANT, tenant=tenant)
    if row is None:
        raise Refused(*NO_TENANT)
    return Rules(
        row.is_active, row.timezone, zoneinfo.ZoneInfo(row.timezone), row.working_hours_start, row.working_hours_end,
        row.booking_interval * 60 * SECOND, row.advance_booking_days, row.cancellation_hours * 3600 * SECOND, row.auto_confirm,
    )


@kept
async def resource_status(tenant, resource):
    row = await first(RESOURCE, tenant=tenant, id=resource)
    if row is None:
        raise Refused(*NO_RESOURCE)
    return row.status


@kept
async def user_is_there(tenant, user):
    if await first(USER, tenant=tenant, id=user) is None:
        raise Refused(*NO_USER)


def check_resource(status):
    if status != "disponivel":
        raise Refused(400, "resource_unavailable", "Recurso indisponível para reservas.")


@functools.lru_cache(65_536)
def working_hours(zone, opens, closes, date):
    midnight = datetime.datetime.combine(date, datetime.time(), zone)
    # A sum of a datetime with a zone is one of the wall's, as wanted.
    return instant(midnight + datetime.timedelta(seconds=opens)), instant(midnight + datetime.timedelta(seconds=closes))


def check_rules(rules, start, end, at):
    if end <= start:
        raise Refused(400, "end_before_start", "Horário final deve ser maior que o inicial.")
    if start <= at:
        raise Refused(400, "in_the_past", "Agendamentos devem ser criados para horários futuros.")
    date = rules.date(start)
    if date > rules.date(at) + rules.days * DAY:
        raise Refused(400, "too_far_ahead", f"Agendamentos só podem ser feitos com até {rules.days} dias de antecedência.")
    minutes = rules.interval // 60 // SECOND
    if (end - start) % rules.interval:
        raise Refused(400, "invalid_duration", f"Duração deve ser múltiplo de {minutes} minutos.")
    opens, closes = working_hours(rules.zone, rules.opens, rules.closes, date)
    if start < opens or end > closes:
        raise Refused(400, "outside_working_hours", "Horário fora do expediente configurado.")
    if (start - opens) % rules.interval:
        raise Refused(400, "off_grid", f"Horário inicial deve respeitar intervalos de {minutes} minutos.")


# --- The relay -------------------------------------------------------------------------------------

WAITING = sqlalchemy.text(
    "SELECT tenant_id, id, type, subject_id, CAST(payload AS text) AS payload, trace_id, created_at, version, ordinal"
    f" FROM booking_outbox WHERE sequence IS NULL ORDER BY created_at, subject_id, ordinal LIMIT {RELAY_BATCH}"
)
# 0: sent by a relay that is not marca's, which numbers them.
SENT = sqlalchemy.text(
    "UPDATE booking_outbox o SET sequence = 0 FROM unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[])) AS w(tenant_id, id)"
    " WHERE o.tenant_id = w.tenant_id AND o.id = w.id"
)
rung = asyncio.Event()


def add_event(pipeline, row):
    pipeline.xadd("peer-booking-events", {
        "event_type": row.type, "payload": row.payload, "metadata": ujson.dumps({
            "event_id": str(row.id), "tenant_id": str(row.tenant_id), "subject_id": str(row.subject_id),
            "occurred_at": utc(row.created_at), "trace_id": row.trace_id, "version": row.version, "ordinal": row.ordinal,
        }),
    })


async def relay_batch(stream):
    async with engine.begin() as connection:
        rows = (await connection.execute(WAITING)).all()
        if rows:
            pipeline = stream.pipeline(transaction=False)
            for row in rows:
                add_event(pipeline, row)
            await pipeline.execute()
            await connection.execute(SENT, {"tenants": [row.tenant_id for row in rows], "ids": [row.id for row in rows]})
    return len(rows)


async def relay():
    """Sends the outbox to Redis, each event at least once, in commit order of its booking. One of all processes does it."""
    stream = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])
    async with reading.connect() as lease:
        await lease.execute(sqlalchemy.text(f"SELECT pg_advisory_lock({RELAY_LOCK})"))
        while True:
            if await relay_batch(stream) < RELAY_BATCH:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(rung.wait(), 1)
                await asyncio.sleep(RELAY_PAUSE)  # a batch of many costs little more than one event
            rung.clear()


# --- The application ------------------------------------------------------------------------------------

app = FastAPI(openapi_url=None)


@app.on_event("startup")
async def start():
    app.state.relay = asyncio.create_task(relay())


@app.on_event("shutdown")
async def stop():
    app.state.relay.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await app.state.relay
    await engine.dispose()


@app.exception_handler(Refused)
async def refused(request, error):
    return problem(request, error.status, error.code, error.message, **error.more)


@app.exception_handler(RequestValidationError)
async def invalid(request, error):
    return problem(request, 422, "validation_error", "Dados inválidos.", errors=error.errors())


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/resources/{resource_id}/availability")
async def availability(resource_id: uuid.UUID, data: str = "", who: Principal = Depends(principal)):
    check_resource(await resource_status(who.tenant, resource_id))
    rules = await rules_of(who.tenant)
    try:
        date = datetime.date.fromisoformat(data)
    except ValueError:
        raise Refused(400, "invalid_date", "Data inválida. Use o formato YYYY-MM-DD.") from None
    at = now()
    if date < rules.date(at):
        raise Refused(400, "date_in_the_past", "Data deve ser igual ou posterior a hoje.")
    if date > rules.date(at) + rules.days * DAY:
        raise Refused(400, "date_too_far_ahead", f"Consultas de disponibilidade limitadas a {rules.days} dias de antecedência.")
    opens, closes = working_hours(rules.zone, rules.opens, rules.closes, date)
    async with reading.connect() as connection:
        values = {"tenant": who.tenant, "resource": resource_id, "start": opens, "end": closes}
        busy = (await connection.execute(BUSY, values)).all()
    slots, step, earliest = [], rules.interval, opens if rules.is_active else closes
    for start, end in [*busy, (closes, closes)]:
        while earliest + step <= closes and earliest < end:
            if earliest + step <= start and earliest > at:
                slots.append({"start_time": text_of(rules.zone, earliest), "end_time": text_of(rules.zone, earliest + step)})
            earliest += step
    return answer(200, {
        "resource_id": str(resource_id), "tenant_id": str(who.tenant), "date": data, "timezone": rules.name, "slots": slots,
    })


class Pattern(pydantic.BaseModel):
    frequency: typing.Literal["daily", "weekly", "monthly"]
    interval: int = pydantic.Field(1, ge=1, le=52)
    end_date: datetime.date | None = None
    days_of_week: list[int] | None = None


class NewBooking(pydantic.BaseModel):
    tenant_id: uuid.UUID
    resource_id: uuid.UUID
    user_id: uuid.UUID
    client_id: uuid.UUID | None = None
    start_time: datetime.datetime
    end_time: datetime.datetime
    notes: pydantic.constr(strict=True, max_length=2000) | None = None
    status: typing.Literal["pendente", "confirmado"] | None = None
    recurring_enabled: bool = False
    recurring_pattern: Pattern | None = None


def uuid7(at):
    return uuid.UUID(int=at // 1000 << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62))


def localized(when, zone):
    return instant(when if when.tzinfo is not None else when.replace(tzinfo=zone))


async def permit(body, who):
    if not who.is_staff and (body.user_id != who.user or body.status == "confirmado"):
        raise Refused(403, "forbidden", "Sem permissão para esta operação.")
    if body.tenant_id != who.tenant:
        raise Refused(*NO_TENANT)
    rules = await rules_of(who.tenant)
    status = await resource_status(who.tenant, body.resource_id)
    await user_is_there(who.tenant, body.user_id)
    if not rules.is_active:
        raise Refused(400, "tenant_inactive", "Tenant inativo: não aceita reservas.")
    check_resource(status)
    return rules


async def store(row):
    """All or nothing, and durable when it returns. The lock makes those who want one resource queue up."""
    async with engine.begin() as connection:
        await connection.execute(LOCK, row)
        if (await connection.execute(INSERT, row)).first() is None:
            found = (await connection.execute(CONFLICTS, row)).all()
            raise Refused(*CONFLICT, conflicts=[
                {"booking_id": str(b.id), "start_time": utc(b.start_time), "end_time": utc(b.end_time)} for b in found
            ])
        await connection.execute(EVENT, row)
    rung.set()


@app.post("/bookings/")
async def book(body: NewBooking, request: Request, who: Principal = Depends(principal)):
    rules = await permit(body, who)
    at, start, end = now(), localized(body.start_time, rules.zone), localized(body.end_time, rules.zone)
    check_rules(rules, start, end, at)
    status = body.status or ("confirmado" if rules.auto_confirm else "pendente")
    made, start_text, end_text = uuid7(at), utc(start), utc(end)
    ids = {
        "id": str(made), "tenant_id": str(who.tenant), "resource_id": str(body.resource_id), "user_id": str(body.user_id),
        "client_id": body.client_id and str(body.client_id),
    }
    pattern = body.recurring_pattern and body.recurring_pattern.json(exclude_none=True)
    row = {
        "tenant": who.tenant, "id": made, "resource": body.resource_id, "user": body.user_id, "client": body.client_id,
        "start": start, "end": end, "status": status, "notes": body.notes, "recurring": body.recurring_enabled,
        "pattern": pattern, "code": "".join(CODE[n & 31] for n in secrets.token_bytes(8)), "change": uuid7(at), "now": at,
        "trace": trace_of(request), "payload": ujson.dumps({
            "booking_id": ids["id"], "user_id": ids["user_id"], "resource_id": ids["resource_id"], "status": status,
            "start_time": start_text, "end_time": end_text,
        }),
    }
    await store(row)
    return answer(201, {
        **ids, "start_time": start_text, "end_time": end_text, "status": status, "notes": body.notes,
        "confirmation_code": row["code"], "recurring_enabled": body.recurring_enabled,
        "recurring_pattern": pattern and json.loads(pattern), "cancellation_reason": None, "cancelled_at": None,
        "cancelled_by": None, "created_at": utc(at), "updated_at": utc(at), "can_cancel": start - at >= rules.cancellation,
    })


def trace_of(request):
    """Of a W3C traceparent, or a new one."""
    sent = re.fullmatch(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", request.headers.get("traceparent", ""))
    return sent.group(1) if sent else secrets.token_hex(16)
