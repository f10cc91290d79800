// A peer of marca: Fastify and postgres, on marca's own tables. See docs/performance.md, "Peers".
//
// GET /resources/{id}/availability and POST /bookings/, with the answers that marca gives, for marca's access tokens. Settings
// in the environment: PORT, WORKERS, DATABASE_URL, REDIS_URL, JWKS (the public keys, as JSON), ISSUER, CLOCK (where time starts).
import cluster from 'node:cluster'
import { createPublicKey, randomBytes, randomFillSync } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'

import { createVerifier } from 'fast-jwt'
import Fastify from 'fastify'
import Redis from 'ioredis'
import postgres from 'postgres'

const { PORT, WORKERS = '2', DATABASE_URL, REDIS_URL, JWKS, ISSUER, CLOCK, PLANTED_FAULT } = process.env
const MICROS = 1000 // of a millisecond: all times are in microseconds, which a double holds exactly
const HOUR = 3600 * 1000 * MICROS
const KEEP_MS = 30000 // settings and sessions, like CACHE_TTL_SECONDS
const KEEP_COUNT = 4096
const RELAY_BATCH = 500
const RELAY_PAUSE_MS = 50
const RELAY_LOCK = 7236002 // of pg_advisory_lock: one relay a database

// --- The clock ---------------------------------------------------------------------------

const shift = CLOCK ? Date.parse(CLOCK) - Date.now() : 0
const now = () => (Date.now() + shift) * MICROS

/** RFC 3339; a fraction only where there is one. */
const utc = at => new Date(at / MICROS).toISOString().replace(/\.000Z$/, 'Z')

/** How far a zone is ahead of UTC, in minutes. Asked once an hour of the calendar: Intl is slow. */
const zones = new Map()
function zoneOf(name) {
  let zone = zones.get(name)
  if (zone === undefined) {
    zone = { format: new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' }), offsets: new Map() }
    zones.set(name, zone)
  }
  return zone
}

function offsetAt(name, at) {
  const { format, offsets } = zoneOf(name)
  const hour = Math.floor(at / HOUR)
  let offset = offsets.get(hour)
  if (offset === undefined) {
    const text = format.formatToParts(at / MICROS).find(part => part.type === 'timeZoneName').value
    const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(text)
    offset = (sign === '-' ? -1 : 1) * ((hours ?? 0) * 60 + Number(minutes ?? 0))
    offsets.set(hour, offset)
  }
  return offset
}

const two = n => String(n).padStart(2, '0')
function local(zone, at) {
  const offset = offsetAt(zone, at)
  const wall = new Date(at / MICROS + offset * 60000).toISOString().slice(0, 19)
  const ahead = Math.abs(offset)
  return `${wall}${offset < 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`
}

const ISO = /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)([Zz]|[+-]\d\d:\d\d)?$/
const isTime = text => !Number.isNaN(Date.parse((ISO.exec(text)?.[1] ?? '') + 'Z'))

/** Days since 1970 of the local date. */
const dateOf = (zone, at) => Math.floor((at / MICROS / 60000 + offsetAt(zone, at)) / 1440)

/** Of a wall clock's reading, given as if it were UTC. */
function instantOf(zone, wall) {
  const guess = wall - offsetAt(zone, wall) * 60000 * MICROS
  return wall - offsetAt(zone, guess) * 60000 * MICROS
}

// --- Failures ------------------------------------------------------------------------------

class Refused extends Error {
  constructor(statusCode, code, message, more) {
    super(message)
    Object.assign(this, { statusCode, code, more })
  }
}

const unauthenticated = () => new Refused(401, 'unauthorized', 'Autenticação necessária: envie um token válido.')
const noResource = () => new Refused(404, 'resource_not_found', 'Recurso não encontrado')
const noUser = () => new Refused(404, 'user_not_found', 'Usuário não encontrado')
const noTenant = () => new Refused(404, 'tenant_not_found', 'Tenant não encontrado')
const unavailable = () => new Refused(400, 'resource_unavailable', 'Recurso indisponível para reservas.')

