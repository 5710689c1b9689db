import { expect } from 'chai';
import { ACTION_TYPES } from '../../../pkg/action/catalogue.ts';
import { checkOption, coerceOption, normaliseOption } from '../../../pkg/action/option.ts';
import type { Json, JsonObject } from '../../../pkg/model/json.ts';

const ID = 'ABCDEF00-0000-4000-8000-00000000000A';

function errors(type: string, option: Json, templates = false) {
  return checkOption(type, option, { templates }).errors;
}

function warnings(type: string, option: Json) {
  return checkOption(type, option, { templates: true }).warnings.map(({ path, message }) => [path, message]);
}

describe('checkOption', () => {
  it('takes every type of the wire without an option, as siblings send it', () => {
    const ours = new Set(['job_start', 'job_wait', 'parallel', 'participant_set']);
    for (const { type } of ACTION_TYPES.filter((known) => !ours.has(known.type))) {
      const found = errors(type, {});
      expect(found, type).to.deep.equal([]);
    }
  });

  it('says path, value and what was expected', () => {
    const cases: [type: string, option: Json, path: string, expected: string][] = [
      ['sleep', { duration: '5' }, '/duration', 'a whole number of at least 0'],
      ['sleep', { duration: -1 }, '/duration', 'a whole number of at least 0'],
      ['sleep', { duration: 1.5 }, '/duration', 'a whole number of at least 0'],
      ['talk', { text: 5 }, '/text', 'text'],
      ['talk', { async: 'true' }, '/async', 'true or false'],
      ['amd', { machine_handle: 'dance' }, '/machine_handle', 'one of hangup, continue, delay'],
      ['play', { stream_urls: 'a' }, '/stream_urls', 'a list, each item text'],
      ['play', { stream_urls: ['a', 7] }, '/stream_urls/1', 'text'],
      ['goto', { target_id: 'x' }, '/target_id', 'an id (UUID)'],
      ['goto', { loop: 'x' }, '/loop', 'true or false or a whole number'],
      ['branch', { target_ids: { 'a/b~c': 'x' } }, '/target_ids/a~1b~0c', 'an id (UUID)'],
      ['branch', { target_ids: [] }, '/target_ids', 'an object, each value an id (UUID)'],
      ['condition_datetime', { weekdays: [0, 7] }, '/weekdays/1', 'a whole number from 0 to 6'],
      ['condition_datetime', { timezone: 'Mars/Olympus' }, '/timezone', 'an IANA time zone such as Europe/Rome'],
      ['condition_variable', { value_type: 'date' }, '/value_type', 'one of string, number, length'],
      ['talk', [], '', 'an object'],
      ['connect', { destinations: [{ target: 5 }] }, '/destinations/0/target', 'text'],
    ];
    for (const [type, option, path, expected] of cases) {
      const found = errors(type, option);
      expect(
        found.map((error) => [error.path, error.expected]),
        JSON.stringify(option),
      ).to.deep.equal([[path, expected]]);
    }
    expect(errors('sleep', { duration: '5' })[0]?.value).to.equal('5');
  });

  it('takes null, nil and empty as absent, ids in either case, and any key of a map', () => {
    for (const id of [null, '', ID, ID.toLowerCase(), '00000000-0000-0000-0000-000000000000']) {
      expect(errors('goto', { target_id: id, loop_count: null })).to.deep.equal([]);
    }
    const hostile = JSON.parse(`{"target_ids": {"__proto__": "${ID}", "constructor": "${ID}"}}`) as JsonObject;
    expect(checkOption('branch', hostile, { templates: false })).to.deep.include({ errors: [], warnings: [] });
  });

  it('lets a template stand for anything without parts, at every depth, and only when asked', () => {
    const option = {
      branch: { target_ids: { '1': '${id}' }, default_target_id: 'x${id}' },
      condition_datetime: { hour: '${h}', weekdays: ['${d}', 6], timezone: '${tz}' },
      amd: { machine_handle: '${m}', async: '${a}' },
      goto: { loop: '${n}', loop_count: '${n}' },
      connect: { destinations: [{ target: '${t}' }], early_media: '${e}' },
    };
    for (const [type, value] of Object.entries(option)) expect(errors(type, value, true), type).to.deep.equal([]);
    for (const type of ['branch', 'condition_datetime', 'amd', 'goto']) {
      expect(errors(type, option[type as keyof typeof option], false), type).not.to.deep.equal([]);
    }
    expect(errors('play', { stream_urls: '${urls}' }, true)).to.have.length(1);
    expect(errors('branch', { target_ids: '${ids}' }, true)).to.have.length(1);
    const mixed = errors('condition_datetime', { hour: '${h}', weekdays: ['${d}', 9], minute: 'x' }, true);
    expect(mixed.map((error) => error.path)).to.have.members(['/weekdays/1', '/minute']);
  });

  it('warns of unknown keys at every depth, with the nearest known one', () => {
    expect(warnings('talk', { texxt: 'hello' })).to.deep.equal([['/texxt', 'unknown key, kept as it is (did you mean text?)']]);
    expect(warnings('answer', { whatever: 1 })).to.deep.equal([['/whatever', 'unknown key, kept as it is']]);
    expect(warnings('connect', { destinations: [{}, { targte: 'x' }] })).to.deep.equal([
      ['/destinations/1/targte', 'unknown key, kept as it is (did you mean target?)'],
    ]);
    const hostile = JSON.parse('{"__proto__": {"text": 1}}') as JsonObject;
    expect(warnings('talk', hostile)).to.deep.equal([['/__proto__', 'unknown key, kept as it is']]);
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`k${at}`, 1]));
    expect(warnings('talk', many)).to.have.length(100);
  });

  it('has nothing to say of an unknown type', () => {
    expect(checkOption('no_such', { a: 1 }, { templates: false })).to.deep.equal({ errors: [], warnings: [] });
  });
});

