import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { type Candidate, matchProtocols } from '../../src/inspection/match-protocols.ts';
import { readInput } from '../../src/inspection/read-input.ts';
import { bytesOf } from '../protocol/framing/collecting-sink.ts';
import { PROJECT_ROOT } from '../support/project-files.ts';

const folder = join(PROJECT_ROOT, 'packs');
const PACKS = readdirSync(folder);

const candidates: readonly Candidate[] = PACKS.map((name) => {
  const { protocol } = loadMessages(readFileSync(join(folder, name, 'messages.yaml'), 'utf8'), name);
  if (protocol === undefined) throw new Error(`${name} cannot be read`);
  return { name, protocol };
});

/** Lines of text that nothing tells from others. */
const UNPROVEN = new Set(['csv-line', 'scpi-multimeter', 'scpi-supply']);

/** What a device of a pack sends first, of its trace. */
function firstBytes(pack: string, most: number): Uint8Array {
  const [file = ''] = readdirSync(join(folder, pack)).filter((each) => each.endsWith('.trace'));
  const { events } = readInput(readFileSync(join(folder, pack, file)), file);
  const [first] = events.filter(({ fact }) => fact.kind === 'in');
  const bytes = events.flatMap(({ fact, connection }) =>
    fact.kind === 'in' && connection === first?.connection ? [...fact.bytes] : [],
  );
  return Uint8Array.from(bytes.slice(0, most));
}

describe('bytes of an unknown device', () => {
  it.each(PACKS)('fit the pack %s of which they are', (pack) => {
    const matches = matchProtocols(firstBytes(pack, 1_024), candidates, 'stream');
    const [best] = matches;
    const own = matches.find(({ name }) => name === pack);
    expect(own?.frames).toBeGreaterThan(0);
    // u-blox receivers speak NMEA 0183 too, with a declaration that proves a little more.
    if (pack === 'nmea-0183') expect(best?.name).toBe('ublox-ubx');
    else expect(own?.proof).toBe(best?.proof);
  });

  it.each(PACKS.filter((pack) => !UNPROVEN.has(pack)))(
    'prove the pack %s by checksums or constants',
    (pack) => {
      const own = matchProtocols(firstBytes(pack, 1_024), candidates, 'stream').find(
        ({ name }) => name === pack,
      );
      expect(own?.proof).toBeGreaterThanOrEqual(32);
    },
  );

  it('fit nothing where they are noise', () => {
    const noise = Uint8Array.from({ length: 512 }, (_, index) => (index * 197 + 91) % 256);
    expect(matchProtocols(noise, candidates, 'stream')).toEqual([]);
  });

  it('say by how much they are proven', () => {
    const [nmea] = matchProtocols(
      bytesOf('"$GPGLL,4916.45,N,12311.12,W,225444,A,*1D\r\n"'),
      candidates.filter(({ name }) => name === 'nmea-0183'),
      'stream',
    );
    expect(nmea).toMatchObject({ name: 'nmea-0183', frames: 1, total: 42, explained: 42 });
    expect(nmea?.proof).toBeGreaterThanOrEqual(8);
  });
});
