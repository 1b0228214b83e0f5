import { describe, expect, test } from 'vitest';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { formatProblem } from '../../../src/config/problem.ts';

const FILE = (protocol: string, rest = '', messages = '') => `protocol:
  id: u8
  framing: { type: slip }
${protocol === '' ? '' : `  ${protocol}\n`}${rest === '' ? '' : `${rest}\n`}messages:
  - { name: login, id: 1, from: device, fields: [{ name: imei, type: u32 }, { name: serial, type: u16 }] }
  - { name: status, id: 2, from: device, fields: [{ name: serial, type: u16 }] }
  - { name: ack, id: 3, from: host, fields: [{ name: serial, type: u16 }, { name: result, type: u8 }] }
  - { name: set, id: 4, from: host, fields: [{ name: serial, type: u16 }] }
${messages}`;

const problems = (text: string): string[] =>
  loadMessages(text, 'f').problems.map(({ path, code, message, fix }) => `${path} ${code} ${message} ${fix}`);

describe('what is wrong with a session', () => {
  test.each<[string, string, RegExp]>([
    [
      'a login whose identity does not exist',
      FILE('session: { login: { message: login, identity: imie } }'),
      /^protocol\.session\.login\.identity config_bad_value .*no field `imie`.*imei, serial/,
    ],
    [
      'a login that does not exist',
      FILE('session: { login: { message: logon, identity: imei } }'),
      /^protocol\.session\.login\.message config_bad_value There is no message `logon`/,
    ],
    [
      'a login that the host sends',
      FILE('session: { login: { message: set, identity: serial } }'),
      /login\.message config_conflict `set` comes from the host/,
    ],
    [
      'fields for an answer that is not there',
      FILE('session: { login: { message: login, identity: imei, accept: { result: 0 } } }'),
      /session\.login config_no_effect Nothing answers `login`/,
    ],
    [
      'a copy of a field that the answer lacks',
      FILE('session: { login: { message: login, identity: imei, answer: ack, copy: { no: serial } } }'),
      /login\.copy config_bad_value `ack` has no field `no`/,
    ],
    [
      'a copy of a field that the login lacks',
      FILE('session: { login: { message: login, identity: imei, answer: ack, copy: { serial: no } } }'),
      /login\.copy config_bad_value `login` has no field `no`/,
    ],
    [
      'a heartbeat without every',
      FILE('session: { heartbeat: { message: status } }'),
      /^protocol\.session\.heartbeat\.every config_missing_key/,
    ],
    [
      'a heartbeat of the host that nothing answers',
      FILE('session: { heartbeat: { message: set, from: host, every: 5s } }'),
      /heartbeat\.message config_no_effect Nothing answers `set`/,
    ],
    [
      'a question for the time that nothing answers',
      FILE('session: { time: { message: status, field: time } }'),
      /session\.time config_missing_key Nothing answers `status`/,
    ],
    [
      'an answer to itself',
      FILE('', 'answers: [{ to: [status], with: status }]'),
      /^answers\[0\]\.with config_conflict `status` is answered with itself/,
    ],
    [
      'answers in a circle',
      FILE(
        '',
        'answers: [{ to: [status], with: ack, copy: [serial], set: { result: 0 } }, { to: [ack], with: status, copy: [serial] }]',
      ),
      /^answers\[0\]\.with config_conflict `ack` is answered with what is answered with it/,
    ],
    [
      'an answer to a login',
      FILE(
        'session: { login: { message: login, identity: imei } }',
        'answers: [{ to: [login], with: ack, copy: [serial], set: { result: 0 } }]',
      ),
      /^answers\[0\]\.to config_conflict `login` is answered by the login already/,
    ],
    [
      'an answer with nothing',
      FILE('', 'answers: [{ to: [status] }]'),
      /^answers\[0\] config_missing_key Nothing says what answers `status`/,
    ],
    [
      'a number where no field is',
      FILE('sequence: { type: u16, at: 2 }'),
      /^protocol\.sequence\.at config_bad_value No message has a field of u16 at byte 2/,
    ],
    [
      'a number of a type that is none',
      FILE('sequence: { type: f32, at: 1 }'),
      /^protocol\.sequence\.type config_bad_value/,
    ],
    [
      'several requests at once without a number',
      FILE('in_flight: 4'),
      /^protocol\.in_flight config_conflict Nothing tells the replies/,
    ],
    [
      'a reply that repeats no number',
      FILE(
        'sequence: { type: u16, at: 1 }',
        '',
        '  - { name: get, id: 9, from: host, fields: [{ name: serial, type: u16 }], reply: { fields: [{ name: x, type: u8 }] } }\n',
      ),
      /^messages\[4\]\.reply config_conflict `get` has a number, and its reply repeats none/,
    ],
    [
      'a reply with the id of another message',
      FILE(
        'reply_id: { or: 2 }',
        '',
        '  - { name: get, id: 0x41, from: host, reply: { fields: [] } }\n  - { name: other, id: 0x43, fields: [] }\n',
      ),
      /config_duplicate_id/,
    ],
    [
      'a hello without an end',
      FILE('hello: { fields: [{ name: imei, type: text, length: rest }], identity: imei }'),
      /^protocol\.hello\.fields config_conflict It would never end/,
    ],
    [
      'a hello that names no device',
      FILE('hello: { fields: [{ name: imei, type: text, length: u16 }], identity: id }'),
      /^protocol\.hello\.identity config_bad_value There is no field `id`/,
    ],
    [
      'a registration without an end',
      FILE('registration: { text: "DTU-*" }'),
      /^protocol\.registration config_missing_key Nothing says where the identity ends/,
    ],
    [
      'two ways to log in',
      FILE('{ session: { login: { message: login, identity: imei } }, registration: { text: "x" } }')
        .replace('  { session', '  session')
        .replace('} }, registration', '} }\n  registration')
        .replace('"x" } }', '"x" }'),
      /session\.login config_conflict The device says who it is in front/,
    ],
  ])('%s', (_, text, expected) => {
    const found = problems(text);
    expect(found.filter((line) => expected.test(line))).toHaveLength(1);
  });

  test('a file that declares all of it is right', () => {
    const text = FILE(
      'session: { login: { message: login, identity: imei, answer: ack, copy: [serial], accept: { result: 0 }, refuse: { result: 1 } }, heartbeat: { message: status, every: 3m, answer: ack, copy: [serial], set: { result: 0 } } }',
      'answers: [{ to: [set], with: done, copy: [serial] }]',
      '  - { name: done, id: 5, from: device, fields: [{ name: serial, type: u16 }] }\n',
    );
    const { problems: found } = loadMessages(text, 'f');
    expect(found.map(formatProblem)).toEqual([]);
  });
});
