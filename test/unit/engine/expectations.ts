/** What several suites look at. */
import { expect } from 'chai';
import type { EngineDriver } from '../../support/engine.ts';
import { labelOf, stackLabel } from '../../support/engine_flow.ts';
import { refusal } from './cases.ts';

export function refusedUnchanged(it: EngineDriver, request: () => unknown, reason: string): void {
  const before = it.row;
  expect(refusal(request)).to.equal(reason);
  expect(it.row).to.equal(before);
}

/** Undefined: none is pending. */
export function expectForward(it: EngineDriver, label: string | undefined): void {
  const { forward } = it.row.state;
  expect(forward === null ? undefined : labelOf(forward.action_id), 'forward').to.equal(label);
}

export function expectStacks(it: EngineDriver, labels: string): void {
  expect(it.row.state.stacks.map((stack) => stackLabel(stack.id)).join(' '), 'stacks').to.equal(labels);
}

/** The flow has ended at this action, which is still the current one. */
export function failedAt(label: string, step: number): (it: EngineDriver) => void {
  return ({ row }) => {
    expect(row.status).to.equal('ended');
    expect(labelOf(row.state.current.id)).to.equal(label);
    expect(row.state.step).to.equal(step);
  };
}
