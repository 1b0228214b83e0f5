import { expect } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import type { MatchedDeviceConfig } from '../../src/config/model.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { ListenerBench } from './listener-bench.ts';

/** A bench of the first listener of a configuration whose messages are `text`. */
export function benchOf(text: string, devices = '', listener = ''): ListenerBench {
  const file = loadMessages(text, 'm.yaml');
  const yaml = `messages: m.yaml\nlisteners: [{ link: "tcp-listen:127.0.0.1:9089" ${listener} }]\n${devices}`;
  const { config, problems } = loadConfig(yaml, 'devices.yaml', new Map([['m.yaml', file]]));
  const [listening] = config?.listeners ?? [];
  expect(problems.map(formatProblem)).toEqual([]);
  if (listening === undefined) throw new Error('there is no listener');
  const matched = config?.devices.filter((each): each is MatchedDeviceConfig => each.kind === 'matched');
  return new ListenerBench(listening, matched);
}
