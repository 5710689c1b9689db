import { InvalidArgumentError } from 'commander';
import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';

/** The command line asks for something that cannot be: exit code 2. */
export class UsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UsageError';
  }
}

export type ReadText = (path: string) => Promise<string>;

/** JSON from a file, or from stdin when the path is `-`. */
export async function readJson(read: ReadText, path: string): Promise<Json> {
  const where = path === '-' ? 'stdin' : path;
  let text: string;
  try {
    text = await read(path);
  } catch (error) {
    throw new UsageError(`cannot read ${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new UsageError(`${where} is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** A flow's file: a flow as POST /v1/flows takes it, or its bare list of actions. */
export async function readFlow(read: ReadText, path: string): Promise<JsonObject> {
  const content = await readJson(read, path);
  if (Array.isArray(content)) return { actions: content };
  if (isJsonObject(content)) return content;
  throw new UsageError(`${path}: expected a flow (an object) or a list of actions`);
}

/** A list of actions: bare, or that of a flow's file. */
export async function readActions(read: ReadText, path: string): Promise<readonly Json[]> {
  const { actions } = await readFlow(read, path);
  if (!Array.isArray(actions)) throw new UsageError(`${path}: expected a list of actions, or a flow with one`);
  return actions;
}

/** `name=value` collected into an object; for commander's repeatable options and variadic arguments. */
export function collectPair(pair: string, previous: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = pair.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('expected name=value');
  return { ...previous, [pair.slice(0, at)]: pair.slice(at + 1) };
}

export function parsePositive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('expected a number above 0');
  return value;
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('expected a whole number above 0');
  return Number(text);
}

/** A whole number from `least` to `most`. */
export function parseWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}

export function parseBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('expected true or false');
}

/** Only what was given: a request says nothing of the rest. */
export function given(fields: { readonly [name: string]: Json | undefined }): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}
