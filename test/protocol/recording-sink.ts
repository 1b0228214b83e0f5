import { decodePayload } from '../../src/protocol/codec.ts';
import type { DecoderFault, Discarded, FrameSink } from '../../src/protocol/decoder.ts';
import type { ProtocolDefinition } from '../../src/protocol/definition.ts';
import { hexText } from '../../src/protocol/describe.ts';
import type { InvalidPayload, Message } from '../../src/protocol/message.ts';

/** One line of text for one message, as the stream fixtures write it. */
export function summary(message: Message | InvalidPayload): string {
  switch (message.kind) {
    case 'unknown':
      return `unknown ${message.id} ${hexText(message.payload)}`;
    case 'request':
      return message.name === 'invalid' ? `invalid ${message.field}` : `${message.name} request`;
    case 'reply':
      return message.name === 'invalid'
        ? `invalid ${message.field}`
        : `${message.name} reply ${message.error}`;
    case 'echo':
      return `echo ${hexText(message.payload)}`;
    case 'notice':
      return `${message.name} notice`;
  }
}

/** Writes down what a decoder finds, and checks on the way that every frame stands where the contract says. */
export class RecordingSink implements FrameSink {
  readonly events: string[] = [];
  readonly messages: Array<Message | InvalidPayload> = [];
  readonly discards: Discarded[] = [];
  readonly faults: DecoderFault[] = [];
  /** Bytes of all frames, with their prefixes, and of all discards. */
  bytes = 0;
  readonly #definition: ProtocolDefinition;

  constructor(definition: ProtocolDefinition) {
    this.#definition = definition;
  }

  frame(bytes: Uint8Array, start: number, end: number): void {
    const message = decodePayload(this.#definition, bytes, start, end);
    if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(start - 4) !== end - start)
      throw new Error('the prefix does not stand before the payload');
    this.messages.push(message);
    this.events.push(summary(message));
    this.bytes += 4 + end - start;
  }

  discarded(report: Discarded): void {
    this.discards.push(report);
    this.events.push(`discarded ${report.count} ${report.reason}`);
    this.bytes += report.count;
  }

  fault(report: DecoderFault): void {
    this.faults.push(report);
    this.events.push(`fault ${report.reason}`);
  }
}
