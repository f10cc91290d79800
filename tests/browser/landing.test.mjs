// What a person sees first, in Debian's Chromium: the landing page and the five Swagger UIs of a
// running marca (MARCA_URL), whose clock starts at NOW. tests/browser/run starts one.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { chromium } from 'playwright-core';

const NOW = '2025-12-01T12:00:00Z';
const base = new URL(process.env.MARCA_URL);
const services = ['tenants', 'users', 'auth', 'resources', 'bookings', 'audit'];

let browser;
let shots;

before(async () => {
  shots = process.env.MARCA_SHOTS ?? (await mkdtemp(join(tmpdir(), 'marca-shots-')));
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
});

after(async () => {
  await browser?.close();
  console.log(`screenshots: ${shots}`);
});

// A visitor with a browser of their own, and a list of everything that a page must not do.
async function visit(t, path, options = {}) {
  const context = await browser.newContext({ baseURL: base.origin, locale: 'pt-BR', colorScheme: 'light', ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const faults = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== base.origin && url.protocol !== 'data:') faults.push(`asked ${url}`);
  });
  page.on('response', (reply) => {
    if (reply.request().method() === 'GET' && reply.status() >= 400) faults.push(`${reply.status()} ${reply.url()}`);
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`threw: ${error.message}`));
  await page.clock.install({ time: NOW });
  await page.goto(path);
  return { page, faults };
}

async function statesSettle(page) {
  await page.waitForFunction(() => !document.querySelector('[data-state="checking"]'));
  return page.locator('[data-service] .state-text').allTextContents();
}

// The test's own arrangements go through the API like anyone's.
async function create(path, body) {
  const reply = await fetch(new URL(path, base), {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });
  const text = await reply.text();
  assert.equal(reply.status, 201, `POST ${path}: ${text}`);
  return JSON.parse(text).id;
}

test('every service is shown to be ok', async (t) => {
  const { page, faults } = await visit(t, '/');
  assert.deepEqual(await statesSettle(page), Array(services.length).fill('Operando'));
  assert.equal(await page.textContent('#overall'), 'Todos os serviços operando');
  assert.deepEqual(faults, []);
});

test('a service that fails, and a server that does not answer, are told apart', async (t) => {
  const { page } = await visit(t, '/');
  const checks = { tenant: 'ok', user: 'ok', resource: 'unavailable', booking: 'ok', audit: 'ok' };
  await page.route('**/ready', (route) => route.fulfill({ status: 503, json: { status: 'unavailable', checks } }));
  await page.reload();
  assert.deepEqual(await statesSettle(page), ['Operando', 'Operando', 'Operando', 'Com falha', 'Operando', 'Operando']);

  await page.route('**/ready', (route) => route.abort());
  await page.reload();
  assert.deepEqual(await statesSettle(page), Array(services.length).fill('Sem resposta'));
  assert.equal(await page.textContent('#overall'), 'O servidor não responde');
});

test('the language follows the browser, switches, and is remembered', async (t) => {
  const { page, faults } = await visit(t, '/', { locale: 'en-GB' });
  assert.equal(await page.getAttribute('html', 'lang'), 'en');
  await page.getByRole('button', { name: 'PT' }).click();
  assert.equal(await page.getAttribute('html', 'lang'), 'pt-BR');
  assert.match(await page.textContent('h1'), /Cada negócio\s+marca\s+do seu jeito/);
  await page.reload();
  assert.equal(await page.getAttribute('html', 'lang'), 'pt-BR');
  await page.getByRole('button', { name: 'EN: English' }).click();
  assert.match(await page.textContent('h1'), /Every business\s+books\s+its own way/);
  assert.deepEqual(await statesSettle(page), Array(services.length).fill('Operational'));
  assert.match(await page.title(), /white-label scheduling/);
  assert.deepEqual(faults, []);
});

test('the theme follows the system, switches, and is remembered', async (t) => {
  const { page, faults } = await visit(t, '/', { colorScheme: 'dark' });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.locator('[data-toggle-theme]').click();
  const light = await background();
  assert.notEqual(light, dark);
  await page.reload();
  assert.equal(await background(), light);
  assert.deepEqual(faults, []);
});

test('the agenda shows another business at a click', async (t) => {
  const { page, faults } = await visit(t, '/');
  assert.match(await page.textContent('.demo-window'), /Academia Fit/);
  await page.getByRole('button', { name: 'Pessoas' }).click();
  assert.match(await page.textContent('.demo-window'), /Clínica Aurora/);
  assert.deepEqual(faults, []);
});

