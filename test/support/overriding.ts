type Call = (...args: unknown[]) => unknown;

/** The same object with some members of its own. */
export function overriding<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(_, member) {
      if (Object.hasOwn(members, member)) return Reflect.get(members, member);
      const value: unknown = Reflect.get(target, member, target);
      return typeof value === 'function' ? (...args: unknown[]) => Reflect.apply(value as Call, target, args) : value;
    },
  });
}
