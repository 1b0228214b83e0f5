import { describe, expect, it } from 'vitest';
import * as heartwire from '../src/index.ts';
import { readProjectFile } from './support/project-files.ts';
import { scanSource } from './support/source-text.ts';

describe('the public names', () => {
  it('are these, and a change of the list is a change for every user', () => {
    expect(Object.keys(heartwire).sort()).toEqual(
      [
        'ERROR_CODES',
        'HeartwireError',
        'LineDecoder',
        'StreamDecoder',
        'builtinProtocol',
        'decodePayload',
        'encodeFrame',
        'formatProblem',
        'loadConfig',
        'readConfig',
      ].sort(),
    );
  });

  it('are all that their file holds', () => {
    const { code } = scanSource(readProjectFile('src/index.ts'));
    const rest = code.replace(/export (?:type )?\{[^}]*\} from "§\d+";/g, '');
    expect(rest.trim()).toBe('');
  });
});

describe('the library', () => {
  const { builtinProtocol, decodePayload, encodeFrame, LineDecoder, StreamDecoder } = heartwire;

  it.each([
    ['a stream', StreamDecoder],
    ['a serial line', LineDecoder],
  ])('takes a message from frame to frame over %s', (_, Decoder) => {
    const register: heartwire.Message = {
      name: 'register',
      kind: 'request',
      fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' },
    };
    const protocol = builtinProtocol();
    const decoded: unknown[] = [];
    const decoder = new Decoder(protocol, {
      frame: (bytes, start, end) => void decoded.push(decodePayload(protocol, bytes, start, end)),
      discarded: (report) => void decoded.push(report),
      fault: (report) => void decoded.push(report),
    });
    const frame = encodeFrame(register);
    decoder.push(frame.slice(0, 20));
    decoder.push(frame.slice(20));
    decoder.close();
    expect(decoded).toEqual([register]);
  });

  it('checks a configuration', () => {
    const { config, problems } = heartwire.loadConfig('devices: [{ id: 1 }]', 'devices.yaml');
    expect(config?.devices ?? []).toEqual([]);
    expect(problems.map(heartwire.formatProblem).join('\n')).toMatch(/^devices\.yaml:1:\d+/);
  });
});
