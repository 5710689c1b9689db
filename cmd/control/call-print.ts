import { ACTION_FINISH } from '../../pkg/model/id.ts';
import { describeAction } from './describe.ts';
import { printError } from './print.ts';
import type { Exchange } from './sandbox-serve.ts';
import type { CallReport, CallWitness } from './simulator.ts';
import { cellWidth, printable, truncate } from './table.ts';
import { paint, showDuration, type Terminal } from './terminal.ts';

const LABEL = 34;
const INDENT = ' '.repeat(12);

/** Shows a call as it goes: one line per action. */
export function callPrinter(terminal: Terminal): CallWitness & { asked(exchange: Exchange): void } {
  const note = (text: string): void => terminal.out(INDENT + paint(terminal, 'dim', fitted(terminal, INDENT.length, text)));
  return {
    began: (call) => {
      terminal.out(
        `${paint(terminal, 'bold', 'call')} ${call.id} ${paint(terminal, 'bold', 'activeflow')} ${call.activeflow_id}`,
      );
    },
    handed: ({ at, latency, action }) => {
      const type = action.id === ACTION_FINISH ? 'finish' : String(action.type);
      const name = typeof action.name === 'string' && action.name !== '' ? ` "${action.name}"` : '';
      const label = truncate(printable(type + name), LABEL);
      const padded = label + ' '.repeat(LABEL - cellWidth(label));
      const time = `+${(at / 1000).toFixed(3)} s`.padStart(10);
      const waited = showDuration(latency).padStart(8);
      const text = fitted(terminal, 10 + 2 + LABEL + 1 + 8 + 2, describeAction(action));
      terminal.out(
        `${paint(terminal, 'dim', time)}  ${paint(terminal, 'green', padded)} ${paint(terminal, 'dim', waited)}  ${text}`.trimEnd(),
      );
    },
    pressed: (digits) => {
      if (digits === undefined) return note('the caller presses nothing');
      terminal.out(`${INDENT}the caller presses ${paint(terminal, 'yellow', printable(digits))}`);
    },
    repeated: (error) => note(`${error.message}; asking again with the same request_id`),
    asked: ({ request, response }) =>
      note(`answered ${request.method} ${request.uri} as call-manager: ${JSON.stringify(response.data)}`),
  };
}

const ENDS: { readonly [end in CallReport['end']]: string } = {
  finish: 'the flow has finished',
  hangup: 'the flow hung up',
  hung_up: 'the caller hung up',
  interrupted: 'interrupted, hung up',
  failed: 'failed, hung up',
};

/** What came out of it, and where to look further. */
export function printReport(terminal: Terminal, report: CallReport): void {
  if (report.error !== undefined) printError(terminal, report.error);
  const latencies = [...report.latencies].sort((a, b) => a - b);
  const next =
    latencies.length === 0
      ? ''
      : ` · next p50 ${showDuration(percentile(latencies, 0.5))}, max ${showDuration(latencies.at(-1) ?? 0)}`;
  const time = `${showDuration(report.total_ms)} (on a telephone ${showDuration(report.natural_ms)})`;
  const colour = report.error === undefined ? 'green' : 'red';
  terminal.out(`${paint(terminal, colour, ENDS[report.end])} · ${report.actions} actions in ${time}${next}`);
  terminal.out(paint(terminal, 'dim', `why it went so: flow-control activeflow trace ${report.activeflow_id}`));
}

/** Of sorted values: the least one that this share of them does not exceed. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function fitted(terminal: Terminal, used: number, text: string): string {
  const clean = printable(text);
  return terminal.columns === undefined ? clean : truncate(clean, Math.max(10, terminal.columns - used));
}
