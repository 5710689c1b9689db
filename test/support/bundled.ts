/**
 * A program as one file of JavaScript. A daemon that is started from it takes 0.4 s of processor time until it is
 * loaded, one of compiled modules 1.3 s, and one that is translated while it starts 3.5 s; tests that kill daemons
 * start very many of them.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Below node_modules, so that what stays outside of the bundle is found from there. */
const TARGET = join(ROOT, 'node_modules/.cache', `flow-bundled-${process.pid}`);

const made = new Map<string, string>();

/**
 * Where the bundle of a source file is: made at the first call, and removed when this process ends.
 *
 * @param source from the root, such as `cmd/flow-manager.ts`
 */
export function bundledProgram(source: string): string {
  const known = made.get(source);
  if (known !== undefined) return known;
  if (made.size === 0) {
    mkdirSync(TARGET, { recursive: true });
    process.once('exit', () => rmSync(TARGET, { recursive: true, force: true }));
  }
  const outfile = join(TARGET, `${basename(source, '.ts')}.mjs`);
  buildSync({
    entryPoints: [join(ROOT, source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    sourcemap: true,
    sourcesContent: false,
    external: ['libsql'], // has a native part, and is only loaded by who is embedded
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  made.set(source, outfile);
  return outfile;
}
