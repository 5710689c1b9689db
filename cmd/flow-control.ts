#!/usr/bin/env node
import { runControl } from './control/program.ts';
import { processContext } from './control/world.ts';

// `flow-control flow list | head` closes the pipe early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runControl(process.argv.slice(2), processContext());
