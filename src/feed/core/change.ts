import type { DocumentOrigin } from '../../contract/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../../contract/wire/index.ts';
import type { Interest } from './topic-interest.ts';

/** Bytes of memory that a value takes, in their order of magnitude. */
export function roughSize(value: Json | undefined): number {
  if (typeof value === 'string') return 24 + value.length;
  if (Array.isArray(value)) {
    let size = 32;
    for (const item of value as readonly Json[]) size += roughSize(item);
    return size;
  }
  if (!isJsonObject(value)) return 16;
  let size = 48;
  for (const key in value) size += 16 + roughSize(value[key]);
  return size;
}

/** One topic with state; it stays when the topic is removed, because `seq` goes on. */
export interface Retained {
  readonly topic: string;
  readonly interest: Interest;
  /** Of the last change. */
  readonly rev: number;
  readonly seq: number;
  /** In which `seq` counts; absent: that of this feed. */
  readonly epoch?: string | undefined;
  /** Absent: the topic is removed, and this is its tombstone. */
  readonly document: JsonObject | undefined;
  /** It counted in another epoch at some time: a subscriber may know it under that. */
  readonly crosses?: boolean | undefined;
}

interface ChangeBase {
  readonly topic: string;
  readonly rev: number;
  readonly seq: number;
}

/** A document changed; without `patch` it is new, and only the whole of it can be sent. */
export interface StateChange extends ChangeBase {
  readonly kind: 'state';
  /** In which `seq` counts; absent: that of this feed. */
  readonly epoch?: string | undefined;
  readonly document: JsonObject;
  readonly patch?: { readonly prev: number; readonly body: JsonObject };
}

export interface Removal extends ChangeBase {
  readonly kind: 'removal';
  /** It counted in another epoch at some time. */
  readonly crosses?: boolean | undefined;
}

/** An event keeps its id when it is sent again, and no other event has it, before or after a restart. */
interface Identified extends ChangeBase {
  readonly id: string;
  /** As its owner counts it, and as subscribers get it; absent: this feed does. */
  readonly origin?: DocumentOrigin | undefined;
}

export interface EventChange extends Identified {
  readonly kind: 'event';
  readonly data: JsonObject;
}

/** Goes to all connected clients, whatever they subscribed to. */
export interface BroadcastChange extends Identified {
  readonly kind: 'broadcast';
  readonly from: string;
  readonly data: Json;
}

/** Events of a topic, from one `seq` to the `seq` of this, were lost before they came here. */
export interface Loss extends ChangeBase {
  readonly kind: 'loss';
  readonly fromSeq: number;
}

/** One step of the store; each has the next `rev`. */
export type Change = StateChange | Removal | EventChange | BroadcastChange | Loss;
