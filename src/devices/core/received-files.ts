import type { Instant } from '../../instant.ts';
import { bytesOf } from '../../protocol/declared/value.ts';
import type { DeclaredReply, DeclaredRequest } from '../../protocol/message.ts';
import { type ChunkMessage, chunkMessage } from './chunk-message.ts';
import { type Chunk, FileReceiver, type ReceiverLimits, type WholeFile } from './file-receiver.ts';
import type { MessageCatalog } from './message-catalog.ts';
import type { PartialUpload } from './partial-upload.ts';
import type { Effect } from './session-events.ts';

/** The error code with which a chunk is refused. */
const REFUSED = -1;

/** Files that one device sends: its chunks are stored one by one, and each is answered when it is safe. */
export class ReceivedFiles {
  readonly #message: ChunkMessage;
  readonly #receiver: FileReceiver;
  readonly #emit: (effect: Effect) => void;
  /** Chunks of the present link whose answer waits for the disk. */
  readonly #answers = new Map<number, DeclaredReply>();

  constructor(message: ChunkMessage, limits: ReceiverLimits, emit: (effect: Effect) => void) {
    this.#message = message;
    this.#receiver = new FileReceiver(limits);
    this.#emit = emit;
  }

  nextDeadline(): number {
    return this.#receiver.nextDeadline();
  }

  /** Goes on with files that an earlier run has stored the first chunks of. */
  restore(halves: readonly PartialUpload[], now: Instant): void {
    for (const half of halves) {
      if (!this.#receiver.restore(half, now.monoMs))
        this.#emit({ type: 'dropFile', transfer: half.transfer });
    }
  }

  /** Whether the message is a chunk, which is then dealt with. */
  takes(message: DeclaredRequest, now: Instant): boolean {
    if (message.message !== this.#message.name) return false;
    const chunk = chunkOf(message, this.#message);
    const answer = replyTo(message);
    const verdict = chunk === undefined ? undefined : this.#receiver.chunk(chunk, now.monoMs);
    if (chunk === undefined || verdict === undefined || verdict.do === 'refuse') {
      const why = verdict?.do === 'refuse' ? verdict.why : 'no chunk';
      const text = `a chunk of a file was refused: ${why}`;
      this.#emit({ type: 'log', level: 'warn', reason: 'transfer_refused', text });
      if (chunk !== undefined && verdict?.do === 'refuse' && verdict.givesUp === true) {
        this.#emit({ type: 'dropFile', transfer: chunk.transfer });
      }
      this.#emit({ type: 'send', message: { ...answer, error: REFUSED } });
    } else if (verdict.do === 'acknowledge') {
      this.#emit({ type: 'send', message: answer });
    } else if (verdict.do === 'store') {
      this.#answers.set(chunk.transfer, answer);
      const { do: _, index: _index, ...piece } = verdict;
      const said = chunk.whole === undefined ? {} : { whole: chunk.whole };
      this.#emit({ type: 'storeChunk', ...piece, data: chunk.data, ...said });
    } else {
      // It may have come over the link before this one, which took its answer with it.
      this.#answers.set(chunk.transfer, answer);
    }
    return true;
  }

  /** A chunk is on the disk, or could not be put there. */
  stored(transfer: number, ok: boolean, now: Instant): void {
    this.#receiver.stored(transfer, ok, now.monoMs);
    const answer = this.#answers.get(transfer);
    this.#answers.delete(transfer);
    if (answer !== undefined)
      this.#emit({ type: 'send', message: ok ? answer : { ...answer, error: REFUSED } });
  }

  /** Answers belong to the link of their question. */
  linkLost(): void {
    this.#answers.clear();
  }

  expire(now: Instant): void {
    for (const transfer of this.#receiver.expire(now.monoMs)) this.#emit({ type: 'dropFile', transfer });
  }
}

/** Undefined where the device sends no files, or nobody wants them. */
export function receivedFiles(
  messages: MessageCatalog | undefined,
  limits: ReceiverLimits | undefined,
  emit: (effect: Effect) => void,
): ReceivedFiles | undefined {
  const message = messages && chunkMessage(messages.declarations, 'device');
  return message === undefined || limits === undefined ? undefined : new ReceivedFiles(message, limits, emit);
}

function chunkOf({ fields }: DeclaredRequest, { saysSize, saysCrc }: ChunkMessage): Chunk | undefined {
  const { transfer, index, total, size, file_crc: crc32 } = fields;
  const data = bytesOf(fields.data);
  if (typeof transfer !== 'number' || typeof index !== 'number' || typeof total !== 'number')
    return undefined;
  const whole: WholeFile = {
    ...(saysSize && typeof size === 'number' ? { size } : {}),
    ...(saysCrc && typeof crc32 === 'number' ? { crc32 } : {}),
  };
  return data === undefined ? undefined : { transfer, index, total, data, whole };
}

function replyTo({ message, id }: DeclaredRequest): DeclaredReply {
  const reply = {
    name: 'declared',
    message,
    kind: 'reply',
    error: 0,
    fields: {},
    raw: {},
    issues: [],
  } as const;
  return id === undefined ? reply : { ...reply, id };
}