describe('coerceOption', () => {
  const cases: [name: string, type: string, original: JsonObject, substituted: JsonObject, expected: JsonObject][] = [
    ['a whole number', 'sleep', { duration: '${d}' }, { duration: ' 500 ' }, { duration: 500 }],
    ['a number', 'condition_variable', { value_number: '${d}' }, { value_number: '7.5' }, { value_number: 7.5 }],
    ['true', 'talk', { async: '${a}' }, { async: 'true' }, { async: true }],
    ['false', 'talk', { async: '${a}' }, { async: 'false' }, { async: false }],
    ['a union of both', 'goto', { loop: '${a}' }, { loop: 'true' }, { loop: true }],
    ['a union, the number', 'goto', { loop: '${a}' }, { loop: '3' }, { loop: 3 }],
    ['an item of a list', 'condition_datetime', { weekdays: ['${d}', 6] }, { weekdays: ['0', 6] }, { weekdays: [0, 6] }],
    ['text stays text', 'talk', { text: '${n}' }, { text: '12' }, { text: '12' }],
    ['any JSON stays text', 'variable_set', { key: 'a', value: '${n}' }, { key: 'a', value: '12' }, { key: 'a', value: '12' }],
    ['what is no number stays', 'sleep', { duration: '${d}' }, { duration: 'soon' }, { duration: 'soon' }],
    ['empty stays', 'sleep', { duration: '${d}' }, { duration: '' }, { duration: '' }],
    ['no boolean stays', 'talk', { async: '${a}' }, { async: 'yes' }, { async: 'yes' }],
    ['what the author wrote stays', 'sleep', { duration: '5' }, { duration: '5' }, { duration: '5' }],
    ['unknown keys stay', 'sleep', { x: '${d}' }, { x: '5' }, { x: '5' }],
    ['unknown types stay', 'no_such', { duration: '${d}' }, { duration: '5' }, { duration: '5' }],
    ['ids in lower case', 'goto', { target_id: '${t}' }, { target_id: ID }, { target_id: ID.toLowerCase() }],
  ];
  for (const [name, type, original, substituted, expected] of cases) {
    it(name, () => {
      const before = structuredClone(substituted);
      expect(coerceOption(type, substituted, original)).to.deep.equal(expected);
      expect(substituted).to.deep.equal(before);
    });
  }

  it('gives back the very object where nothing changes', () => {
    const option = { text: 'a', language: 'en-US' };
    expect(coerceOption('talk', option, option)).to.equal(option);
    expect(normaliseOption('talk', option)).to.equal(option);
  });
});

describe('normaliseOption', () => {
  it('leaves out fields that are null, keeps what it does not know, puts ids in lower case', () => {
    const option = { target_id: ID, loop_count: null, mine: null, other: ID };
    expect(normaliseOption('goto', option)).to.deep.equal({ target_id: ID.toLowerCase(), mine: null, other: ID });
    expect(normaliseOption('branch', { target_ids: { A: ID } })).to.deep.equal({ target_ids: { A: ID.toLowerCase() } });
    expect(normaliseOption('variable_set', { key: 'a', value: null })).to.deep.equal({ key: 'a', value: null });
  });
});
