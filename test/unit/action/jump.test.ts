import { expect } from 'chai';
import { branchAction } from '../../../pkg/action/types/branch.ts';
import { gotoAction } from '../../../pkg/action/types/goto.ts';
import { NIL } from '../../../pkg/model/id.ts';
import { drive } from '../../support/drive.ts';

const HERE = 'b0000000-0000-4000-8000-000000000001';
const THERE = 'b0000000-0000-4000-8000-000000000002';

describe('goto', () => {
  it('does not jump without a count', () => {
    for (const option of [{ target_id: HERE }, { target_id: HERE, loop_count: 0 }, { target_id: HERE, loop: false }, {}]) {
      expect(drive(gotoAction, option).decision).to.include({ kind: 'next' });
    }
  });

  it('jumps as often as it says, then goes on', () => {
    const kinds = [0, 1, 2].map((loops) => drive(gotoAction, { target_id: HERE, loop_count: 2 }, [], { loops }).decision);
    expect(kinds).to.deep.equal([
      { kind: 'jump', target: HERE, loops: 1, reason: 'jump 1 of 2' },
      { kind: 'jump', target: HERE, loops: 2, reason: 'jump 2 of 2' },
      { kind: 'loop_done', reason: 'has jumped 2 of 2 times' },
    ]);
  });

  it('takes the old loop as a number, and as true beside loop_count or alone', () => {
    const last = (option: { loop: number | boolean; loop_count?: number }, loops: number) =>
      drive(gotoAction, { target_id: HERE, ...option }, [], { loops }).decision?.kind;
    expect([last({ loop: 3 }, 2), last({ loop: 3 }, 3)]).to.deep.equal(['jump', 'loop_done']);
    expect([last({ loop: true, loop_count: 2 }, 1), last({ loop: true, loop_count: 2 }, 2)]).to.deep.equal(['jump', 'loop_done']);
    expect([last({ loop: true }, 0), last({ loop: true }, 1)]).to.deep.equal(['jump', 'loop_done']);
    expect(last({ loop: -1 }, 0)).to.equal('next');
  });

  it('finds an old index in the current stack, and prefers an id', () => {
    const actionAt = (index: number) => [HERE, THERE][index];
    const target = (option: { target_id?: string; target_index: number }) =>
      drive(gotoAction, { ...option, loop_count: 1 }, [], { actionAt }).decision;
    expect(target({ target_index: 1 })).to.include({ target: THERE });
    expect(target({ target_id: NIL, target_index: 0 })).to.include({ target: HERE });
    expect(target({ target_id: THERE, target_index: 0 })).to.include({ target: THERE });
  });

  it('fails without a target, and names an index that is nowhere', () => {
    expect(drive(gotoAction, { loop_count: 1 }).failure).to.include({ reason: 'NO_TARGET' });
    const { failure } = drive(gotoAction, { loop_count: 1, target_index: 7 }, [], { actionAt: () => undefined });
    expect(failure).to.include({ status: 'NOT_FOUND', reason: 'TARGET_NOT_FOUND' });
    expect(failure?.message).to.contain('position 7');
  });
});

describe('branch', () => {
  const option = { target_ids: { '1': HERE, '{"a":1}': THERE }, default_target_id: THERE };

  it('jumps by the digits pressed, and uses them up', () => {
    const { decision } = drive(branchAction, option, [], { variables: { 'voipbin.call.digits': '1' } });
    expect(decision).to.deep.equal({
      kind: 'jump',
      target: HERE,
      set: { 'voipbin.call.digits': '' },
      reason: 'voipbin.call.digits is "1": its target',
    });
  });

  it('jumps by another variable, whatever JSON it holds', () => {
    const chosen = (value: string | number | { a: number }) =>
      drive(branchAction, { ...option, variable: 'v' }, [], { variables: { v: value } }).decision;
    expect(chosen(1)).to.deep.include({ target: HERE, set: { v: '' } });
    expect(chosen({ a: 1 })).to.deep.include({ target: THERE, reason: 'v is "{\\"a\\":1}": its target' });
  });

  it('takes the default on any other value, an unset variable and a nil target among them', () => {
    for (const value of ['9', '', 'constructor', '__proto__', 'toString']) {
      const { decision } = drive(branchAction, option, [], { variables: { 'voipbin.call.digits': value } });
      expect(decision, value).to.include({ kind: 'jump', target: THERE });
    }
    expect(drive(branchAction, option).decision).to.include({ target: THERE });
    const nil = { target_ids: { '1': NIL }, default_target_id: HERE };
    expect(drive(branchAction, nil, [], { variables: { 'voipbin.call.digits': '1' } }).decision).to.include({ target: HERE });
  });

  it('goes on where there is neither target nor default, and still uses the value up', () => {
    const { decision } = drive(branchAction, { target_ids: { '1': HERE } }, [], { variables: { 'voipbin.call.digits': '2' } });
    expect(decision).to.deep.include({ kind: 'next', set: { 'voipbin.call.digits': '' } });
    expect(drive(branchAction, {}).decision).to.include({ kind: 'next' });
  });

  it('leaves a variable of the service as it is', () => {
    const name = 'voipbin.activeflow.reference_type';
    const { decision } = drive(branchAction, { variable: name, target_ids: { call: HERE } }, [], {
      variables: { [name]: 'call' },
    });
    expect(decision).to.deep.include({ kind: 'jump', target: HERE, set: {} });
  });
});
