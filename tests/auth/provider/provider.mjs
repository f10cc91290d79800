// An OpenID Connect provider for tests/auth: oidc-provider, which is certified, with a person who logs in at once.
//
//     node provider.mjs '{"port": 0, "redirect_uris": "...", "claims_in_token": true}'
//
// prints "port N". Clients: `basic` and `post` with the secret "s3cret&+%/ =:", `public` with none, `es256`, `eddsa`.
// POST /test/account {sub, email, email_verified, name} says who logs in from then on.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import Provider from 'oidc-provider';

const options = { port: 0, claims_in_token: true, ...JSON.parse(process.argv[2]) };
const accounts = new Map();
let current = 'nobody';

function jwk(type, parameters, alg) {
    const { privateKey } = generateKeyPairSync(type, parameters);
    return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: randomUUID() };
}

function client(client_id, method, more = {}) {
    const secret = method === 'none' ? {} : { client_secret: 's3cret&+%/ =:' };
    return {
        client_id, ...secret, token_endpoint_auth_method: method, redirect_uris: [`${options.redirect_uris}any`],
        grant_types: ['authorization_code'], response_types: ['code'], ...more,
    };
}

const server = createServer();
server.listen(options.port, '127.0.0.1', () => {
    const issuer = `http://127.0.0.1:${server.address().port}`;
    const provider = new Provider(issuer, {
        clients: [
            client('basic', 'client_secret_basic'), client('post', 'client_secret_post'), client('public', 'none'),
            client('es256', 'client_secret_basic', { id_token_signed_response_alg: 'ES256' }),
            client('eddsa', 'client_secret_basic', { id_token_signed_response_alg: 'EdDSA' }),
        ],
        jwks: { keys: [jwk('rsa', { modulusLength: 2048 }, 'RS256'), jwk('ec', { namedCurve: 'P-256' }, 'ES256'), jwk('ed25519', {}, 'EdDSA')] },
        enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
        scopes: ['openid', 'email', 'profile'],
        claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
        conformIdTokenClaims: !options.claims_in_token,
        cookies: { keys: [randomUUID()] },
        features: { devInteractions: { enabled: false } },
        interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
        findAccount: (_, sub) => accounts.has(sub) && { accountId: sub, claims: () => accounts.get(sub) },
        // Whoever has logged in has agreed to everything.
        async loadExistingGrant(ctx) {
            const grant = new ctx.oidc.provider.Grant({ accountId: ctx.oidc.session.accountId, clientId: ctx.oidc.client.clientId });
            grant.addOIDCScope('openid email profile');
            await grant.save();
            return grant;
        },
    });
    // Each of marca's providers has an address of its own, which is not known yet.
    provider.Client.prototype.redirectUriAllowed = (uri) => uri.startsWith(options.redirect_uris);
    const answer = provider.callback();

    server.on('request', async (request, response) => {
        if (request.url === '/test/account') {
            let body = '';
            for await (const piece of request)
                body += piece;
            const account = JSON.parse(body);
            accounts.set(account.sub, account);
            current = account.sub;
            response.end();
        } else if (request.url.startsWith('/interaction/')) {
            await provider.interactionFinished(request, response, { login: { accountId: current } });
        } else {
            answer(request, response);
        }
    });
    console.log(`port ${server.address().port}`);
});
