/**
 * Runs `npm ci` when node_modules is missing or is not what package-lock.json asks for. Compared package by package
 * with the list that npm leaves inside node_modules, so that any way of installing counts, and a checkout that
 * touches the lock file's time does not.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 11)) {
  console.error(`Node 20.11 or newer is needed, this is ${process.versions.node}`);
  process.exit(1);
}
if (!isFresh()) {
  console.error('installing the npm packages of package-lock.json');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

function isFresh() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages;
  const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  // Optional ones are binaries for other machines: npm leaves out those that do not fit this one.
  return Object.entries(want).every(
    ([path, { version, optional }]) => path === '' || (optional && !(path in have)) || have[path]?.version === version,
  );
}