// --- The database ----------------------------------------------------------------------------

// Binary would not do: postgres speaks text. An int8 here is a time or a count, and far below 2^53.
const sql = postgres(DATABASE_URL, {
  max: 10, fetch_types: false, prepare: true,
  types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
})

/** What `read` gave is kept for a while; the first argument is the key. */
function kept(read) {
  const known = new Map()
  return async (key, ...rest) => {
    const found = known.get(key)
    if (found !== undefined && found.until > Date.now()) return found.value
    const value = await read(key, ...rest)
    if (known.size >= KEEP_COUNT) known.clear()
    known.set(key, { until: Date.now() + KEEP_MS, value })
    return value
  }
}

// --- Who asks ------------------------------------------------------------------------------------

const [jwk] = JSON.parse(JWKS ?? '{"keys":[]}').keys
// Times apart: the clock may be shifted.
const verify = jwk && createVerifier({
  key: createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }),
  algorithms: ['EdDSA'], allowedIss: ISSUER, allowedAud: 'marca', ignoreExpiration: true, ignoreNotBefore: true,
  requiredClaims: ['exp', 'nbf', 'sub', 'tid', 'sid'], cache: KEEP_COUNT,
})

const sessionOf = kept(async (sid, tid) => {
  const [row] = await sql`
    SELECT s.user_id, s.expires_at, u.user_type
      FROM sessions s JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
     WHERE s.tenant_id = ${tid} AND s.id = ${sid} AND s.revoked_at IS NULL AND s.auth_epoch = u.auth_epoch
       AND u.is_active AND u.deleted_at IS NULL`
  return row && { tenant: tid, user: row.user_id, isStaff: row.user_type === 'admin', until: row.expires_at }
})

async function authenticate(request) {
  const header = request.headers.authorization
  if (header === undefined || !/^bearer /i.test(header)) throw unauthenticated()
  let claims
  try {
    claims = verify(header.slice(7))
  } catch {
    throw unauthenticated()
  }
  const at = now()
  const seconds = at / MICROS / 1000
  if (claims.exp <= seconds || claims.nbf > seconds + 5) throw unauthenticated()
  const who = await sessionOf(claims.sid, claims.tid)
  if (who === undefined || who.until <= at) throw unauthenticated()
  request.who = who
}

// --- The rules --------------------------------------------------------------------------------------

const rulesOf = kept(async tenant => {
  const [row] = await sql`
    SELECT t.is_active, s.timezone, s.working_hours_start, s.working_hours_end, s.booking_interval, s.advance_booking_days,
           s.cancellation_hours, s.auto_confirm
      FROM tenants t JOIN tenant_settings s ON s.tenant_id = t.tenant_id
     WHERE t.tenant_id = ${tenant} AND t.deleted_at IS NULL`
  if (row === undefined) throw noTenant()
  return {
    isActive: row.is_active, zone: row.timezone, opens: row.working_hours_start * 1000 * MICROS,
    closes: row.working_hours_end * 1000 * MICROS, interval: row.booking_interval * 60000 * MICROS,
    days: row.advance_booking_days, cancellation: row.cancellation_hours * HOUR, autoConfirm: row.auto_confirm,
  }
})

const resourceOf = kept(async (id, tenant) => {
  const [row] = await sql`
    SELECT tenant_id, status FROM resources WHERE tenant_id = ${tenant} AND id = ${id} AND deleted_at IS NULL`
  if (row === undefined) throw noResource()
  return row
})

const userOf = kept(async (id, tenant) => {
  const [row] = await sql`SELECT tenant_id FROM users WHERE tenant_id = ${tenant} AND id = ${id} AND deleted_at IS NULL`
  if (row === undefined) throw noUser()
  return row
})

