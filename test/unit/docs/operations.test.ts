import { expect } from 'chai';
import { renewed } from '../../../scripts/docs-operations.ts';
import { readDocument } from '../../support/markdown.ts';

describe('docs/operations.md', () => {
  it('shows every flag and every metric as the code has them', () => {
    const page = readDocument('docs/operations.md');
    expect(page, 'run: npx tsx scripts/docs-operations.ts').to.equal(renewed(page));
  });

  it('is not made over without a place for its tables', () => {
    expect(() => renewed('# Operations\n')).to.throw('no place for the flags');
  });
});
