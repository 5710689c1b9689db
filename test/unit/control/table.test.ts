import { expect } from 'chai';
import { cellWidth, renderTable, truncate } from '../../../cmd/control/table.ts';
import { showDuration } from '../../../cmd/control/terminal.ts';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly n: number;
}

const COLUMNS = [
  { title: 'id', value: (row: Row) => row.id },
  { title: 'name', value: (row: Row) => row.name, shrink: true },
  { title: 'n', value: (row: Row) => String(row.n), align: 'right' as const },
];
const PLAIN = { columns: undefined, colour: false };

describe('control: tables', () => {
  it('aligns columns, and numbers to the right', () => {
    const rows = [
      { id: 'a', name: 'long name', n: 7 },
      { id: 'bb', name: 'x', n: 1234 },
    ];
    expect(renderTable(rows, COLUMNS, PLAIN)).to.deep.equal([
      'id  name          n',
      'a   long name     7',
      'bb  x          1234',
    ]);
  });

  it('cuts what may be cut when the terminal is narrow, and never the ids', () => {
    const rows = [{ id: '0198c7f0-0000-7000-8000-000000000001', name: 'a name that is far too long for this', n: 1 }];
    const [, line] = renderTable(rows, COLUMNS, { columns: 55, colour: false });
    expect(line).to.equal('0198c7f0-0000-7000-8000-000000000001  a name that i…  1');
    expect(cellWidth(line ?? '')).to.be.at.most(55);
  });

  it('keeps a readable rest in a terminal that is far too narrow', () => {
    const [, line] = renderTable([{ id: 'identity', name: 'abcdefghijkl', n: 1 }], COLUMNS, { columns: 5, colour: false });
    expect(line).to.equal('identity  abcdefg…  1');
  });

  it('counts wide characters as two cells', () => {
    expect(cellWidth('상담')).to.equal(4);
    expect(truncate('상담 대기열', 6)).to.equal('상담 …');
  });

  it('lets no name steer the terminal', () => {
    const [, line] = renderTable([{ id: 'a', name: 'x\u001b[2J\ny', n: 1 }], COLUMNS, PLAIN);
    expect(line).to.equal('a   x�[2J y  1');
  });

  it('colours only when told to, outside of the alignment', () => {
    const columns = [{ title: 'a', value: (row: Row) => row.id, colour: () => 'red' as const }, ...COLUMNS.slice(1, 2)];
    const rows = [{ id: 'x', name: 'y', n: 1 }];
    expect(renderTable(rows, columns, { columns: undefined, colour: true })[1]).to.equal('\u001b[31mx\u001b[0m  y');
    expect(renderTable(rows, columns, PLAIN)[1]).to.equal('x  y');
  });

  it('shows durations as people say them', () => {
    expect([0.02, 0.42, 12, 999, 3210, 59_960, 125_000].map(showDuration)).to.deep.equal([
      '0 ms',
      '0.4 ms',
      '12 ms',
      '999 ms',
      '3.2 s',
      '1 min',
      '2 min 5 s',
    ]);
  });
});