/** Kept by the id alone: so whose it is is looked at each time. */
async function owned(find, id, tenant, absent) {
  const found = await find(id, tenant)
  if (found.tenant_id !== tenant) throw absent()
  return found
}

const DAY = 86400 * 1000 * MICROS
const workingHours = (rules, date) =>
  [instantOf(rules.zone, date * DAY + rules.opens), instantOf(rules.zone, date * DAY + rules.closes)]

function checkRules(rules, start, end, at) {
  const minutes = rules.interval / 60000 / MICROS
  const bad = (code, message) => new Refused(400, code, message)
  if (end <= start) throw bad('end_before_start', 'Horário final deve ser maior que o inicial.')
  if (start <= at) throw bad('in_the_past', 'Agendamentos devem ser criados para horários futuros.')
  const date = dateOf(rules.zone, start)
  if (date > dateOf(rules.zone, at) + rules.days)
    throw bad('too_far_ahead', `Agendamentos só podem ser feitos com até ${rules.days} dias de antecedência.`)
  if ((end - start) % rules.interval !== 0) throw bad('invalid_duration', `Duração deve ser múltiplo de ${minutes} minutos.`)
  const [opens, closes] = workingHours(rules, date)
  if (start < opens || end > closes) throw bad('outside_working_hours', 'Horário fora do expediente configurado.')
  if ((start - opens) % rules.interval !== 0)
    throw bad('off_grid', `Horário inicial deve respeitar intervalos de ${minutes} minutos.`)
}

// --- The relay ----------------------------------------------------------------------------------------

let ring = () => {}
const rest = () => Promise.race([new Promise(resolve => { ring = resolve }), setTimeout(1000)])

function addEvent(pipeline, row) {
  pipeline.xadd('peer-booking-events', '*', 'event_type', row.type, 'payload', row.payload, 'metadata', JSON.stringify({
    event_id: row.id, tenant_id: row.tenant_id, subject_id: row.subject_id, occurred_at: utc(row.created_at),
    trace_id: row.trace_id, version: row.version, ordinal: row.ordinal,
  }))
}

const relayBatch = redis => sql.begin(async tx => {
  const rows = await tx`
    SELECT tenant_id, id, type, subject_id, payload::text, trace_id, created_at, version, ordinal FROM booking_outbox
     WHERE sequence IS NULL ORDER BY created_at, subject_id, ordinal LIMIT ${RELAY_BATCH}`
  if (rows.length === 0) return 0
  const pipeline = redis.pipeline()
  for (const row of rows) addEvent(pipeline, row)
  for (const [error] of await pipeline.exec()) if (error) throw error
  // 0: sent by a relay that is not marca's, which numbers them.
  await tx`
    UPDATE booking_outbox o SET sequence = 0
      FROM unnest(${`{${rows.map(row => row.tenant_id)}}`}::uuid[], ${`{${rows.map(row => row.id)}}`}::uuid[]) AS w(tenant_id, id)
     WHERE o.tenant_id = w.tenant_id AND o.id = w.id`
  return rows.length
})

/** Sends the outbox to Redis, each event at least once, in commit order of its booking. One of all processes does it. */
async function relay() {
  const redis = new Redis(REDIS_URL)
  const lease = await sql.reserve()
  await lease`SELECT pg_advisory_lock(${RELAY_LOCK})`
  for (;;) {
    if (await relayBatch(redis) === RELAY_BATCH) continue
    await rest()
    await setTimeout(RELAY_PAUSE_MS) // a batch of many costs little more than one event
  }
}

// --- The application --------------------------------------------------------------------------------------

const text = { type: 'string' }
const id = { type: 'string', format: 'uuid' }
const maybe = { type: ['string', 'null'] }
const period = { type: 'object', properties: { start_time: text, end_time: text } }
const pattern = {
  type: ['object', 'null'], required: ['frequency'],
  properties: {
    frequency: { enum: ['daily', 'weekly', 'monthly'] }, interval: { type: 'integer', minimum: 1, maximum: 52, default: 1 },
    end_date: { type: ['string', 'null'], format: 'date' },
    days_of_week: { type: ['array', 'null'], items: { type: 'integer', minimum: 0, maximum: 6 } },
  },
}
// An offset may be missing: then it is the tenant's local time.
const when = { type: 'string', format: 'time-of-tenant' }

