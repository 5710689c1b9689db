import { connect, createServer } from 'node:net';

/**
 * Ports are taken from below the range that the kernel gives to outgoing connections (32768 and up on Linux): a
 * client that knocks at the port of a stopped server could otherwise be given that very port for its own end,
 * connect to itself, and keep the server from starting again.
 */
const LOWEST = 20_000;
const HIGHEST = 31_999;

export function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => resolve(true)));
  });
}

/** A free port; `wanted` first. Two calls in one process never give the same one. */
export async function freePort(wanted) {
  if (wanted !== undefined && (await isFree(wanted))) return wanted;
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port found between ${LOWEST} and ${HIGHEST}`);
}
const given = new Set();

/** Connects, sends `hello`, and resolves with the first bytes of the answer; rejects after a second without any. */
export function greet(port, hello) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1000 });
    socket.once('connect', () => hello && socket.write(hello));
    socket.once('data', (data) => {
      resolve(data);
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy(new Error(`nothing said on port ${port} within 1 s`)));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`port ${port} closed without a word`)));
  });
}
