export { createLog, isLogLevel, LOG_LEVELS, type LogLevel, type ScopedLog } from './log.ts';
export { maskSecrets } from './mask.ts';
