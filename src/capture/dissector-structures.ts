import { parseWhole } from '../protocol/index.ts';

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

/** A part of the payload with a length of its own, which `sizing` puts into `n`. */
export const luaMeasured = (sizing: readonly string[], body: readonly string[]): string[] => [
  'do',
  ...indent(sizing),
  '  need(at, n, stop)',
  '  local stop = at + n',
  ...indent(body),
  '  at = stop',
  'end',
];

/** A list that ends where these bytes stand. */
export function luaUntil(until: Uint8Array, body: readonly string[]): string[] {
  const ends = [...until].map((byte, index) => `buf(at + ${index}, 1):uint() == ${byte}`).join(' and ');
  return [
    `while not (at + ${until.length} <= stop and ${ends}) do`,
    '  need(at, 1, stop)',
    '  local before = at',
    ...indent(body),
    '  if at == before then break end',
    'end',
    `at = at + ${until.length}`,
  ];
}

/** A field that is there where bytes are left. */
export const luaOptional = (tail: number, body: readonly string[]): string[] => [
  `if at < stop - ${tail} then`,
  ...indent(body),
  'end',
];

/** The fields of the first case that holds. */
export function luaCases(
  cases: readonly { readonly holds: string; readonly body: readonly string[] }[],
  otherwise: readonly string[],
): string[] {
  if (cases.length === 0) return [...otherwise];
  return [
    ...cases.flatMap(({ holds, body }, index) => [
      `${index === 0 ? 'if' : 'elseif'} ${holds} then`,
      ...indent(body),
    ]),
    'else',
    ...indent(otherwise),
    'end',
  ];
}

/** Elements of a tag, a length and a value. */
export function luaTlv(
  tag: { readonly bytes: number; readonly little: boolean },
  sizing: readonly string[],
  tags: Readonly<Record<string, readonly string[]>>,
  { tail, show }: { readonly tail: number; readonly show: string },
): string[] {
  const cases = Object.entries(tags).map(([key, body]) => ({
    holds: `tag == ${parseWhole(key) ?? -1}`,
    body,
  }));
  return [
    `while at < stop - ${tail} do`,
    `  need(at, ${tag.bytes}, stop)`,
    `  local tag = buf(at, ${tag.bytes}):${tag.little ? 'le_' : ''}uint()`,
    `  at = at + ${tag.bytes}`,
    ...indent(luaMeasured(sizing, [...luaCases(cases, []), `if at < stop then ${show} end`])),
    'end',
  ];
}

/** A text of columns, each shown by its own line, and what is left of it. */
export function luaColumns(
  columns: readonly string[],
  separator: readonly number[],
  { tail, rest }: { readonly tail: number; readonly rest: string },
): string[] {
  const size = separator.length;
  const isThere = separator.map((byte, index) => `buf(at + n + ${index}, 1):uint() == ${byte}`).join(' and ');
  return [
    'do',
    `  local to = stop - ${tail}`,
    ...columns.flatMap((show) => [
      '  do',
      '    local n = 0',
      `    while at + n < to and not (at + n + ${size} <= to and ${isThere}) do n = n + 1 end`,
      `    if n > 0 then ${show} end`,
      `    at = math.min(to, at + n + ${size})`,
      '  end',
    ]),
    '  local n = to - at',
    `  if n > 0 then ${rest} end`,
    '  at = to',
    'end',
  ];
}
