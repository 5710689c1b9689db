import { expect } from 'chai';
import { routes } from '../../../pkg/rpc/routes.ts';
import type { Service } from '../../../pkg/service/service.ts';
import { readDocument } from '../../support/markdown.ts';

describe('docs/http.md', () => {
  it('lists the routes that there are', () => {
    // Only the table is looked at: no handler is called.
    const served = routes({} as Service).map(({ method, path }) => `${method} ${path.replace('/v1', '')}`);
    const listed = [...readDocument('docs/http.md').matchAll(/^\| (GET|POST|PUT|DELETE) \| `([^`?]+)/gm)].map(
      ([, method, path]) => `${method} ${path}`,
    );
    expect(listed).to.have.members(served);
  });
});
