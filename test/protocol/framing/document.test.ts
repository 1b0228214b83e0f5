import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { readFraming } from '../../../src/config/messages/read-framing.ts';
import { CHECKSUM_ALIASES, CHECKSUM_NAMES } from '../../../src/protocol/crc/catalogue.ts';
import { hexText } from '../../../src/protocol/describe.ts';
import { FRAMING_TYPES } from '../../../src/protocol/framing/declaration.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { readProjectFile } from '../../support/project-files.ts';
import { bytesOf, decoderOf } from './collecting-sink.ts';

const document = readProjectFile('docs/reference/framings.md');

const examples = [...document.matchAll(/```yaml\n((?:(?!```)[\s\S])*)```\n```text\n([\s\S]*?)```/g)].map(
  ([, yaml = '', text = '']) => ({
    protocol: parse(yaml).protocol as {
      byte_order?: 'big' | 'little';
      framing: { type: string };
      id?: unknown;
    },
    pairs: text
      .trim()
      .split('\n')
      .map((line) => line.split(' -> ')),
  }),
);

describe('docs/reference/framings.md', () => {
  test('has an example of every framing', () => {
    expect(new Set(examples.map(({ protocol }) => protocol.framing.type))).toEqual(new Set(FRAMING_TYPES));
  });

  test.each(examples)('$protocol.framing', ({ protocol, pairs }) => {
    const { findings } = readFraming(protocol.framing, protocol.byte_order ?? 'big');
    expect(findings).toEqual([]);
    const { framing } =
      loadMessages(stringify({ protocol, messages: [] }), 'messages.yaml').protocol?.declaration ?? {};
    if (framing === undefined) throw new Error('nothing was read');
    expect(pairs.length).toBeGreaterThan(0);
    for (const [payload = '', wire = ''] of pairs) {
      expect(hexText(makeFraming(framing).encode(bytesOf(payload)))).toBe(hexText(bytesOf(wire)));
      const { events } = decoderOf(framing).feed('idle', bytesOf(wire), 'idle');
      expect(events).toEqual([hexText(bytesOf(payload))]);
    }
  });

  test('lists every checksum by its name, and by its others', () => {
    for (const name of CHECKSUM_NAMES) {
      const [family = '', member] = name.split('/');
      const row = document.split('\n').find((line) => line.startsWith(`| \`${family}/\``)) ?? '';
      if (member === undefined) expect(document).toContain(`\`${name}\``);
      else expect(row).toContain(`\`${member}\``);
    }
    for (const [alias, name] of CHECKSUM_ALIASES) expect(document).toContain(`\`${alias}\` = \`${name}\``);
  });
});
