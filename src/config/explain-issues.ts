import { z } from 'zod';
import { suggest } from '../system/index.ts';
import { capital, type FieldFinding, nameKind } from './field.ts';
import type { Finding, Path } from './problem.ts';

/** Names of these keys in other programs, and in older documents of this one. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  address: 'link',
  baudrate: 'baud',
  baud_rate: 'baud',
  name: 'id',
  port: 'link',
  timezone: 'time_zone',
  url: 'link',
  uuid: 'appid',
};

const LONGEST_LIST = 8;
/** A key that more places know is named without them. */
const MOST_PLACES = 4;

/** Says of everything that does not fit the shape where it is, what it is, and what to write instead. */
export function explainIssues(shape: z.ZodType, issues: readonly z.core.$ZodIssue[]): Finding[] {
  return issues.flatMap((issue) => explain(shape, issue, []));
}

function explain(shape: z.ZodType, issue: z.core.$ZodIssue, above: Path): Finding[] {
  const path: Path = [
    ...above,
    ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part)),
  ];
  switch (issue.code) {
    case 'custom': {
      const finding = fieldFindingOf(issue);
      if (finding === undefined) break;
      const { code, message, fix } = finding;
      return [{ code, path, message, fix }];
    }
    case 'unrecognized_keys':
      return issue.keys.map((key) => explainKey(shape, path, key));
    case 'invalid_union': {
      // Only `false | {...}` is left to a union: what a group of keys gets wrong says more than that it is not false.
      const deeper = issue.errors.find((branch) =>
        branch.some((each) => each.path.length > 0 || each.code === 'unrecognized_keys'),
      );
      if (deeper !== undefined) return deeper.flatMap((each) => explain(shape, each, path));
      const words = wordsOf(issue);
      if (words.length > 0) {
        return [
          {
            code: 'config_bad_value',
            path,
            message: 'This is none of the possible values.',
            fix: `Write ${words.join(', ')}, or ${keysOf(shape, path)
              .map((key) => `\`${key}:\``)
              .join(' and ')} below it, indented.`,
          },
        ];
      }
      return [
        {
          code: 'config_bad_type',
          path,
          message: 'A group of keys, or false, is expected here.',
          fix: `Write ${keysOf(shape, path)
            .map((key) => `\`${key}:\``)
            .join(' or ')} below it, indented, or false to switch it off.`,
        },
      ];
    }
    case 'invalid_type': {
      const keys = keysOf(shape, path);
      const list = issue.expected === 'array';
      return [
        {
          code: 'config_bad_type',
          path,
          message: `${capital(list ? 'a list' : 'a group of keys')} is expected here, and ${nameKind(issue.input)} was found.`,
          fix: list
            ? 'Begin each entry on a line of its own with `- `.'
            : `Write ${keys.length > 0 && keys.length < 6 ? keys.map((key) => `\`${key}:\``).join(', ') : 'its keys'} below it, indented.`,
        },
      ];
    }
    default:
      break;
  }
  return [
    {
      code: 'config_bad_value',
      path,
      message: `${issue.message}.`,
      fix: 'See docs/reference/devices-yaml.md.',
    },
  ];
}

/** The words among the branches of a union. */
function wordsOf({ errors }: z.core.$ZodIssueInvalidUnion): string[] {
  return errors
    .flat()
    .flatMap((each) => (each.code === 'invalid_value' ? each.values : []))
    .filter((value) => typeof value === 'string');
}

function fieldFindingOf(issue: z.core.$ZodIssueCustom): FieldFinding | undefined {
  // Only `field` makes custom issues, and it always puts its finding there.
  return issue.params?.finding as FieldFinding | undefined;
}

function explainKey(shape: z.ZodType, path: Path, key: string): Finding {
  const here = [...path, key];
  const known = keysOf(shape, path);
  const other = OTHER_NAMES[key.toLowerCase().replace(/-/g, '_')];
  const meant = other !== undefined && known.includes(other) ? other : suggest(key, known);
  const elsewhere = placesOf(shape, key);
  let fix =
    known.length <= LONGEST_LIST
      ? `Possible are ${known.join(', ')}.`
      : 'Remove it; docs/reference/devices-yaml.md lists the keys that exist.';
  if (meant === undefined && elsewhere !== undefined) fix = `It belongs ${elsewhere}.`;
  else if (meant !== undefined) {
    const itself = elsewhere === undefined ? '' : ` \`${key}\` itself belongs ${elsewhere}.`;
    fix = `Did you mean \`${meant}\`?${itself}`;
  }
  return {
    code: 'config_unknown_key',
    path: here,
    atKey: true,
    message: `There is no key \`${key}\` here.`,
    fix,
    ...(meant === undefined ? {} : { meant }),
  };
}

/** Where a key that stands in the wrong place would be right, in words, as far as these are few places. */
function placesOf(shape: z.ZodType, key: string): string | undefined {
  const places = [
    ...new Set(objectsOf(shape).flatMap(([path, keys]) => (keys.includes(key) ? placeName(path) : []))),
  ];
  const last = places.pop();
  if (last === undefined || places.length >= MOST_PLACES) return undefined;
  return places.length === 0 ? last : `${places.join(', ')} or ${last}`;
}

/** `0` in a path stands for the entries of a list. */
function placeName(path: readonly (string | 0)[]): string {
  if (path.length === 0) return 'at the top of the file';
  const entry = path.lastIndexOf(0);
  const own = path.slice(entry + 1);
  return own.length === 0 ? `below an entry of \`${path[entry - 1]}:\`` : `below \`${own.join('.')}:\``;
}

type Place = readonly [path: readonly (string | 0)[], keys: readonly string[]];

/** Every group of keys in a shape; one that lies within itself is seen once. */
function objectsOf(
  schema: z.core.$ZodType,
  path: readonly (string | 0)[] = [],
  above: readonly z.core.$ZodType[] = [],
): Place[] {
  const inner = bare(schema);
  if (inner instanceof z.ZodArray) return objectsOf(inner.element, [...path, 0], above);
  if (!(inner instanceof z.ZodObject) || above.includes(inner)) return [];
  const parts: [string, z.core.$ZodType][] = Object.entries(inner.shape);
  const within = [...above, inner];
  return [
    [path, parts.map(([key]) => key)],
    ...parts.flatMap(([key, part]) => objectsOf(part, [...path, key], within)),
  ];
}

/** The keys that may stand at a path. */
function keysOf(shape: z.ZodType, path: Path): string[] {
  let at: z.core.$ZodType = shape;
  for (const part of path) {
    const inner = bare(at);
    if (inner instanceof z.ZodArray) at = inner.element;
    else if (inner instanceof z.ZodObject) {
      const next: z.core.$ZodType | undefined = inner.shape[part];
      if (next === undefined) return [];
      at = next;
    } else return [];
  }
  const inner = bare(at);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function bare(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) return bare(schema.unwrap());
  if (schema instanceof z.ZodPipe) return bare(schema.in);
  if (schema instanceof z.ZodUnion) {
    return (
      schema.options.map(bare).find((option: z.core.$ZodType) => option instanceof z.ZodObject) ?? schema
    );
  }
  return schema;
}
