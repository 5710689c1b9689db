/** What is still being put together, member by member, and is not changed by anybody afterwards. */
export type Writable<T> = { -readonly [name in keyof T]: T[name] };
