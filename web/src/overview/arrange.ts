/** What of a device decides where it stands. */
export interface Placed {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly status: string;
  readonly level: 'alarm' | 'warn' | undefined;
  readonly linkFailed: boolean;
  matches(words: readonly string[]): boolean;
}

export const ORDERS = ['trouble', 'name', 'since', 'value'] as const;
export type Order = (typeof ORDERS)[number];

export interface Wanted {
  readonly search: string;
  /** A status, or empty for all. */
  readonly status: string;
  readonly group: string;
  readonly order: Order;
  readonly reverse: boolean;
  readonly grouped: boolean;
  /** Groups that are folded. */
  readonly folded: ReadonlySet<string>;
}

/** A line of the list: a device, or the heading of a group. */
export type Line<T> =
  | { readonly kind: 'device'; readonly device: T }
  | {
      readonly kind: 'group';
      readonly group: string;
      readonly devices: readonly T[];
      readonly folded: boolean;
    };

const TROUBLE = ['offline', 'stale', 'registering', 'unknown', 'away', 'online'];

/**
 * A link that failed, as where the configuration is wrong, is like a device that is offline. An alarm of a device that is
 * online is nearer to a fault than to health; so `heartwire monitor` has it.
 */
export function troubleOf({
  status,
  level,
  linkFailed,
}: Pick<Placed, 'status' | 'level' | 'linkFailed'>): number {
  if (linkFailed) return 0;
  if (status === 'online' && level !== undefined) return level === 'alarm' ? 0.5 : 1.5;
  const at = TROUBLE.indexOf(status);
  return at < 0 ? TROUBLE.indexOf('unknown') : at;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** The lines of the list as they are wanted. `rank` gives the number by which `since` and `value` are ordered. */
export function arrange<T extends Placed>(
  all: Iterable<T>,
  wanted: Wanted,
  rank: (device: T) => number | undefined,
): { readonly lines: readonly Line<T>[]; readonly found: number } {
  const words = wanted.search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [...all].filter(
    (device) =>
      (wanted.status === '' || device.status === wanted.status) &&
      (wanted.group === '' || device.group === wanted.group) &&
      (words.length === 0 || device.matches(words)),
  );
  const sorted = inOrder(found, wanted, rank);
  if (!wanted.grouped)
    return { lines: sorted.map((device) => ({ kind: 'device', device })), found: found.length };
  const groups = new Map<string, T[]>();
  for (const device of sorted) {
    const group = groups.get(device.group);
    if (group === undefined) groups.set(device.group, [device]);
    else group.push(device);
  }
  const named = [...groups].sort(([a], [b]) => Number(a === '') - Number(b === '') || collator.compare(a, b));
  const lines = named.flatMap(([group, devices]): Line<T>[] => {
    const folded = wanted.folded.has(group);
    const head: Line<T> = { kind: 'group', group, devices, folded };
    return folded ? [head] : [head, ...devices.map((device): Line<T> => ({ kind: 'device', device }))];
  });
  return { lines, found: found.length };
}

function inOrder<T extends Placed>(
  devices: readonly T[],
  { order, reverse }: Wanted,
  rank: (device: T) => number | undefined,
): readonly T[] {
  const sign = reverse ? -1 : 1;
  const keyed = devices.map((device) => ({
    device,
    key: order === 'name' ? 0 : order === 'trouble' ? troubleOf(device) : rank(device),
  }));
  keyed.sort((a, b) => {
    // What has no number stands at the end, whichever way.
    if (a.key === undefined || b.key === undefined) {
      if (a.key !== b.key) return a.key === undefined ? 1 : -1;
    } else if (a.key !== b.key) return (a.key - b.key) * sign;
    return compareNames(a.device, b.device) * (order === 'name' ? sign : 1);
  });
  return keyed.map(({ device }) => device);
}

const compareNames = (a: Placed, b: Placed): number =>
  collator.compare(a.name, b.name) || collator.compare(a.id, b.id);
