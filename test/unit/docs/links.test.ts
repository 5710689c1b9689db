import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';
import { documents, proseOf, ROOT, readDocument } from '../../support/markdown.ts';

/** As GitHub makes them: words in lower case joined by dashes, the second one of a kind with -1. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ''] of proseOf(text).matchAll(/^#+ +(.*)$/gm)) {
    const base = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    let anchor = base;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${base}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

function problemOf(path: string, target: string): string | undefined {
  const [to = '', anchor] = target.split('#');
  const file = to === '' ? path : normalize(join(dirname(path), to));
  if (!existsSync(join(ROOT, file))) return `${path}: ${target}: there is no ${file}`;
  if (anchor === undefined || !statSync(join(ROOT, file)).isFile()) return undefined;
  return anchorsOf(readDocument(file)).has(anchor) ? undefined : `${path}: ${target}: ${file} has no heading for it`;
}

/** What looks like the path of a file or folder of ours: `pkg/rpc/routes.ts`. With `<`, `*` or `…` it stands for several. */
const PATH = /`((?:cmd|pkg|docs|migrations|scripts|test|\.ci)\/[\w./-]*)`/g;

describe('the documents', () => {
  it('are found', () => {
    expect(documents()).to.include.members(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs/architecture.md']);
  });

  it('link to files and headings that are there', () => {
    const links = documents().flatMap((path) =>
      [...proseOf(readDocument(path)).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => [path, target] as const),
    );
    const relative = links.filter(([, target]) => !/^[a-z]+:/.test(target));
    expect(relative.length).to.be.above(20);
    expect(relative.map(([path, target]) => problemOf(path, target)).filter((problem) => problem !== undefined)).to.deep.equal(
      [],
    );
  });

  it('name files that are there', () => {
    const named = documents().flatMap((path) =>
      [...proseOf(readDocument(path)).matchAll(PATH)].map(([, file = '']) => [path, file] as const),
    );
    expect(named.length).to.be.above(20);
    expect(named.filter(([, file]) => !existsSync(join(ROOT, file)))).to.deep.equal([]);
  });
});
