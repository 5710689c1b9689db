/**
 * Processes that outlive the script that started them: started detached, remembered by pid and start time, and
 * ended only when both still fit, because the number of a dead process is given out again.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** When the kernel started it, in clock ticks since boot; undefined: no such process, or a zombie. */
function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in brackets and may hold spaces: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  }
}

/** This very process, as `alive` wants to know it. */
export const self = { pid: process.pid, started: startTime(process.pid) };

/** @param known {pid, started} as `launch` returned it */
export function alive(known) {
  return known?.pid !== undefined && known.started !== undefined && startTime(known.pid) === known.started;
}

/** Starts a program with its output in a file; resolves as soon as it runs, which says nothing about readiness. */
export async function launch(command, args, { cwd, env, log }) {
  const output = openSync(log, 'a');
  try {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', output, output] });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    return { pid: child.pid, started: startTime(child.pid) };
  } finally {
    closeSync(output);
  }
}

/** Asks it to end, and ends it by force when it has not after `patience_ms`. A paused process is woken to hear it. */
export async function end(known, patience_ms) {
  if (!alive(known)) return;
  signal(known, 'SIGTERM');
  signal(known, 'SIGCONT');
  const deadline = Date.now() + patience_ms;
  while (alive(known)) {
    if (Date.now() > deadline) signal(known, 'SIGKILL');
    await sleep(20);
  }
}

export function signal(known, name) {
  if (!alive(known)) return;
  try {
    process.kill(known.pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // it ended between the look and the signal
  }
}

/** Runs a program to its end; rejects with what it wrote when it fails. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${command} ended with code ${code}\n${output.trim()}`)),
    );
  });
}
