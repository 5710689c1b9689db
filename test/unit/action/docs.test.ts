import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { actionsPage } from '../../../scripts/docs-actions.ts';

describe('docs/actions.md', () => {
  it('is what scripts/docs-actions.ts makes of the catalogue', () => {
    const page = readFileSync(new URL('../../../docs/actions.md', import.meta.url), 'utf8');
    expect(page, 'run: npx tsx scripts/docs-actions.ts > docs/actions.md').to.equal(actionsPage());
  });
});
