import { open, stat } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';
import type { SessionRole } from '../contract/index.ts';
import { HeartwireError } from '../errors.ts';
import { parseLinkAddress } from '../links/index.ts';
import { type TraceHead, TraceParser } from '../trace/index.ts';
import { isKeyed } from './yaml-source.ts';

/** The roles in which traces were recorded, by the path in `replay:PATH`; one that does not say it is absent. */
export type TraceRoles = ReadonlyMap<string, SessionRole>;

/** A head is far shorter. */
const HEAD_BYTES = 64 * 1_024;

/** Looks into the traces that a configuration names as links of its devices. */
export async function readTraceRoles(document: unknown): Promise<TraceRoles> {
  const roles = new Map<string, SessionRole>();
  for (const path of namedTraces(document)) {
    const role = (await readHead(path))?.meta.role;
    if (role === 'client' || role === 'server') roles.set(path, role);
  }
  return roles;
}

function namedTraces(document: unknown): ReadonlySet<string> {
  const paths = new Set<string>();
  const devices = isKeyed(document) && Array.isArray(document.devices) ? document.devices : [];
  for (const link of devices.flatMap((each) => (isKeyed(each) ? [each.link].flat() : []))) {
    const parsed = typeof link === 'string' ? parseLinkAddress(link) : undefined;
    if (parsed?.ok && parsed.value.scheme === 'replay') paths.add(parsed.value.path);
  }
  return paths;
}

/** The head of a trace; undefined where there is none, which the link reports when it is dialled. */
async function readHead(path: string): Promise<TraceHead | undefined> {
  let head: TraceHead | undefined;
  const parser = new TraceParser(path, {
    head: (of) => {
      head = of;
    },
    event: () => undefined,
    warning: () => undefined,
  });
  try {
    const bytes = await beginning(path);
    if (bytes === undefined) return undefined;
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    parser.push(packed ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes);
    parser.finish(true);
  } catch (error) {
    // Missing, closed to us, or no trace; what is wrong behind the head does not matter here.
    const expected = error instanceof HeartwireError || (error instanceof Error && 'code' in error);
    if (!expected) throw error;
  }
  return head;
}

/** Undefined for what is no plain file: what is read from a pipe is gone from it. */
async function beginning(path: string): Promise<Uint8Array | undefined> {
  if (!(await stat(path)).isFile()) return undefined;
  await using file = await open(path, 'r');
  const buffer = Buffer.alloc(HEAD_BYTES);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
  return buffer.subarray(0, bytesRead);
}
