// The page that a link to a new password leads to, in Debian's Chromium, against a running marca (MARCA_URL).
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

const base = new URL(process.env.MARCA_URL);
const NEW = 'outra senha bem comprida';
let browser;
let shots;
let serial = 0;

before(async () => {
  shots = process.env.MARCA_SHOTS ?? (await mkdtemp(join(tmpdir(), 'marca-shots-')));
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
});

after(async () => browser?.close());

async function post(path, body) {
  const reply = await fetch(new URL(path, base), {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body ?? {}),
  });
  const text = await reply.text();
  return { status: reply.status, body: text ? JSON.parse(text) : null };
}

// A user, and the token of a link to a new password.
async function someone() {
  serial += 1;
  const tenant = (await post('/tenants/', { name: 'Reset', domain: `reset-${process.pid}-${serial}.example.com` })).body;
  const user = (await post('/users/', {
    tenant_id: tenant.id, name: 'Ana', email: `ana-${serial}@example.com`, password: 'correct horse battery',
  })).body;
  const link = (await post(`/users/${user.id}/password-link`)).body.link;
  return { tenant, user, token: link.split('#')[1] };
}

const logsIn = async ({ tenant, user }, password) =>
  (await post('/auth/login', { tenant_id: tenant.id, email: user.email, password })).status;

async function visit(t, path, options = {}) {
  const context = await browser.newContext({ baseURL: base.origin, locale: 'pt-BR', ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(path);
  return { page, asked };
}

async function fill(page, password, again = password) {
  await page.fill('#password', password);
  await page.fill('#again', again);
  await page.click('form button');
}

test('a new password is chosen, and the link leaves the address and goes nowhere else', async (t) => {
  const who = await someone();
  const { page, asked } = await visit(t, `/reset#${who.token}`);
  assert.equal(page.url(), new URL('/reset', base).href);
  await page.screenshot({ path: join(shots, 'reset.png') });
  await fill(page, NEW);
  await page.waitForFunction(() => document.querySelector('#done').textContent !== '');
  assert.match(await page.textContent('#done'), /Senha trocada/);
  assert.equal(await page.isVisible('form'), false);
  assert.equal(await page.inputValue('#password'), '');
  assert.ok(asked.every((url) => !url.includes(who.token) && new URL(url).origin === base.origin), asked.join());
  assert.equal(await logsIn(who, NEW), 200);
  assert.equal(await logsIn(who, 'correct horse battery'), 401);
  await page.click('[data-set-lang="en"]');
  assert.match(await page.textContent('#done'), /password was changed/);
});

test('what is wrong is said, in the language of the page, and can be mended', async (t) => {
  const who = await someone();
  const { page } = await visit(t, `/reset#${who.token}`, { locale: 'en-GB' });
  await fill(page, NEW, `${NEW}x`);
  assert.equal(await page.textContent('#problem'), 'The two passwords are different.');
  await fill(page, 'password1');
  await page.waitForFunction(() => document.querySelector('#problem').textContent.includes('too common'));
  assert.equal(await logsIn(who, 'correct horse battery'), 200);
  await fill(page, NEW);
  await page.waitForFunction(() => document.querySelector('#done').textContent !== '');
  assert.equal(await page.textContent('#problem'), '');
  assert.equal(await logsIn(who, NEW), 200);
});

test('a link that was used is said to be', async (t) => {
  const who = await someone();
  assert.equal((await post('/auth/password/reset', { token: who.token, new_password: NEW })).status, 204);
  const { page } = await visit(t, `/reset#${who.token}`);
  await fill(page, `${NEW} 2`);
  await page.waitForFunction(() => document.querySelector('#problem').textContent !== '');
  assert.equal(await page.textContent('#problem'), 'Link inválido, vencido ou já usado.');
  assert.equal(await page.isVisible('form'), false);
});

test('an address without a token says so', async (t) => {
  const { page } = await visit(t, '/reset');
  assert.match(await page.textContent('#problem'), /incompleto/);
  assert.equal(await page.isVisible('form'), false);
});

test('a page wide as a telephone', async (t) => {
  const { page } = await visit(t, `/reset#${(await someone()).token}`, { viewport: { width: 320, height: 640 } });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await page.screenshot({ path: join(shots, 'reset-narrow.png') });
});
