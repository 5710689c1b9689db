#!/usr/bin/env node
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { CommanderError } from 'commander';
import { FlowError, invalid } from '../pkg/error/index.ts';
import { Lifecycle, stopOnSignals } from '../pkg/lifecycle/index.ts';
import { createLog, isLogLevel, LOG_LEVELS } from '../pkg/log/index.ts';
import { readSettings } from './daemon/options.ts';
import { run } from './daemon/run.ts';

/**
 * The heap grows by what is in use before it is cleared, not by several times that, and not by half of it either: the slowest
 * wait for what clears it (docs/performance.md, 33). What a load leaves behind is given back when it is over.
 */
setFlagsFromString('--heap-growing-percent=100');
/**
 * On two processors that others use as well, the helpers of the collector stand in line behind them while this process
 * waits for each: without them a `next` takes 4 to 8 % less, and fewer of its collections take 10 ms and more.
 */
if (availableParallelism() <= 2) setFlagsFromString('--no-parallel-scavenge');

/** Bad usage: something that a restart does not mend. */
const EXIT_USAGE = 2;

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), process.env);
  const { log_level } = settings;
  if (!isLogLevel(log_level)) throw invalid('BAD_FLAG', 'log_level', log_level, `one of ${LOG_LEVELS.join(', ')}`);
  const log = createLog({ level: log_level });
  const lifecycle = new Lifecycle(log, settings.drain_ms);
  stopOnSignals(lifecycle, log);
  try {
    console.log(await run(settings, log, lifecycle));
  } catch (error) {
    // A start that was told to stop fails by that: the signal's own way out is taken.
    if (lifecycle.stopping.aborted) return;
    await lifecycle.stop('the start has failed');
    throw error;
  }
}

main().catch((error: unknown) => {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
  console.error(`flow-manager: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(error instanceof FlowError && error.status === 'INVALID_ARGUMENT' ? EXIT_USAGE : 1);
});
