/** Installs the Debian packages of servers that are missing, when it may; else says what to do. */
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { run } from './process.mjs';
import { SERVERS } from './servers.mjs';

const POLICY = '/usr/sbin/policy-rc.d';
const CONTAINERS = `Or run servers in containers (compose.yaml) and name them:
    docker compose up -d rabbitmq mariadb redis
    export FLOW_TEST_AMQP=amqp://guest:guest@127.0.0.1:5672
    export FLOW_TEST_DSN='root:flow@tcp(127.0.0.1:3306)/flow'
    export FLOW_TEST_REDIS=127.0.0.1:6379`;

/** @param names of servers that are about to be started */
export async function installMissing(names) {
  if (process.platform !== 'linux')
    throw new Error(`private servers are run on Linux only: they are followed through /proc. ${CONTAINERS}`);
  const missing = names.filter(isMissing);
  if (missing.length === 0) return;
  const packages = missing.map((name) => SERVERS[name].package);
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(advice(packages));
  console.error(`installing ${packages.join(', ')}`);
  await withoutStarting(async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update', '-q'], { env });
    await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], { env });
  });
  const still = missing.filter(isMissing);
  if (still.length > 0) throw new Error(`installed ${packages.join(', ')}, and yet no program was found for ${still.join(', ')}`);
}

function isMissing(name) {
  return Object.values(SERVERS[name].programs()).includes(undefined);
}

/** Debian starts a service when it installs it, unless this file forbids it. One that is there already is left alone. */
async function withoutStarting(work) {
  const ours = !existsSync(POLICY);
  if (ours) {
    writeFileSync(POLICY, '#!/bin/sh\nexit 101\n');
    chmodSync(POLICY, 0o755);
  }
  try {
    await work();
  } finally {
    if (ours) rmSync(POLICY, { force: true });
  }
}

function advice(packages) {
  return `missing: ${packages.join(', ')}. Either install them (the services themselves need not run):
    sudo apt-get update && sudo apt-get install --no-install-recommends ${packages.join(' ')}
${CONTAINERS}`;
}
