/** Every code that Heartwire reports, with its meaning; `docs/errors.md` lists the same codes, and a test keeps them equal. */
export const ERROR_CODES = {
  bad_fault: 'A fault that the simulator was asked for is not known, or its value is not possible.',
  bad_argument: 'A function of the library was called with a value that it cannot take.',
  bad_declaration: 'A declaration of messages contradicts itself, or asks for what does not exist.',
  config_unreadable: 'The configuration file could not be read.',
  config_invalid: 'The configuration has one or more problems; each is listed with file, line and column.',
  config_bad_duration: 'A duration in the configuration has no unit, is none, or is out of bounds.',
  config_bad_key: 'The file of a key for encryption could not be read, or holds no key.',
  config_bad_link: 'A link in the configuration could not be understood.',
  config_bad_type: 'The configuration holds another kind of value than is expected at that place.',
  config_bad_value: 'A value in the configuration is not one of those that are possible.',
  config_conflict: 'Two parts of the configuration contradict each other.',
  config_duplicate_id: 'Two devices of the configuration have the same id.',
  config_duplicate_key: 'A key of the configuration is given twice.',
  config_missing_key: 'A key that is needed is missing from the configuration.',
  config_reader_failed:
    'The configuration was not read again: the thread that reads it failed, or took too long.',
  config_insecure: 'Whoever reaches the bridge over the network could use it without a token.',
  config_key_unreadable: 'The key with which signed tokens are checked could not be read, or is none.',
  config_no_effect: 'A key of the configuration has no effect where it stands.',
  config_not_registered: 'A device that we register with has no `register` in the configuration.',
  config_overlap: 'More than one device of the configuration matches the same peer.',
  config_syntax: 'The configuration is no valid YAML.',
  config_too_large: 'The configuration is too large, or too deeply nested, to be one.',
  config_unknown_key: 'The configuration holds a key that does not exist at that place.',
  config_unlikely: 'A value of the configuration is possible and probably a mistake.',
  config_unquoted: 'A value of the configuration needs quotes, because YAML takes it for something else.',
  decoder_reentered: 'A frame decoder was fed from within the sink that it was calling.',
  bad_address: 'A link address could not be understood.',
  address_in_use: 'Another program listens on this host and port.',
  address_unavailable: 'The host of a listening address does not belong to this machine.',
  listen_failed: 'The operating system refused to listen on an address.',
  connect_refused: 'The host answered, but nothing listens on that port.',
  connect_timeout: 'The host did not answer in time.',
  connect_unreachable: 'The network has no way to the host.',
  connect_failed: 'The link could not be opened.',
  host_unknown: 'There is no host of that name.',
  name_not_resolved: 'No name server could say which address a host name has.',
  link_closed: 'The other side closed the link.',
  link_ended: 'We closed the link ourselves.',
  link_reset: 'The other side, or the network between, reset the link.',
  link_error: 'Reading from or writing to the link failed.',
  link_not_open: 'Bytes were to be sent over a link that is not open.',
  link_queue_full:
    'More than 1,024 frames, or 16 MiB, wait to be written to the link; the other side does not read.',
  accept_failed: 'A peer that dialled in could not be accepted; the listener goes on.',
  open_file_limit: 'The process has no file descriptor left; its limit on open files is too low.',
  port_missing: 'There is no such serial port now.',
  port_ambiguous: 'More than one serial port fits the selector.',
  port_permission: 'This user may not open the serial port.',
  port_busy: 'The serial port is held by another device of the bridge or by another program.',
  port_not_serial: 'What the path names is not a serial port.',
  port_settings: 'The driver does not support the line settings asked for.',
  pty_unavailable: 'The system, or this installation, has no pseudo-terminals.',
  port_unplugged: 'The serial port vanished while it was in use.',
  port_failed: 'The serial port could not be opened, or failed while it was in use.',
  serial_unavailable: 'The native part of the serial library could not be loaded on this machine.',
  bridge_refused: 'The bridge does not accept this connection or what it asks for.',
  bridge_unreachable: 'No bridge answers at this address.',
  bad_request: 'An HTTP request could not be understood, was too large, or did not arrive in time.',
  device_unknown: 'No device is known by this name.',
  host_not_allowed: 'The request names a host that is not one of ours; this keeps foreign web pages out.',
  metrics_failed: 'The metrics could not be put together.',
  method_not_allowed: 'The HTTP method is not possible on this path.',
  not_found: 'There is nothing at this path.',
  origin_not_allowed: 'The web page that sent the request belongs to an origin that may not use the bridge.',
  page_unreadable: 'The built-in page could not be read.',
  proxy_not_trusted: 'The request came through a proxy on this machine that the configuration does not name.',
  too_many_connections: 'One address holds too many connections to the bridge, or opens them too fast.',
  too_many_requests: 'One address, or one token, sends more HTTP requests than the bridge answers.',
  tls_unreadable: 'The file of the certificate or of its key could not be read.',
  tls_invalid: 'The file of the certificate or of its key holds none that can be served.',
  tls_mismatch: 'The key does not belong to the certificate.',
  tls_expired: 'The certificate is not valid at this time, and browsers refuse it.',
  too_busy: 'More connections come than the bridge takes in at once, or it is being stopped.',
  forbidden: 'The token does not allow this.',
  token_in_address: 'A token stood in the address of a request, where logs and histories keep it.',
  too_many_tries: 'Too many wrong tokens came from one address.',
  unauthorized: 'A token is needed, or the one that came is not accepted.',
  upgrade_required: 'The path is a WebSocket, and the request was a plain one.',
  bad_field_value:
    'A message was to be sent with a field that it has not, or with a value that its field cannot carry.',
  message_unknown: 'A command names a message that cannot be sent.',
  device_not_online: 'A request was made of a device that is not online; nothing was sent.',
  request_not_allowed: 'This message is sent by the bridge itself and can not be asked for.',
  request_busy:
    'A request is in flight on the link, or its late reply is still awaited, and its reply may look like that to this one.',
  request_timeout: 'The device did not answer a request in time.',
  request_rejected: 'The device refused a request, with a reason of its own that the text names.',
  request_expired: 'The line was not free for a request before its time was up; it was not sent.',
  invalid_reply: 'The device answered a request with content that is not as declared.',
  link_lost: 'The link was lost while a request was in flight; it is not sent again.',
  trace_invalid: 'A trace holds a line that is none; the message names file, line and column.',
  trace_unreadable: 'A trace could not be read from the disk, or could not be unpacked.',
  trace_unfit: 'A trace does not say enough of its device to be replayed.',
  trace_ended: 'A link that replays a trace has come to its end.',
  capture_invalid: 'A capture is none that can be imported, or is damaged.',
  recording_failed:
    'The disk did not take the recording of a device; it is tried again every minute, and the bridge goes on.',
  recording_budget:
    'The recordings fill their budget on the disk, and none is left to be removed for one more.',
  recording_behind: 'The disk is slower than what is to be recorded; the recording is interrupted.',
  recording_off: 'A note was made for a device that is not recorded.',
  known_devices_unreadable: 'The file of known devices could not be read, or is not as it was written.',
  known_devices_unwritable: 'The file of known devices could not be written.',
  too_many_new_devices: 'One address makes known more new devices than it may.',
  link_replaced: 'A newer link of the same device took over while a request was in flight.',
  internal_error:
    'A defect of Heartwire itself showed. Only the device or the connection with which it showed is affected; all others go on.',
  file_not_written: 'A file could not be written, or is there already and was not to be overwritten.',
  file_not_stored: 'A piece of a file that a device sent could not be written to the disk.',
  transfer_refused: 'The device refused a chunk of a file.',
  transfer_stalled: 'No chunk of a file was acknowledged for too long; the transfer was given up.',
} as const;

/** A stable, documented code. */
export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** The device concerned. */
  readonly device?: string;
  /** The offending value, as it was seen. */
  readonly seen?: string;
  /** What to do next: one sentence. */
  readonly fix?: string;
  readonly cause?: unknown;
}

/** An error with a code for programs and a message that names what was seen and what to do for people. */
export class HeartwireError extends Error {
  readonly code: ErrorCode;
  readonly device: string | undefined;
  readonly seen: string | undefined;
  readonly fix: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'HeartwireError';
    this.code = code;
    this.device = details.device;
    this.seen = details.seen;
    this.fix = details.fix;
  }
}