const AVAILABILITY = {
  params: { type: 'object', properties: { id } },
  response: {
    200: {
      type: 'object',
      properties: { resource_id: text, tenant_id: text, date: text, timezone: text, slots: { type: 'array', items: period } },
    },
  },
}
const BOOKING = {
  body: {
    type: 'object', required: ['tenant_id', 'resource_id', 'user_id', 'start_time', 'end_time'],
    properties: {
      tenant_id: id, resource_id: id, user_id: id, client_id: { type: ['string', 'null'], format: 'uuid' }, start_time: when,
      end_time: when, notes: { type: ['string', 'null'], maxLength: 2000 }, status: { enum: ['pendente', 'confirmado', null] },
      recurring_enabled: { type: 'boolean', default: false }, recurring_pattern: pattern,
    },
  },
  response: {
    201: {
      type: 'object',
      properties: {
        id: text, tenant_id: text, resource_id: text, user_id: text, client_id: maybe, start_time: text, end_time: text,
        status: text, notes: maybe, confirmation_code: text, recurring_enabled: { type: 'boolean' }, recurring_pattern: pattern,
        cancellation_reason: maybe, cancelled_at: maybe, cancelled_by: maybe, created_at: text, updated_at: text,
        can_cancel: { type: 'boolean' },
      },
    },
  },
}

const app = Fastify({
  logger: { level: 'info' }, disableRequestLogging: true,
  ajv: { customOptions: { coerceTypes: false, allErrors: true, removeAdditional: false, formats: { 'time-of-tenant': isTime } } },
})

// A line in the log, as marca has one by default for each request that failed.
app.setErrorHandler((error, request, reply) => {
  const refusal = error instanceof Refused
  const invalid = error.validation !== undefined || error.statusCode === 400
  const status = refusal ? error.statusCode : invalid ? 422 : 500
  const code = refusal ? error.code : invalid ? 'validation_error' : 'internal_error'
  const message = refusal ? error.message : invalid ? 'Dados inválidos.' : 'Erro interno.'
  const line = { path: request.routeOptions.url, status, error: code }
  if (status >= 500) request.log.error({ ...line, err: error })
  else request.log.info(line)
  const errors = error.validation?.map(one => (
    { loc: ['body', ...one.instancePath.split('/').slice(1)], msg: one.message, type: one.keyword }))
  reply.code(status).type('application/problem+json').send(JSON.stringify({
    type: `urn:marca:error:${code}`, title: message, status, detail: message, success: false, error: code, message, errors,
    ...error.more,
  }))
})

app.get('/health', async () => ({ status: 'ok' }))

