#!/usr/bin/env node
/**
 * Holds the import rules of .dependency-cruiser.cjs, and does not believe its silence: dependency-cruiser reads
 * nothing, and says that all is well, when it cannot work with the TypeScript it finds. So (1) every source file
 * must be among the modules it read, and (2) in a copy of the rooms a violation of every rule must be caught.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALLOWED, VIOLATIONS } from './lib/planted.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDERS = ['cmd', 'pkg', 'migrations'];
const CONFIG = '.dependency-cruiser.cjs';

function cruise(folder) {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = ['--config', CONFIG, '--output-type', 'json', ...FOLDERS];
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: folder, maxBuffer: 1 << 28 });
  try {
    return JSON.parse(stdout.toString());
  } catch (error) {
    throw new Error(`dependency-cruiser gave no result: ${stderr.toString().trim() || error.message}`);
  }
}

function checkTree() {
  const { modules, summary } = cruise(root);
  const read = new Set(modules.map(({ source }) => source));
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${String(name)}`),
  ).filter((name) => name.endsWith('.ts'));
  const unread = files.filter((file) => !read.has(file));
  const imports = modules.reduce((sum, { source, dependencies }) => sum + (files.includes(source) ? dependencies.length : 0), 0);
  const problems = summary.violations.map(
    ({ rule, from, to, cycle }) => `${rule.name}: ${[from, ...(cycle?.map(({ name }) => name) ?? [to])].join(' → ')}`,
  );
  if (unread.length > 0) problems.push(`${unread.length} of ${files.length} source files were not read, such as ${unread[0]}`);
  if (imports < files.length) problems.push(`only ${imports} imports were found in ${files.length} source files`);
  return { problems, files: files.length, imports };
}

function checkPlanted() {
  const folder = mkdtempSync(join(tmpdir(), 'flow-imports-'));
  try {
    return comparePlanted(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function comparePlanted(folder) {
  for (const file of [CONFIG, 'package.json', 'tsconfig.json']) copyFileSync(join(root, file), join(folder, file));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const rooms = new Set([...VIOLATIONS.flatMap(([, from, to]) => [from, to]), ...ALLOWED.flat()].filter(isRoom));
  for (const room of rooms) write(join(folder, room, 'target.ts'), 'export type Target = string;\n');
  const planted = VIOLATIONS.map(([rule, from, to], at) => ({ rule, file: plant(folder, from, to, `violation${at}`), to }));
  const allowed = ALLOWED.map(([from, to], at) => plant(folder, from, to, `allowed${at}`));
  write(join(folder, 'pkg/log/circle.ts'), "import './circular.ts';\n");
  write(join(folder, 'pkg/log/circular.ts'), "import './circle.ts';\n");
  planted.push({ rule: 'no-circle', file: 'pkg/log/circle.ts', to: './circular.ts' });

  const found = cruise(folder).summary.violations;
  const problems = planted
    .filter(({ rule, file }) => !found.some((violation) => violation.rule.name === rule && violation.from === file))
    .map(({ rule, file, to }) => `${rule} let pass what it must catch: ${file.replace(/violation\d+/, '…')} → ${to}`);
  for (const { rule, from, to } of found)
    if (allowed.includes(from)) problems.push(`${rule.name} caught what is allowed: ${from} → ${to}`);
  const proven = new Set(planted.map(({ rule }) => rule));
  for (const { name } of createRequire(import.meta.url)(join(root, CONFIG)).forbidden)
    if (!proven.has(name)) problems.push(`${name} has no planted violation in scripts/lib/planted.mjs`);
  return { problems, planted: planted.length };
}

const isRoom = (name) => FOLDERS.some((folder) => name === folder || name.startsWith(`${folder}/`));

function plant(folder, from, to, name) {
  const target = relative(from, join(to, 'target.ts'));
  const specifier = isRoom(to) ? (target.startsWith('.') ? target : `./${target}`) : to;
  // A type alone is an import too.
  const kind = isRoom(to) ? 'import type { Target } from' : 'import';
  write(join(folder, from, `${name}.ts`), `${kind} '${specifier}';\n${isRoom(to) ? 'export type T = Target;\n' : ''}`);
  return `${from}/${name}.ts`;
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const tree = checkTree();
const proof = checkPlanted();
for (const problem of [...tree.problems, ...proof.problems]) console.error(problem);
console.log(
  `imports: ${tree.imports} in ${tree.files} files, ${tree.problems.length} against the rules; ${proof.planted} planted violations`,
);
process.exitCode = tree.problems.length + proof.problems.length > 0 ? 1 : 0;
