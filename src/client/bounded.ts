/** Keeps a collection to which something was added within its bound. */
export function dropOldest(
  all: Set<string> | Map<string, unknown>,
  most: number,
  drop: (key: string) => unknown = (key) => all.delete(key),
): void {
  const [oldest] = all.keys();
  if (oldest !== undefined && all.size > most) drop(oldest);
}
