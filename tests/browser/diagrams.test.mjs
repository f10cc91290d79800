// Every diagram of the documentation, drawn in Chromium by Mermaid (MERMAID), as those who show Markdown do it.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

const root = new URL('../../', import.meta.url);
let browser;
let page;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  page = await browser.newPage();
  await page.addScriptTag({ path: process.env.MERMAID });
  await page.evaluate(() => window.mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' }));
});

after(() => browser?.close());

async function diagrams() {
  const names = (await Promise.all(['docs', 'deploy'].map(async (folder) => (
    (await readdir(new URL(folder, root), { recursive: true })).map((name) => `${folder}/${name}`))))).flat();
  const files = [...names, 'README.md', 'README.pt-BR.md'].filter((name) => name.endsWith('.md')).sort();
  const found = await Promise.all(files.map(async (name) => {
    const text = await readFile(new URL(name, root), 'utf8');
    return [...text.matchAll(/^```mermaid\n(.*?)^```$/gms)].map((match) => (
      { name: `${name}:${text.slice(0, match.index).split('\n').length}`, text: match[1] }));
  }));
  return found.flat();
}

// The words that it shows; what is wrong is thrown.
const draw = (text) => page.evaluate(async (source) => {
  const { svg } = await window.mermaid.render('drawn', source);
  return new DOMParser().parseFromString(svg, 'text/html').body.textContent;
}, text);

test('every diagram is drawn, with all its words', async () => {
  const all = await diagrams();
  assert.ok(all.length > 10, 'the diagrams are not found');
  const faults = [];
  for (const { name, text } of all) {
    try {
      const shown = await draw(text);
      const labels = [...text.matchAll(/participant \w+ as (.+)$/gm)].map((match) => match[1]);
      faults.push(...labels.filter((label) => !shown.includes(label)).map((label) => `${name}: ${label} is not in it`));
    } catch (error) {
      faults.push(`${name}: ${error.message}`);
    }
  }
  assert.deepEqual(faults, []);
});

test('a planted fault is told', async () => {
  for (const text of ['flowchart LR\n  a["one] --> b\n', 'sequenceDiagram\n  A->>B: one; two\n', 'flow LR\n  a --> b\n']) {
    await assert.rejects(draw(text), text);
  }
});
