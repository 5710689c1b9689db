/** The repository's documents, as their tests look at them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A fenced block of commands that is marked to be run. */
export interface Block {
  /** Such as `README.md:42`. */
  readonly place: string;
  /** `run`: in the document's shell, to its end. `daemon`: beside it, until the document is at its end. */
  readonly kind: 'run' | 'daemon';
  readonly commands: string;
  /** What the document says that it prints: the fenced text right below. */
  readonly output?: string;
}

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage']);

/** Paths of all Markdown files, from the root of the repository. */
export function documents(folder = ''): string[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true });
  return entries
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name.startsWith('.') || NOT_OURS.has(entry.name) ? [] : documents(path);
      return entry.name.endsWith('.md') ? [path] : [];
    })
    .sort();
}

export function readDocument(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A document without its fenced blocks, line by line as it was. */
export function proseOf(text: string): string {
  return text.replace(/^(```+)[^\n]*\n[\s\S]*?^\1$/gm, (fenced) => fenced.replace(/[^\n]/g, ''));
}

const MARKED = /^<!-- (run|daemon) -->\n```bash\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```$)?/gm;

/** `<!-- run -->` or `<!-- daemon -->` on the line before the fence. */
export function blocksOf(path: string, text: string): Block[] {
  return [...text.matchAll(MARKED)].map(({ index, 1: kind, 2: commands = '', 3: output }) => ({
    place: `${path}:${text.slice(0, index).split('\n').length + 2}`,
    kind: kind === 'daemon' ? 'daemon' : 'run',
    commands,
    ...(output === undefined ? {} : { output }),
  }));
}