test('every link leads somewhere', async (t) => {
  const { page } = await visit(t, '/');
  const links = await page.locator('a').evaluateAll((all) => all.map((a) => a.href));
  for (const link of new Set(links.map((href) => href.split('#')[0]))) {
    assert.equal(new URL(link).origin, base.origin);
    assert.equal((await fetch(link)).status, 200, link);
  }
  const anchors = links.filter((href) => href.includes('#')).map((href) => new URL(href).hash);
  for (const anchor of anchors) assert.equal(await page.locator(anchor).count(), 1, anchor);
});

test('the first steps work as copied', async (t) => {
  const { page, faults } = await visit(t, '/', { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByRole('tab').first().focus();
  await page.keyboard.press('ArrowUp');
  assert.equal(await page.getByRole('tabpanel').count(), 1);
  assert.match(await page.getByRole('tabpanel').textContent(), /bookings\/\?tenant_id/);
  await page.locator('#copy-all').click();
  await page.getByText('Copiado').waitFor();
  const script = await page.evaluate(() => navigator.clipboard.readText());

  const { stdout } = await promisify(execFile)('bash', ['-c', script]);
  assert.match(stdout, /^HTTP\/1\.1 201/m);
  assert.match(stdout, /^HTTP\/1\.1 409/m);
  assert.match(stdout, /"can_cancel"/);
  assert.deepEqual(faults, []);
});

for (const service of services) {
  test(`the card of ${service} opens a Swagger UI that lists its operations`, async (t) => {
    const { page, faults } = await visit(t, '/');
    await page.locator(`.card a[href="/api-docs/${service}"]`).click();
    await page.locator('.opblock').first().waitFor();
    const paths = await page.locator('.opblock-summary-path').evaluateAll((all) => all.map((e) => e.dataset.path));
    assert.ok(paths.some((path) => path.startsWith(`/${service}`)), paths.join(' '));
    assert.equal(await page.locator('.errors-wrapper').count(), 0);
    assert.equal(await page.getAttribute('.top nav [aria-current]', 'href'), `/api-docs/${service}`);
    await page.screenshot({ path: join(shots, `api-docs-${service}.png`) });
    assert.deepEqual(faults, []);
  });
}

test('“Try it out” creates a booking', async (t) => {
  const tenant_id = await create('/tenants/', {
    name: 'Estúdio Marca', domain: 'browser-test.example', logo_url: 'https://exemplo.com/logo.png',
    theme_primary_color: '#FF5722', plan: 'profissional',
    settings: {
      business_type: 'fitness', timezone: 'America/Sao_Paulo', working_hours_start: '06:00:00',
      working_hours_end: '22:00:00', booking_interval: 60, advance_booking_days: 30, cancellation_hours: 24,
      custom_labels: { resource_singular: 'Sala', resource_plural: 'Salas', booking_label: 'Aula', user_label: 'Aluno' },
    },
  });
  const user_id = await create('/users/', { tenant_id, name: 'Ana', email: 'ana@exemplo.com', user_type: 'user' });
  const category_id = await create('/categories/', { tenant_id, name: 'Salas', type: 'fisico' });
  const resource_id = await create('/resources/', { tenant_id, category_id, name: 'Sala 1' });
  const booking = {
    tenant_id, resource_id, user_id, start_time: '2025-12-05T14:00:00Z', end_time: '2025-12-05T15:00:00Z',
  };

  const { page, faults } = await visit(t, '/api-docs/bookings');
  const operation = page.locator('.opblock-post').filter({ has: page.locator('[data-path="/bookings"]') });
  await operation.locator('.opblock-summary-control').click();
  await operation.locator('textarea.body-param__text').fill(JSON.stringify(booking));
  await operation.locator('.execute').click();
  const live = operation.locator('.live-responses-table');
  assert.match(await live.locator('.response-col_status').last().textContent(), /^201/);
  assert.match(await live.textContent(), /pendente/);
  await page.screenshot({ path: join(shots, 'try-it-out.png'), fullPage: true });
  assert.deepEqual(faults, []);

  const kept = await (await fetch(new URL(`/bookings/?tenant_id=${tenant_id}`, base))).json();
  assert.deepEqual(kept.map((each) => each.resource_id), [resource_id]);
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 390, 768, 1440, 1600]) {
    test(`the page fits ${width} px, ${colorScheme}`, async (t) => {
      const locale = colorScheme === 'light' ? 'pt-BR' : 'en-US';
      const { page, faults } = await visit(t, '/', { colorScheme, locale, viewport: { width, height: 900 } });
      await statesSettle(page);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      await page.screenshot({ path: join(shots, `landing-${colorScheme}-${width}.png`), fullPage: true });
      assert.deepEqual(faults, []);
    });
  }
}
