import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';

/** What a call service would do with an action, and for how long, as far as its option says. */
interface Kind {
  readonly say?: (option: JsonObject) => string;
  /** How long it lasts on a real telephone, in ms. */
  readonly lasts?: (option: JsonObject) => number;
}

/** A voice says about 150 words a minute. */
const WORD_MS = 400;
/** Nobody knows how long a file is: this is assumed. */
const FILE_MS = 3_000;
/** How long the caller stays in a bridge when nobody ends it. */
const BRIDGE_MS = 10_000;

const KINDS: { readonly [type: string]: Kind } = {
  answer: { lasts: () => 200 },
  amd: {
    say: (o) => `a human answers; a machine: ${text(o.machine_handle) || 'goes on'}`,
    lasts: (o) => (o.async === true ? 0 : 3_000),
  },
  talk: {
    say: (o) => `“${plain(o.text)}”${o.language === undefined ? '' : ` (${text(o.language)})`}`,
    lasts: (o) => (o.async === true ? 0 : plain(o.text).split(' ').length * WORD_MS),
  },
  play: { say: (o) => list(o.stream_urls).join(' '), lasts: (o) => list(o.stream_urls).length * FILE_MS },
  echo: { say: during, lasts: duration },
  stream_echo: { say: during, lasts: duration },
  sleep: { say: during, lasts: duration },
  beep: { lasts: () => 500 },
  digits_receive: { say: (o) => awaited(o.length, o.key, o.duration), lasts: duration },
  dtmf_receive: { say: (o) => awaited(o.max_number_key, o.finish_on_key, o.duration), lasts: duration },
  digits_send: {
    say: (o) => text(o.digits),
    lasts: (o) => text(o.digits).length * (number(o.duration) + number(o.interval)),
  },
  dtmf_send: { say: (o) => text(o.dtmfs), lasts: (o) => text(o.dtmfs).length * (number(o.duration) + number(o.interval)) },
  recording_start: {
    say: (o) => [text(o.format), o.duration === undefined ? '' : `at most ${seconds(number(o.duration))}`].join(' ').trim(),
  },
  confbridge_join: { say: (o) => `bridge ${text(o.confbridge_id)}`, lasts: () => BRIDGE_MS },
  hangup: { say: (o) => [text(o.reason), text(o.reference_id)].join(' ').trim() },
};

/** One line about an action's option; empty when there is nothing to say. */
export function describeAction(action: JsonObject): string {
  const option = isJsonObject(action.option) ? action.option : {};
  const say = KINDS[String(action.type)]?.say;
  if (say !== undefined) return say(option);
  return Object.keys(option).length === 0 ? '' : JSON.stringify(option);
}

/** How long an action lasts on a real telephone, in ms. */
export function actionDuration(action: JsonObject): number {
  const option = isJsonObject(action.option) ? action.option : {};
  return KINDS[String(action.type)]?.lasts?.(option) ?? 0;
}

export function isDigitsReceive(action: JsonObject): boolean {
  return action.type === 'digits_receive' || action.type === 'dtmf_receive';
}

function awaited(length: Json | undefined, key: Json | undefined, wait: Json | undefined): string {
  const parts = [
    number(length) === 1 ? '1 digit' : number(length) > 0 ? `${number(length)} digits` : 'digits',
    text(key) === '' ? '' : `or until ${text(key)}`,
    number(wait) > 0 ? `within ${seconds(number(wait))}` : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function during(option: JsonObject): string {
  return duration(option) > 0 ? `for ${seconds(duration(option))}` : '';
}

function duration(option: JsonObject): number {
  return number(option.duration);
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}

function number(value: Json | undefined): number {
  const read = Number(value ?? 0);
  return Number.isFinite(read) ? read : 0;
}

function text(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Speech without its SSML tags. */
function plain(value: Json | undefined): string {
  return text(value)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

function list(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}