app.get('/resources/:id/availability', { schema: AVAILABILITY, onRequest: authenticate }, async ({ who, params, query }) => {
  const { status } = await owned(resourceOf, params.id.toLowerCase(), who.tenant, noResource)
  const data = query.data ?? ''
  const date = /^\d{4}-\d\d-\d\d$/.test(data) ? Date.parse(data) * MICROS / DAY : NaN
  if (Number.isNaN(date)) throw new Refused(400, 'invalid_date', 'Data inválida. Use o formato YYYY-MM-DD.')
  if (status !== 'disponivel') throw unavailable()
  const rules = await rulesOf(who.tenant)
  const at = now()
  const today = dateOf(rules.zone, at)
  if (date < today) throw new Refused(400, 'date_in_the_past', 'Data deve ser igual ou posterior a hoje.')
  if (date > today + rules.days)
    throw new Refused(400, 'date_too_far_ahead', `Consultas de disponibilidade limitadas a ${rules.days} dias de antecedência.`)
  const [opens, closes] = workingHours(rules, date)
  // No booking is longer than 26 hours: without that bound all of a resource's past would be read.
  const busy = await sql`
    SELECT b.start_time, b.end_time FROM bookings b
     WHERE b.tenant_id = ${who.tenant} AND b.resource_id = ${params.id} AND b.status IN ('pendente', 'confirmado')
       AND b.start_time < ${closes} AND b.start_time > ${opens}::bigint - 93600000000 AND b.end_time > ${opens}
     ORDER BY b.start_time`
  const slots = []
  let next = 0
  for (let start = opens; rules.isActive && start + rules.interval <= closes; start += rules.interval) {
    const end = start + rules.interval
    while (next < busy.length && busy[next].end_time <= start) next++
    if (start > at && (next === busy.length || busy[next].start_time >= end))
      slots.push({ start_time: local(rules.zone, start), end_time: local(rules.zone, end) })
  }
  return { resource_id: params.id.toLowerCase(), tenant_id: who.tenant, date: data, timezone: rules.zone, slots }
})

function instantIn(zone, value) {
  const [, wall, offset] = ISO.exec(value)
  const utcWall = Date.parse(wall + 'Z') * MICROS
  return offset === undefined ? instantOf(zone, utcWall) : Date.parse(wall + offset) * MICROS
}

const CODE = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const noise = Buffer.alloc(4096)
let noiseAt = noise.length
/** Random bytes; asked for by the page, since a call costs more than a byte. */
function random(count) {
  if (noiseAt + count > noise.length) { randomFillSync(noise); noiseAt = 0 }
  return noise.subarray(noiseAt, noiseAt += count)
}

