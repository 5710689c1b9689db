/**
 * Records the histories under test/fixtures/histories again: `npm run histories`. A build that decides otherwise on
 * purpose needs it; the difference of the files then says what is decided otherwise.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { HistoryFile } from '../pkg/service/history/file.ts';
import { record, SCENARIOS } from '../test/support/history_scenarios.ts';

const FOLDER = fileURLToPath(new URL('../test/fixtures/histories/', import.meta.url));

/** A line for each record, so that a difference can be read. */
function written({ records, trace, lists, ...head }: HistoryFile): string {
  const lines = (of: readonly object[]): string => `[\n${of.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;
  const members = Object.entries(head).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  const parts = [
    ...members,
    `  "records": ${lines(records)}`,
    `  "trace": ${lines(trace)}`,
    `  "lists": ${JSON.stringify(lists)}`,
  ];
  return `{\n${parts.join(',\n')}\n}\n`;
}

await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });
for (const scenario of SCENARIOS) {
  for (const [name, file] of await record(scenario)) {
    await writeFile(`${FOLDER}${name}.json`, written(file));
    process.stdout.write(`${name}: ${file.records.length} records\n`);
  }
}
