import { expect } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { MessageFiles } from '../../src/config/message-files.ts';
import type { BridgeConfig, DeviceConfig } from '../../src/config/model.ts';
import { formatProblem, type Problem } from '../../src/config/problem.ts';
import type { KeyFiles } from '../../src/config/secrecy.ts';

/** What every device in the client role needs, in flow style. */
export const REGISTER = 'register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "490154203237518" }';

/** The configuration of a text in which nothing is wrong. */
export function load(text: string, keys?: KeyFiles, messages: MessageFiles = new Map()): BridgeConfig {
  const { config, problems } = loadConfig(text, 'devices.yaml', messages, keys);
  expect(problems.map(formatProblem)).toEqual([]);
  if (config === undefined) throw new Error('neither a configuration nor a problem');
  return config;
}

/** The one device with these keys, in flow style. */
export function device(keys: string): DeviceConfig {
  const [first] = load(`devices:\n  - { id: x, ${keys} }`).devices;
  if (first === undefined) throw new Error('the device is gone');
  return first;
}

/** The problems of a text as `line:column severity path code`. */
export function problems(text: string): string[] {
  return loadConfig(text, 'devices.yaml').problems.map(
    ({ line, column, severity, path, code }) => `${line}:${column} ${severity} ${path} ${code}`,
  );
}

/** The one problem of a text. */
export function problem(text: string): Problem {
  const found = loadConfig(text, 'devices.yaml').problems;
  expect(found.map(formatProblem)).toHaveLength(1);
  const [first] = found;
  if (first === undefined) throw new Error('no problem');
  return first;
}