function uuid7(at) {
  const bytes = Buffer.from(random(16))
  bytes.writeUIntBE(Math.floor(at / MICROS), 0, 6)
  bytes[6] = bytes[6] & 0x0f | 0x70
  bytes[8] = bytes[8] & 0x3f | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** All or nothing, and durable when it resolves. The lock makes those who want one resource queue up. Sent in one go: the
 * event's row depends on the booking's in SQL. */
async function store(b, change, payload, trace) {
  const free = tx => PLANTED_FAULT === 'overlap' ? tx`TRUE` : tx`NOT EXISTS (
    SELECT 1 FROM bookings b
     WHERE b.tenant_id = ${b.tenant_id} AND b.resource_id = ${b.resource_id} AND b.status IN ('pendente', 'confirmado')
       AND b.start_time < ${b.end} AND b.start_time > ${b.start}::bigint - 93600000000 AND b.end_time > ${b.start})`
  const [, made] = await sql.begin(tx => [
    tx`INSERT INTO resource_locks (tenant_id, resource_id, version) VALUES (${b.tenant_id}, ${b.resource_id}, 1)
       ON CONFLICT (tenant_id, resource_id) DO UPDATE SET version = resource_locks.version + 1`,
    tx`INSERT INTO bookings (tenant_id, id, resource_id, user_id, client_id, start_time, end_time, status, notes,
                             confirmation_code, recurring_enabled, recurring_pattern, version, change_id, created_at, updated_at)
       SELECT l.tenant_id, ${b.id}, l.resource_id, ${b.user_id}, ${b.client_id}, ${b.start}, ${b.end}, ${b.status}, ${b.notes},
              ${b.confirmation_code}, ${b.recurring_enabled}, ${b.pattern}, 1, ${change}, ${b.at}, ${b.at}
         FROM resource_locks l
        WHERE l.tenant_id = ${b.tenant_id} AND l.resource_id = ${b.resource_id}
          AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.tenant_id = ${b.tenant_id}
                             AND g.id IN (${b.tenant_id}, ${b.resource_id}, ${b.user_id}))
          AND ${free(tx)}
       RETURNING id`,
    tx`INSERT INTO booking_outbox (tenant_id, id, ordinal, stream, type, subject_id, version, payload, trace_id, created_at)
       SELECT b.tenant_id, ${change}, 0, 'booking-events', 'booking.created', b.id, b.version, ${payload}, ${trace}, ${b.at}
         FROM bookings b WHERE b.tenant_id = ${b.tenant_id} AND b.id = ${b.id} AND b.change_id = ${change}`,
  ])
  ring()
  return made.length === 1
}

async function conflict(b) {
  const found = await sql`
    SELECT b.id, b.start_time, b.end_time FROM bookings b
     WHERE b.tenant_id = ${b.tenant_id} AND b.resource_id = ${b.resource_id} AND b.status IN ('pendente', 'confirmado')
       AND b.start_time < ${b.end} AND b.start_time > ${b.start}::bigint - 93600000000 AND b.end_time > ${b.start}
     ORDER BY b.start_time`
  return new Refused(409, 'conflict', 'Recurso já possui reserva neste intervalo', {
    conflicts: found.map(one => ({ booking_id: one.id, start_time: utc(one.start_time), end_time: utc(one.end_time) })),
  })
}

/** Of a W3C traceparent, or a new one. */
const traceOf = header => /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(header)?.[1] ?? random(16).toString('hex')

app.post('/bookings/', { schema: BOOKING, onRequest: authenticate }, async ({ who, body, headers }, reply) => {
  const tenant = body.tenant_id.toLowerCase(), resource = body.resource_id.toLowerCase(), user = body.user_id.toLowerCase()
  if (!who.isStaff && (user !== who.user || body.status === 'confirmado'))
    throw new Refused(403, 'forbidden', 'Sem permissão para esta operação.')
  if (tenant !== who.tenant) throw noTenant()
  const rules = await rulesOf(tenant)
  const { status } = await owned(resourceOf, resource, tenant, noResource)
  await owned(userOf, user, tenant, noUser)
  if (!rules.isActive) throw new Refused(400, 'tenant_inactive', 'Tenant inativo: não aceita reservas.')
  if (status !== 'disponivel') throw unavailable()
  const at = now(), start = instantIn(rules.zone, body.start_time), end = instantIn(rules.zone, body.end_time)
  checkRules(rules, start, end, at)
  const booking = {
    id: uuid7(at), tenant_id: tenant, resource_id: resource, user_id: user, client_id: body.client_id ?? null,
    start_time: utc(start), end_time: utc(end), status: body.status ?? (rules.autoConfirm ? 'confirmado' : 'pendente'),
    notes: body.notes ?? null, confirmation_code: Array.from(random(8), n => CODE[n & 31]).join(''),
    recurring_enabled: body.recurring_enabled, recurring_pattern: body.recurring_pattern ?? null, cancellation_reason: null,
    cancelled_at: null, cancelled_by: null, created_at: utc(at), updated_at: utc(at),
    can_cancel: start - at >= rules.cancellation, start, end, at,
    pattern: body.recurring_pattern ? sql.json(body.recurring_pattern) : null,
  }
  const payload = sql.json({
    booking_id: booking.id, user_id: user, resource_id: resource, status: booking.status, start_time: booking.start_time,
    end_time: booking.end_time,
  })
  if (!await store(booking, uuid7(at), payload, traceOf(headers.traceparent))) throw await conflict(booking)
  reply.code(201)
  return booking
})

// --- As many processes as there are cores ----------------------------------------------------------------------

async function serve() {
  await app.listen({ host: '127.0.0.1', port: Number(PORT) })
  relay().catch(error => { app.log.fatal(error); process.exit(1) })
  process.on('SIGTERM', () => process.exit(0))
}

if (cluster.isPrimary) {
  for (let n = 0; n < Number(WORKERS); n++) cluster.fork()
  cluster.on('exit', (worker, status) => { if (!worker.exitedAfterDisconnect && status !== 0) process.exit(1) })
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM')
    process.exit(0)
  })
} else await serve()
