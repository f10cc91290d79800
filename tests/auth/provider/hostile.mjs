// A provider that does wrong, as it is told: for what oidc-provider can not be brought to do.
//
//     node hostile.mjs '{"port": 0}'
//
// prints "port N". With "cert" and "key", the names of files, it speaks TLS. POST /test {...} sets, until the next: metadata (members of the discovery document, null takes one
// away), header and claims (of the ID token, the same), sign ("own", "other", "none", "hs256"), rotate (a new key),
// status and body (of the token endpoint), userinfo, iss (of the redirect), jwks_status. GET /test tells what was asked.
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';

const options = { port: 0, ...JSON.parse(process.argv[2] ?? '{}') };
const asked = { discovery: 0, jwks: 0, token: 0, userinfo: 0, last: null };
let told = {};
let nonce = '';

function pair() {
    return { ...generateKeyPairSync('rsa', { modulusLength: 2048 }), kid: randomUUID() };
}
let own = pair();
const other = pair();

function merged(base, more = {}) {
    return Object.fromEntries(Object.entries({ ...base, ...more }).filter(([, value]) => value !== null));
}

function part(object) {
    return Buffer.from(JSON.stringify(object)).toString('base64url');
}

function idToken(issuer, client_id) {
    const now = Math.floor(Date.now() / 1000);
    const header = merged({ alg: 'RS256', kid: own.kid }, told.header);
    const claims = merged({
        iss: issuer, aud: client_id, sub: 'mallory', iat: now, exp: now + 300, nonce,
        email: 'mallory@example.com', email_verified: true, name: 'Mallory',
    }, told.claims);
    const text = `${part(header)}.${part(claims)}`;
    const signatures = {
        own: () => sign('sha256', text, own.privateKey).toString('base64url'),
        other: () => sign('sha256', text, other.privateKey).toString('base64url'),
        hs256: () => createHmac('sha256', own.publicKey.export({ format: 'pem', type: 'spki' })).update(text).digest('base64url'),
        none: () => '',
    };
    return `${text}.${signatures[told.sign ?? 'own']()}`;
}

function json(response, body, status = 200) {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

const secure = options.cert !== undefined;

async function answer(request, response) {
    const issuer = secure ? `https://localhost:${server.address().port}` : `http://127.0.0.1:${server.address().port}`;
    const url = new URL(request.url, issuer);
    let body = '';
    for await (const piece of request)
        body += piece;

    if (url.pathname === '/test' && request.method === 'POST') {
        told = JSON.parse(body);
        if (told.rotate)
            own = pair();
        json(response, {});
    } else if (url.pathname === '/test') {
        json(response, asked);
    } else if (url.pathname === '/.well-known/openid-configuration') {
        asked.discovery++;
        json(response, merged({
            issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`,
            response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'],
        }, told.metadata));
    } else if (url.pathname === '/jwks') {
        asked.jwks++;
        json(response, { keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: own.kid, use: 'sig', alg: 'RS256' }] }, told.jwks_status);
    } else if (url.pathname === '/auth') {
        nonce = url.searchParams.get('nonce');
        const back = new URL(url.searchParams.get('redirect_uri'));
        back.searchParams.set('code', randomUUID());
        back.searchParams.set('state', url.searchParams.get('state'));
        if (told.iss !== undefined)
            back.searchParams.set('iss', told.iss);
        response.writeHead(302, { Location: back.href });
        response.end();
    } else if (url.pathname === '/token') {
        asked.token++;
        const form = Object.fromEntries(new URLSearchParams(body));
        asked.last = { headers: request.headers, form };
        json(response, told.body ?? { access_token: 'at', token_type: 'Bearer', id_token: idToken(issuer, form.client_id ?? 'marca') }, told.status);
    } else if (url.pathname === '/userinfo') {
        asked.userinfo++;
        json(response, told.userinfo ?? {});
    } else {
        json(response, {}, 404);
    }
}

const server = secure
    ? createSecureServer({ cert: readFileSync(options.cert), key: readFileSync(options.key) }, answer)
    : createServer(answer);
server.listen(options.port, '127.0.0.1', () => console.log(`port ${server.address().port}`));
