/** What the documents tell to type works, and prints what they show. See CONTRIBUTING.md, "Documents". */
import { expect } from 'chai';
import { lasting, type Outcome, patternOf, Workshop } from '../support/document-run.ts';
import { type Block, blocksOf, documents, readDocument } from '../support/markdown.ts';

const PLAYED = documents()
  .map((path) => ({ path, blocks: blocksOf(path, readDocument(path)) }))
  .filter(({ blocks }) => blocks.length > 0);

function check(blocks: readonly Block[], { printed, code }: Outcome): void {
  const last = printed.at(-1);
  expect(code, `${last?.block.place} failed:\n${last?.block.commands}\n${last?.text}`).to.equal(0);
  expect(printed).to.have.lengthOf(blocks.filter(({ kind }) => kind === 'run').length);
  for (const { block, text } of printed) {
    if (block.output === undefined) continue;
    expect(`${lasting(text)}\n`, `${block.place} prints something else`).to.match(patternOf(block.output));
  }
}

describe('the documents’ commands', function () {
  this.timeout(120_000);
  let workshop: Workshop | undefined;
  const plays = new Map<string, Promise<Outcome>>();
  before(() => {
    const open = new Workshop();
    workshop = open;
    // Side by side: most of their time is the start of processes.
    for (const { path, blocks } of PLAYED) {
      const play = open.play(blocks);
      // Its own test tells of a failure, later than it may come.
      play.catch(() => undefined);
      plays.set(path, play);
    }
  });
  after(async () => {
    await Promise.allSettled(plays.values());
    workshop?.close();
  });

  it('are found', () => {
    expect(PLAYED.map(({ path }) => path)).to.include.members([
      'README.md',
      'docs/flows.md',
      'docs/http.md',
      'docs/operations.md',
      'docs/subscriptions.md',
    ]);
  });

  for (const { path, blocks } of PLAYED) {
    it(`of ${path} work, and print what it shows`, async () => {
      const outcome = await plays.get(path);
      if (!outcome) throw new Error(`${path} was not played`);
      check(blocks, outcome);
    });
  }
});

describe('the comparison with what a document shows', () => {
  it('looks away from ids, times, durations and what is left out, and from nothing else', () => {
    const documented = 'id 5bfb42d0-e92d-4e3a-a273-6d1dfda4ec2c  talk  1 ms\n…\nthe {"a":…} end';
    const printed = (text: string) => `${lasting(text)}\n`;
    expect(printed('id 0a0dacdb-acce-4589-803d-ccfccff9d4d7 talk 22 ms\nx\ny\nthe {"a":[1]} end')).to.match(
      patternOf(documented),
    );
    expect(printed('id 0a0dacdb-acce-4589-803d-ccfccff9d4d7 play 22 ms\nx\nthe {"a":1} end')).not.to.match(patternOf(documented));
    expect(printed('id 0a0dacdb-acce-4589-803d-ccfccff9d4d7 talk 22 ms\nthe {"a":1} beginning')).not.to.match(
      patternOf(documented),
    );
  });
});
