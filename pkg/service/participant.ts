import { conflict, exhausted, invalid } from '../error/index.ts';
import type { Json, JsonObject } from '../model/json.ts';
import {
  JOB_PREFIX,
  PARTICIPANT_KEY,
  PARTICIPANT_KEY_WANTED,
  PARTICIPANT_LIMITS,
  type Participant,
  type ParticipantEntry,
} from '../model/participant.ts';
import type { Context } from './context.ts';

export interface SetEntry {
  readonly participant: Participant;
  readonly key: string;
  readonly value: Json;
  /** Only while the entry is at this revision; 0: only while there is none. Absent: whatever is there. */
  readonly from?: number;
}

/** What activeflows of one reference share, for who is outside of them. */
export class ParticipantService {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async get(participant: Participant): Promise<JsonObject> {
    return view(participant, await this.#context.store.participants.read(participant));
  }

  /** Sets one entry. A repeat of what was done already is no conflict. Throws 400, 409, 429. */
  async set({ participant, key, value, from }: SetEntry): Promise<JsonObject> {
    if (!PARTICIPANT_KEY.test(key)) throw invalid('BAD_PARTICIPANT_KEY', '/key', key, PARTICIPANT_KEY_WANTED);
    if (key.startsWith(JOB_PREFIX)) {
      throw invalid(
        'PARTICIPANT_KEY_RESERVED',
        '/key',
        key,
        `a key that does not begin with ${JOB_PREFIX}: those are the service’s`,
      );
    }
    const { participants } = this.#context.store;
    checkRoom(await participants.read(participant), { key, value });
    const written = await participants.write({ participant, key, value, ...(from === undefined ? {} : { from }) });
    if (written) return { ...written };
    const now = (await participants.read(participant)).find((entry) => entry.key === key);
    if (now && now.revision === (from ?? 0) + 1 && JSON.stringify(now.value) === JSON.stringify(value)) return { ...now };
    const revision = now?.revision ?? 0;
    throw conflict('PARTICIPANT_CHANGED', `entry ${key} is at revision ${revision}, not ${from}`, [
      { field: '/revision', value: from, expected: String(revision) },
    ]);
  }
}

function view(participant: Participant, entries: readonly ParticipantEntry[]): JsonObject {
  return { ...participant, entries: entries.map((entry) => ({ ...entry })) };
}

/** As an effect's answer. */
export function entriesValue(entries: readonly ParticipantEntry[]): JsonObject {
  return Object.fromEntries(entries.map(({ key, value, revision }) => [key, { value, revision }]));
}

/**
 * Throws RESOURCE_EXHAUSTED when one more entry would be too much. Several who add at the same moment may each find
 * room: then it is theirs together that is a little more.
 */
export function checkRoom(entries: readonly ParticipantEntry[], added: { readonly key: string; readonly value: Json }): void {
  const { keys, value_bytes, bytes } = PARTICIPANT_LIMITS;
  const others = entries.filter(({ key }) => key !== added.key);
  if (others.length >= keys) throw exhausted('PARTICIPANT_FULL', `a participant may have at most ${keys} entries`);
  const size = sizeOf(added);
  if (size > value_bytes)
    throw exhausted('PARTICIPANT_VALUE_TOO_LARGE', `entry ${added.key}: ${size} bytes, at most ${value_bytes}`);
  const total = others.reduce((sum, entry) => sum + sizeOf(entry), size);
  if (total > bytes) throw exhausted('PARTICIPANT_FULL', `the participant’s data: ${total} bytes, at most ${bytes} in all`);
}

function sizeOf({ key, value }: { readonly key: string; readonly value: Json }): number {
  return Buffer.byteLength(key) + Buffer.byteLength(JSON.stringify(value));
}
