/**
 * Imports point one way: cmd → doors (rpc, http, timer) → service → engine → action → model. Store, cache, bus
 * and sibling implement pkg/service/ports.ts and know nothing else of the service; outbox, which says what a row
 * looks like from outside, and config, which fills in the service's settings, stand above it like a door. Each
 * library has one owner. scripts/check-imports.mjs runs this, and proves for every rule that a violation is caught.
 */
const NPM = '(^|/)node_modules/';

/** May import what matches `to`, its own files and nothing else of ours. */
function room(name, from, to) {
  return {
    name,
    severity: 'error',
    from: { path: from },
    to: { path: '^(pkg|cmd|migrations|scripts|test)/', pathNot: [from, ...to] },
  };
}

/** No npm package and no node: module, but for those that match. */
function pure(name, from, ...except) {
  return {
    name,
    severity: 'error',
    from: { path: from },
    to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'], pathNot: except },
  };
}

/** Only files that match `owner` may import these packages. */
function owned(libraries, ...owner) {
  return {
    name: `${libraries[0]}-has-one-owner`,
    severity: 'error',
    from: { path: '^(pkg|cmd|migrations)/', pathNot: owner },
    to: { path: libraries.map((library) => `${NPM}${library}/`) },
  };
}

const MODEL = '^pkg/model/';
const ERROR = '^pkg/error/';
const ACTION = '^pkg/action/';
const ENGINE = '^pkg/engine/';
const SERVICE = '^pkg/service/';
const PORTS = '^pkg/service/ports(\\.ts$|/)';
const BELOW_DOORS = [SERVICE, ENGINE, ACTION, MODEL, ERROR];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    room('model-imports-nothing', MODEL, []),
    room('error-imports-model', ERROR, [MODEL]),
    room('action-imports-model', ACTION, [MODEL, ERROR]),
    room('engine-imports-action', ENGINE, [ACTION, MODEL, ERROR]),
    room('service-imports-engine', SERVICE, [ENGINE, ACTION, MODEL, ERROR]),
    room('rpc-imports-service', '^pkg/rpc/', BELOW_DOORS),
    room('timer-imports-service', '^pkg/timer/', BELOW_DOORS),
    room('http-imports-service', '^pkg/http/', [...BELOW_DOORS, '^pkg/rpc/']),
    room('store-imports-ports', '^pkg/store/', [PORTS, MODEL, ERROR, '^migrations/']),
    room('schema-imports-ports', '^pkg/schema/', [PORTS, MODEL, ERROR, '^pkg/action/pointer\\.ts$']),
    room('cache-imports-ports', '^pkg/cache/', [PORTS, MODEL, ERROR]),
    room('bus-imports-ports', '^pkg/bus/', [PORTS, MODEL, ERROR]),
    room('outbox-imports-service', '^pkg/outbox/', BELOW_DOORS),
    room('sibling-imports-ports', '^pkg/sibling/', [PORTS, MODEL, ERROR]),
    room('tools-import-ports', '^pkg/(log|metric|lifecycle)/', [PORTS, MODEL, ERROR]),
    room('config-imports-service', '^pkg/config/', BELOW_DOORS),
    room('migrations-import-model', '^migrations/', [MODEL]),
    {
      name: 'nothing-imports-cmd',
      severity: 'error',
      from: { path: '^(pkg|migrations)/' },
      to: { path: '^(cmd|scripts|test)/' },
    },
    pure('model-is-pure', MODEL),
    pure('action-is-pure', ACTION, `${NPM}typebox/`),
    pure('engine-is-pure', ENGINE),
    owned(['kysely', 'mysql2', 'libsql'], '^pkg/store/', '^migrations/'),
    owned(['ioredis'], '^pkg/cache/'),
    owned(['amqplib'], '^pkg/bus/'),
    owned(['prom-client'], '^pkg/metric/'),
    owned(['pino'], '^pkg/log/'),
    owned(['commander'], '^cmd/'),
    owned(['fastify', 'undici', 'jose', 'ws'], '^pkg/http/'),
    owned(['ajv'], '^pkg/http/', '^pkg/schema/'),
    owned(['cockatiel'], '^pkg/sibling/'),
    {
      name: 'no-circle',
      severity: 'error',
      from: { path: '^(pkg|cmd|migrations)/' },
      to: { circular: true },
    },
    {
      name: 'no-development-package',
      comment: 'What runs in production may import only what package.json installs there.',
      severity: 'error',
      from: { path: '^(pkg|cmd|migrations)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Types count: a room that names another room's types knows it.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
