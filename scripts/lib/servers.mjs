/**
 * How each of the three servers is run privately: on 127.0.0.1, on a port of its own, with all of its files in one
 * folder, as whoever calls. `programs` are found or undefined; `prepare` runs before the first start; `command`
 * says what to start; `ready` resolves when it serves; `helper` is a process that must run before it.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { greet } from './port.mjs';
import { run } from './process.mjs';

// Debian keeps daemons in sbin folders, which are not in an ordinary user's PATH.
const PLACES = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];

function find(...names) {
  const paths = names.flatMap((name) => PLACES.filter((place) => place !== '').map((place) => join(place, name)));
  return paths.find((path) => existsSync(path));
}

/**
 * Debian's /usr/sbin/rabbitmq-server is a wrapper that changes to the user rabbitmq and to the system's own data;
 * the programs behind it do neither.
 */
function findRabbitmq(name) {
  const home = '/usr/lib/rabbitmq/lib';
  const versions = existsSync(home) ? readdirSync(home).map((version) => join(home, version, 'sbin', name)) : [];
  return (
    ['/usr/lib/rabbitmq/bin', '/opt/rabbitmq/sbin']
      .map((place) => join(place, name))
      .concat(versions)
      .find((path) => existsSync(path)) ?? find(name)
  );
}

const rabbitmq = {
  package: 'rabbitmq-server',
  programs: () => ({ server: findRabbitmq('rabbitmq-server'), ctl: findRabbitmq('rabbitmqctl'), epmd: find('epmd') }),
  stop_ms: 20_000,
  ready_ms: 60_000,

  prepare({ dir }) {
    writeFileSync(join(dir, 'enabled_plugins'), '[].\n');
    writeFileSync(join(dir, 'rabbitmq.conf'), 'log.console = true\nlog.file = false\ndisk_free_limit.absolute = 20MB\n');
  },

  /**
   * Nodes find each other through epmd, which one user's first node starts for all users of the machine, and which
   * stays behind. Ours gets one of its own, so that nobody else's depends on it.
   */
  helper: ({ programs, record }) => ({
    command: programs.epmd,
    args: ['-address', '127.0.0.1', '-port', String(record.epmd_port)],
    ready: () => greet(record.epmd_port, Buffer.from([0, 1, 110])), // NAMES_REQ
  }),

  command: ({ programs, dir, record }) => ({ command: programs.server, args: [], env: rabbitmqEnv(dir, record) }),

  /** Greeted only when the whole node is up: listeners start last. */
  ready: ({ record }) => greet(record.port, Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1])),
};

/** What the node and rabbitmqctl must agree about. */
export function rabbitmqEnv(dir, record) {
  return {
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
    LANG: 'C.UTF-8',
    HOME: dir, // the Erlang cookie lives there
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(record.epmd_port),
    ERL_CRASH_DUMP: join(dir, 'erl_crash.dump'),
    RABBITMQ_NODENAME: 'flow@localhost',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(record.port),
    RABBITMQ_DIST_PORT: String(record.dist_port),
    RABBITMQ_CONF_ENV_FILE: join(dir, 'none.conf'),
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, 'none.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(dir, 'data'),
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: join(dir, 'rabbitmq.pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-kernel inet_dist_use_interface {127,0,0,1} ${erlangArgs()}`,
    // Makes the start script become the node instead of watching it: then the pid we know is the node's own.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}

/** Memory that Erlang does not give back (docs/operations.md, RabbitMQ), unless the environment has other arguments. */
const erlangArgs = () => process.env.RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS ?? '+MMscs 256';

const mariadb = {
  package: 'mariadb-server',
  programs: () => ({ server: find('mariadbd', 'mysqld'), install: find('mariadb-install-db', 'mysql_install_db') }),
  stop_ms: 20_000,
  ready_ms: 60_000,

  async prepare({ dir, programs }) {
    const data = join(dir, 'data');
    // The last file that the installation writes: without it an interrupted one is started over.
    if (existsSync(join(dir, 'installed'))) return;
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { recursive: true });
    const user = userInfo().username;
    const how = ['--skip-test-db', '--auth-root-authentication-method=normal', '--innodb-log-file-size=16M'];
    await run(programs.install, ['--no-defaults', `--datadir=${data}`, `--user=${user}`, ...how]);
    writeFileSync(join(dir, 'init.sql'), INIT_SQL);
    writeFileSync(join(dir, 'installed'), '');
  },

  command: ({ programs, dir, record }) => ({
    command: programs.server,
    args: [
      '--no-defaults', // must come first
      `--user=${userInfo().username}`, // it refuses to be root unless told so
      `--datadir=${join(dir, 'data')}`,
      `--init-file=${join(dir, 'init.sql')}`,
      `--port=${record.port}`,
      '--bind-address=127.0.0.1',
      '--socket=mariadb.sock', // in the data folder: a whole path may be longer than a socket's name can be
      '--pid-file=mariadb.pid',
      '--innodb-flush-log-at-trx-commit=1',
      '--innodb-buffer-pool-size=128M',
      '--innodb-log-file-size=64M',
      '--key-buffer-size=1M',
      '--aria-pagecache-buffer-size=8M',
      '--performance-schema=OFF',
      '--character-set-server=utf8mb4',
      '--skip-name-resolve',
      '--skip-log-bin',
      '--max-connections=300',
    ],
  }),

  /** It accepts connections only after it has run the init file. */
  ready: ({ record }) => greet(record.port),
};

const INIT_SQL = `CREATE DATABASE IF NOT EXISTS flow CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'flow'@'%' IDENTIFIED BY 'flow';
GRANT ALL ON *.* TO 'flow'@'%' WITH GRANT OPTION;
`;

const redis = {
  package: 'redis-server',
  programs: () => ({ server: find('redis-server', 'valkey-server') }),
  stop_ms: 5_000,
  ready_ms: 10_000,
  prepare() {},
  command: ({ programs, dir, record }) => ({
    command: programs.server,
    args: ['--port', String(record.port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no'],
  }),
  /** Answers with an error while it loads, but that it answers is enough: there is nothing to load. */
  ready: ({ record }) => greet(record.port, 'PING\r\n'),
};

export const SERVERS = { rabbitmq, mariadb, redis };
