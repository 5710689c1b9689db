/** Parts of the reference, with no engine code: the lists that a flow is in, as frames that point to where they return to. */
import type { Action } from '../../../pkg/model/action.ts';
import { id } from '../../support/engine_flow.ts';

export interface Frame {
  readonly list: Action[];
  readonly loops: Map<string, number>;
  /** Absent: the main one. */
  back?: { readonly place: Place; readonly exact: boolean };
}

/** An action in a frame; `finish` in the main frame: the end. */
export interface Place {
  readonly frame: Frame;
  readonly id: string;
}

/** Where the reference is: the cursor, what comes next whatever the order says, and the lists around both. */
export class Frames {
  readonly main: Frame;
  place: Place;
  pending: Place | undefined;

  constructor(flow: readonly Action[]) {
    this.main = { list: [...flow], loops: new Map() };
    this.place = { frame: this.main, id: id('start') };
  }

  /** All frames that the cursor or what waits for it leads to. */
  get count(): number {
    return new Set([...path(this.place.frame), ...(this.pending ? path(this.pending.frame) : [])]).size;
  }

  get next(): Place {
    return this.pending ?? follow(this.place, this.main);
  }

  find(target: string): Place | undefined {
    return find(this.place.frame, target);
  }

  findPending(target: string): Place | undefined {
    return this.pending && find(this.pending.frame, target);
  }

  leadsTo(frame: Frame): boolean {
    return this.pending !== undefined && path(this.pending.frame).includes(frame);
  }

  arrive(target: Place): void {
    this.place = target;
    this.pending = undefined;
  }

  /** What was pushed meanwhile comes first. */
  goTo(target: Place): void {
    const entered = path(this.place.frame);
    const waiting = this.pending ? path(this.pending.frame).filter((frame) => !entered.includes(frame)) : [];
    const outermost = waiting.at(-1);
    if (outermost) outermost.back = { place: target, exact: true };
    else this.pending = target;
  }

  push(list: readonly Action[]): Frame {
    const back = this.pending ? { place: this.pending, exact: true } : { place: this.place, exact: false };
    const frame: Frame = { list: [...list], loops: new Map(), back };
    this.pending = { frame, id: list[0]?.id ?? '' };
    return frame;
  }

  /** Whatever leads into a frame leads to what comes after it. */
  drop(frame: Frame): Place {
    const { back } = frame;
    if (!back) throw new Error('the main frame is never dropped');
    const next = back.exact ? back.place : follow(back.place, this.main);
    for (const inner of this.pending ? path(this.pending.frame) : []) {
      if (inner.back?.place.frame === frame) inner.back = { place: next, exact: true };
    }
    if (this.pending?.frame === frame) this.pending = next;
    return next;
  }
}

/** A frame and all that it leads back to, innermost first. */
function path(frame: Frame): Frame[] {
  return frame.back ? [frame, ...path(frame.back.place.frame)] : [frame];
}

function find(from: Frame, target: string): Place | undefined {
  const frame = path(from).find((known) => known.list.some((action) => action.id === target));
  return frame && { frame, id: target };
}

/** What comes after a place by the order. */
function follow(place: Place, main: Frame): Place {
  const end = { frame: main, id: id('finish') };
  const { frame } = place;
  const at = frame.list.findIndex((action) => action.id === place.id);
  const next = frame.list[at]?.next_id;
  if (next !== undefined) return find(frame, next) ?? end;
  const following = at < 0 && place.id !== id('start') ? undefined : frame.list[at + 1];
  if (following) return { frame, id: following.id };
  if (!frame.back) return end;
  return frame.back.exact ? frame.back.place : follow(frame.back.place, main);
}

/** A request that is refused, with its code. */
export class Refused extends Error {}
/** The same request is under way. */
export class Waiting extends Error {}
/** What an action was doing is no longer of interest: the flow has ended, or the service that it was part of. */
export class Left extends Error {}
export class Failed extends Error {}

/** A walk under way. `left`: its action was part of a service that was stopped. */
export interface Run {
  readonly asked: string;
  readonly key: string;
  deciding: boolean;
  left: boolean;
  steps: number;
}

/** True for what its reference has no medium for, and for what nobody knows. */
export function passedOver(type: string, reference: string): boolean {
  if (type === 'dance') return true;
  if (['talk', 'queue_join', 'condition_call_digits'].includes(type)) return reference !== 'call';
  return type === 'block' && (reference === 'call' || reference === '');
}

/** What the flow itself waits for; a call’s sleep is its caller’s, as a talk is. */
export function waitOf(type: string, reference: string): 'block' | 'timer' | undefined {
  if (type === 'block') return 'block';
  return type === 'sleep' && reference !== 'call' ? 'timer' : undefined;
}

export function isAbove(text: string, limit: number): boolean {
  return /^\d+$/.test(text.trim()) && Number(text) > limit;
}
