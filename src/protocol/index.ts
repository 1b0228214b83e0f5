export { type BuiltinOptions, builtinMessages, builtinProtocol } from './builtin.ts';
export { decodePayload, encodeFrame } from './codec.ts';
export { CHECKSUM_NAMES, findChecksum } from './crc/catalogue.ts';
export { type Checksum, checksumOf, type WideChecksum, wideChecksumOf } from './crc/checksum.ts';
export { CRC_64_XZ } from './crc/models.ts';
export { CHECKSUM_PARAMETERS, type ChecksumAlgorithm } from './crc/parameters.ts';
export { makeWideCrc } from './crc/wide-crc.ts';
export { ADDRESS_KEYS, type AddressDeclaration } from './declared/address-declaration.ts';
export { parseAddress } from './declared/address-field.ts';
export { type AnswerPorts, valueIn } from './declared/answers.ts';
export { Assembler } from './declared/assembler.ts';
export { bcdSize } from './declared/bcd.ts';
export { parseBits } from './declared/bit-range.ts';
export {
  builtinDeclaration,
  clashWithBuiltin,
  IDENTITY_LENGTHS,
  IDENTITY_RULES,
  type IdentityRule,
  LONGEST_BUILTIN,
  withBuiltin,
} from './declared/builtin.ts';
export { parseOffset } from './declared/clock-time.ts';
export { compileField, isColumn, takesRest } from './declared/compile-fields.ts';
export { splitReference } from './declared/condition.ts';
export {
  type BitDeclaration,
  type Condition,
  type ConfirmDeclaration,
  DEFAULT_PROTOCOL,
  type EnumDeclaration,
  type Extent,
  type ExtentElsewhere,
  FIELD_KEYS,
  type FieldDeclaration,
  type HeldRegister,
  type IdDeclaration,
  MESSAGE_KEYS,
  type MessageDeclaration,
  type ProtocolDeclaration,
  type Range,
  REPLY_KEYS,
  type ScaleDeclaration,
  type SelectorPart,
  type Sender,
  type SplitDeclaration,
  type TextEncoding,
} from './declared/declaration.ts';
export { DeclaredProtocol, type Inspection } from './declared/declared-protocol.ts';
export { enumNames } from './declared/enum-names.ts';
export { parseEpoch } from './declared/epoch.ts';
export { countedIn, fieldsWithin } from './declared/field-references.ts';
export { holdsOf } from './declared/field-types.ts';
export { type DeclarationFinding, Findings, lintName } from './declared/finding.ts';
export { partOf } from './declared/framing-parts.ts';
export { HELLO, HelloCodec } from './declared/hello.ts';
export { lintProtocol } from './declared/lint.ts';
export type { Form } from './declared/message-form.ts';
export { type NumberType, parseNumberType, parseWhole } from './declared/number-type.ts';
export { payloadJudge } from './declared/payload-judge.ts';
export { prepareRequest, type RequestRefusal } from './declared/prepare-request.ts';
export { marginOf } from './declared/quantity.ts';
export { type FieldTrace, Reading } from './declared/reading.ts';
export { SequenceRule } from './declared/sequence.ts';
export {
  ANSWER_KEYS,
  type AnswerDeclaration,
  type ExchangeDeclaration,
  PROTOCOL_KEYS,
} from './declared/session-declaration.ts';
export { sizingScope } from './declared/sizing.ts';
export { isSplit } from './declared/split.ts';
export { unitOf } from './declared/text-code.ts';
export { bytesOf, bytesOfHex, bytesValue, type FieldIssue, ownValue } from './declared/value.ts';
export {
  type DecoderFault,
  type Discarded,
  type DiscardReason,
  type FaultReason,
  type FrameDecoder,
  type FrameSink,
  type LineRemark,
  SAMPLE_BYTES,
} from './decoder.ts';
export { ProtocolDefinition } from './definition.ts';
export { hexExcerpt, hexText, quotedText } from './describe.ts';
export { agrees, type Expectation, type ExpectedReply } from './expectation.ts';
export { PREFIX_BYTES } from './frame.ts';
export { type ByteOrder, writeUnsigned } from './framing/byte-order.ts';
export { checkFraming } from './framing/check-framing.ts';
export {
  FRAMING_TYPES,
  FRAMINGS,
  type FramingDeclaration,
  type FramingKind,
  type FramingName,
  framingType,
  type SingleFraming,
} from './framing/declaration.ts';
export type { Framing, FramingOptions, PayloadJudge } from './framing/framing.ts';
export { DEFAULT_MAX_FRAME } from './framing/framing-keys.ts';
export type { FrameLocation } from './framing/locate.ts';
export { isStandardFraming, makeFraming } from './framing/make-framing.ts';
export type { Declared, Key, KeyTable } from './keys.ts';
export { LineDecoder } from './line-decoder.ts';
export { LinearBuffer } from './linear-buffer.ts';
export type {
  BuiltinMessage,
  DatetimeReply,
  DatetimeRequest,
  DeclaredMessage,
  DeclaredNotice,
  DeclaredReply,
  DeclaredRequest,
  EchoedMessage,
  HeartbeatReply,
  HeartbeatRequest,
  InvalidPayload,
  Message,
  RegisterReply,
  RegisterRequest,
  RequestName,
  UnknownMessage,
} from './message.ts';
export { compileMap, isFramed } from './registers/compile-map.ts';
export {
  MAP_KEYS,
  MODBUS_PROTOCOLS,
  MOST_OF_A_MAP,
  type ModbusProtocol,
  REGISTER_KEYS,
  type RegisterDeclaration,
  type RegisterMap,
} from './registers/declaration.ts';
export { placeRegisters } from './registers/place.ts';
export { StreamDecoder } from './stream-decoder.ts';
export { TelnetWatch } from './telnet-watch.ts';
export { luhnValid } from './text-checks.ts';
