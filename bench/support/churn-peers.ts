// A child process of bench/churn: devices that come and go, or subscribers that do, or peers that mean no good.
import { randomBytes } from 'node:crypto';
import { setPriority } from 'node:os';
import type { ChurnPorts } from './churn-bridge.ts';
import {
  atRate,
  ChurnSockets,
  type PeerCounts,
  type PeerKind,
  type PeerOrder,
  type Visit,
} from './churn-sockets.ts';
import { clientFrame, upgradeTo } from './fan-out-way.ts';

/** Sockets a second, and at once; a machine has some 28,000 ports for the minute that each is kept after its end. */
const PER_SECOND: Readonly<Record<PeerKind, number>> = { devices: 40, subscribers: 35, attackers: 15 };
const MOST: Readonly<Record<PeerKind, number>> = { devices: 400, subscribers: 300, attackers: 300 };
/** Devices that come again and again; beside them some come once. */
const KNOWN_DEVICES = 300;
const APPID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const PRIORITY = 10;

function framed(...payload: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(payload);
  const frame = Buffer.alloc(4 + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, 4);
  return frame;
}

function register(nth: number): Buffer {
  // Every fiftieth is one that was never here before.
  const imei = String(
    nth % 50 === 0 ? 200_000_000_000_000 + nth : 100_000_000_000_000 + (nth % KNOWN_DEVICES),
  );
  return framed(Uint8Array.of(0), Buffer.from(APPID), Buffer.from(imei));
}

const REGISTERED = framed(Uint8Array.of(0, 0));
const HEARTBEAT = framed(Uint8Array.of(1));

function telemetry(nth: number): Buffer {
  const payload = Buffer.alloc(7);
  payload.writeUInt8(0x10, 0);
  payload.writeUInt32BE(nth >>> 0, 1);
  payload.writeInt16BE(nth % 10_000, 5);
  return framed(payload);
}

/** The n-th chunk of a file of three; only every other device sends the last one. */
function fileChunk(transfer: number, index: number, data: Uint8Array): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt8(0x20, 0);
  head.writeUInt16BE(transfer & 0xffff, 1);
  head.writeUInt32BE(index, 3);
  head.writeUInt32BE(3, 7);
  head.writeUInt16BE(data.length, 11);
  return framed(head, data);
}

function deviceVisit(nth: number, port: number): Visit {
  const says = register(nth);
  const usual = { port, says, expects: REGISTERED, leaves: 'end' } as const;
  switch (nth % 8) {
    case 0:
      return { ...usual, staysMs: 800, goesOn: { everyMs: 200, says: () => HEARTBEAT } };
    case 1:
      return { ...usual, staysMs: 1_500, goesOn: { everyMs: 100, says: telemetry }, leaves: 'reset' };
    case 2:
      return { ...usual, staysMs: 300, leaves: 'reset' };
    case 3:
      // Three chunks of a file, or two: the third comes with some of them only.
      return {
        ...usual,
        staysMs: nth % 16 === 3 ? 700 : 450,
        goesOn: { everyMs: 200, says: (index) => fileChunk(nth, index, randomBytes(4 + (nth % 1_000))) },
      };
    case 4:
      return { ...usual, staysMs: 3_000, leaves: 'half-open' };
    case 5:
      return { ...usual, says: Buffer.concat([says, HEARTBEAT, telemetry(nth), HEARTBEAT]), staysMs: 250 };
    case 6:
      // A reply of which the rest never comes.
      return { ...usual, says: Buffer.concat([says, HEARTBEAT.subarray(0, 3)]), staysMs: 600 };
    default:
      return { ...usual, staysMs: 5_000, goesOn: { everyMs: 500, says: telemetry } };
  }
}

const SUBSCRIBE = '{"type":"subscribe","id":"1","topics":["devices/#","bridge/status"]}';
const SUBSCRIBE_WS = Buffer.from(clientFrame(SUBSCRIBE), 'hex');
const ACKED = '{"type":"subscribe","id":"1","topics":["devices/+/messages"],"ack":true}';
const PING_WS = Buffer.from('898000000000', 'hex');
const EVENT_STREAM = 'GET /api/feed?topics=devices/%23 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const CLOSE_WS = Buffer.from('8882000000000000', 'hex');

