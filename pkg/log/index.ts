export { createLog, isLogLevel, LOG_LEVELS, type LogLevel, type ScopedLog } from './log.ts';
export { maskFields, maskSecrets } from './mask.ts';
