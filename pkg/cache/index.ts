export { MemoryCache } from './memory.ts';
export { RedisCache } from './redis.ts';