function subscriberVisit(nth: number, { http, lines }: ChurnPorts): Visit {
  const overWs = {
    port: http,
    says: Buffer.concat([Buffer.from(upgradeTo('/ws')), SUBSCRIBE_WS]),
    expects: '"welcome"',
    leaves: 'end',
  } as const;
  const overLines = { port: lines, says: `${SUBSCRIBE}\n`, expects: '"welcome"', leaves: 'end' } as const;
  const overSse = { port: http, says: EVENT_STREAM, expects: '"welcome"', leaves: 'end' } as const;
  switch (nth % 11) {
    case 0:
      return { ...overWs, staysMs: 700, goesOn: { everyMs: 650, says: () => CLOSE_WS } };
    case 1:
      return { ...overWs, staysMs: 3_000, stalls: true, leaves: 'reset' };
    case 2:
      return { ...overWs, staysMs: 400, goesOn: { everyMs: 50, says: () => PING_WS }, leaves: 'reset' };
    case 3:
      return { ...overWs, says: `${upgradeTo(`/ws/panel-${nth % 40}`)}`, staysMs: 500 };
    case 4:
      return { ...overLines, staysMs: 500 };
    case 5:
      return { ...overLines, staysMs: 3_000, stalls: true, leaves: 'reset' };
    case 6:
      return { ...overLines, says: `${ACKED}\n`, staysMs: 900 };
    case 7:
      return { ...overSse, staysMs: 500 };
    case 8:
      return { ...overSse, staysMs: 3_000, stalls: true, leaves: 'reset' };
    case 9:
      return {
        ...overSse,
        says: 'GET /api/devices HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
        expects: '200 OK',
        staysMs: 200,
      };
    default:
      return { ...overWs, staysMs: 4_000, leaves: 'half-open' };
  }
}

const TLS_HELLO = Buffer.from('16030100c8010000c40303', 'hex');
const BAD_UTF8 = Buffer.from('818200000000c328', 'hex');
const BAD_JSON = Buffer.from(clientFrame('{"type":'), 'hex');
/** It claims a gigabyte. */
const HUGE_WS = Buffer.from('81ff000000004000000000000000', 'hex');

function attack(nth: number, { http, lines, devices }: ChurnPorts): Visit {
  const ws = upgradeTo('/ws');
  const reset = { leaves: 'reset' } as const;
  switch (nth % 16) {
    case 0:
      return { ...reset, port: devices, says: randomBytes(1_000), staysMs: 500 };
    case 1:
      return { ...reset, port: devices, says: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', staysMs: 500 };
    case 2:
      return { ...reset, port: devices, says: TLS_HELLO, staysMs: 500 };
    case 3:
      return { port: devices, staysMs: 8_000, leaves: 'half-open' };
    case 4:
      return { ...reset, port: devices, says: register(nth).subarray(0, 20), staysMs: 5_000 };
    case 5:
      return { ...reset, port: devices, staysMs: 0 };
    case 6:
      return { ...reset, port: lines, says: randomBytes(2_000), staysMs: 1_000 };
    case 7:
      return { ...reset, port: lines, says: 'x'.repeat(70_000), staysMs: 1_000 };
    case 8:
      return { port: lines, staysMs: 8_000, leaves: 'half-open' };
    case 9:
      return { ...reset, port: http, says: randomBytes(500), staysMs: 500 };
    case 10:
      return { ...reset, port: http, says: ws.slice(0, 60), staysMs: 5_000 };
    case 11:
      return { ...reset, port: http, says: ws, staysMs: 600, goesOn: { everyMs: 100, says: () => BAD_JSON } };
    case 12:
      return { ...reset, port: http, says: ws, staysMs: 600, goesOn: { everyMs: 100, says: () => BAD_UTF8 } };
    case 13:
      return { ...reset, port: http, says: ws, staysMs: 900, goesOn: { everyMs: 200, says: () => HUGE_WS } };
    case 14:
      return {
        ...reset,
        port: http,
        says: 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(3),
        staysMs: 300,
      };
    default:
      return { ...reset, port: http, says: ws, staysMs: 600, goesOn: { everyMs: 5, says: () => PING_WS } };
  }
}

function visit(kind: PeerKind, nth: number, ports: ChurnPorts): Visit {
  switch (kind) {
    case 'devices':
      return deviceVisit(nth, ports.devices);
    case 'subscribers':
      return subscriberVisit(nth, ports);
    case 'attackers':
      return attack(nth, ports);
  }
}

setPriority(PRIORITY);
// It is started with one of them.
const kind = process.argv[2] as PeerKind;
const sockets = new ChurnSockets(MOST[kind]);

process.on('message', (order: PeerOrder) => {
  if (order.do === 'start') atRate(PER_SECOND[kind], (nth) => sockets.visit(visit(kind, nth, order.ports)));
  else process.send?.(sockets.counts satisfies PeerCounts);
});
process.on('disconnect', () => {
  sockets.close();
  process.exit();
});
