/**
 * The daemon as cmd/flow-manager.ts has it, with its adapters wrapped in faults. Loads, then does on its standard
 * input's word: `run` starts it; `crash <point>` sets the point at which it kills itself,
 * `poison <text>` what kills it (faults.ts).
 */
import { createInterface } from 'node:readline';
import { serverAdapters } from '../../cmd/daemon/adapters.ts';
import { readSettings } from '../../cmd/daemon/options.ts';
import { run } from '../../cmd/daemon/run.ts';
import { Lifecycle, stopOnSignals } from '../../pkg/lifecycle/index.ts';
import { createLog } from '../../pkg/log/index.ts';
import { CrashPoint, withFaults } from './faults.ts';
import { LEAVE_AT_ONCE } from './sabotage.ts';

const point = new CrashPoint();
const sabotage = process.env.FLOW_SABOTAGE ?? '';

createInterface(process.stdin).on('line', (line) => {
  if (line === 'run') void start();
  else if (line.startsWith('poison ')) point.poison = line.slice('poison '.length);
  else point.arm(line.replace(/^crash /, ''));
});

async function start(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), process.env);
  const log = createLog({ level: 'warn' });
  const lifecycle = new Lifecycle(log, settings.drain_ms);
  if (sabotage === LEAVE_AT_ONCE) process.once('SIGTERM', () => process.exit(0));
  else stopOnSignals(lifecycle, log);
  const broken = sabotage === LEAVE_AT_ONCE ? '' : sabotage;
  console.log(await run(settings, log, lifecycle, withFaults(serverAdapters(settings, log), point, broken)));
}
