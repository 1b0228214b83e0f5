import type { CodeText } from '../../errors.ts';

/** What stands as a `reason` in the state of a device, or as a code in the log, beside the codes of errors. */
export const DEVICE_REASONS = {
  silent: {
    meaning: 'No valid frame came for too long.',
    fix: 'Check device and cable; the bridge opens the link again by itself.',
  },
  bridge_restarted: {
    meaning: 'The device was known before the bridge restarted, and has not come back since.',
    fix: 'Check the device if other devices are back.',
  },
  overdue: {
    meaning: 'A device with `presence` did not report in time.',
    fix: 'Check the device, or make `presence.every` longer.',
  },
  register_timeout: {
    meaning: 'The device did not answer the registration.',
    fix: 'Check that it speaks this protocol, and on a serial line the baud rate.',
  },
  register_refused: {
    meaning: 'The device answered the registration with an error.',
    fix: 'Check `register` in the configuration; the detail carries the error code.',
  },
  echo: {
    meaning:
      'The registration, the heartbeats or the polls of the bridge came back, several in a row: a loopback plug, or an adapter that echoes.',
    fix: 'Remove the plug, or switch off the echo of the adapter.',
  },
  bad_frame: {
    meaning: 'A header came that no frame can have; the detail shows it.',
    fix: 'Check the port number: something else may be listening there.',
  },
  telnet: {
    meaning: 'The other side speaks telnet: it negotiates, or doubles every ff byte.',
    fix: 'Set the port of the serial server to raw TCP, without telnet and without RFC 2217.',
  },
  wrong_delimiter: {
    meaning: 'The first lines of a link end with other bytes than the declared delimiter.',
    fix: 'Write those bytes as `delimiter` of the framing; the detail shows them.',
  },
  frame_stalled: {
    meaning: 'A frame began and did not continue for 30 s.',
    fix: 'Check the device, and the network in between.',
  },
  invalid_message: {
    meaning: 'A frame of the right length does not match the declaration.',
    fix: 'Look at the detail; the device may speak another version of the protocol.',
  },
  identity_changed: {
    meaning: 'A device registered or logged in on one link under a second identity.',
    fix: 'Check the device; one link belongs to one identity.',
  },
  answer_not_made: {
    meaning: 'In the log: an answer that the messages declare could not be made of the message that came.',
    fix: 'Compare the fields that `copy` and `set` name with those of the answer.',
  },
  link_handed_on: {
    meaning:
      'A device that was known by its address registered; its link now belongs to the device with that identity.',
    fix: 'Nothing; a device named `addr-<ip>` is forgotten after `forget`.',
  },
  duplicate_identity: {
    meaning: 'Several devices claim one identity: three takeovers within 60 s.',
    fix: 'Give each device an IMEI of its own; the present link is kept for 60 s.',
  },
  takeover_refused: {
    meaning:
      'In the log: a newer link claimed the identity of a device whose present link is held, or answered when it was asked.',
    fix: 'Give each device an IMEI of its own; a device that moved is taken over once its old link is silent.',
  },
  imei_checksum: {
    meaning: 'A warning: the last digit of the IMEI does not match the others.',
    fix: 'Check the IMEI for a typing error; it is used as it is.',
  },
  stopped: {
    meaning: 'The bridge stopped this device.',
    fix: 'Nothing: start the bridge again when the device is needed.',
  },
  reconfigured: {
    meaning: 'The configuration of the device changed, and the device starts again.',
    fix: 'Nothing: it is dialled, or comes back, at once.',
  },
  moved: {
    meaning: 'Another instance has the device now.',
    fix: 'Nothing: its state comes from there.',
  },
  removed: {
    meaning: 'The device was removed from the configuration.',
    fix: 'Nothing: add it to `devices` again when it is needed.',
  },
  seal_failed: {
    meaning: 'A message of the device could not be encrypted, and was not published.',
    fix: 'Read the message in the log; check the file of the key.',
  },
  seal_overrun: {
    meaning:
      'Events came faster than they could be encrypted; an event on their topic says how many were lost.',
    fix: 'Encrypt fewer topics, or request less from the device.',
  },
  config_reloaded: {
    meaning: 'A new version of the configuration runs; the message says what changed.',
    fix: 'Nothing: the reload succeeded.',
  },
  config_rejected: {
    meaning:
      'The file was read again and cannot be used; the bridge goes on with the configuration that it has.',
    fix: 'Fix the problems in the lines before it; the file is read again when it changes.',
  },
  config_needs_restart: {
    meaning: 'A key of the file changed that is read only at the start.',
    fix: 'Restart the bridge at a convenient time.',
  },
  refused: {
    meaning: 'A link without a known identity was refused.',
    fix: 'Read the detail, and `listeners` in the configuration.',
  },
  device_refused: {
    meaning: 'A device that dialled in is not allowed.',
    fix: 'Add it to `devices` with a `match`, or set `unknown: accept`.',
  },
  connection_refused: {
    meaning: 'The listener has as many connections as it may, and accepts no more.',
    fix: 'Raise `max_connections`, or find out which hosts open them.',
  },
  discarded: {
    meaning: 'Bytes belong to no frame; the log shows the first of them.',
    fix: 'On a serial line check baud rate and cable; a few bytes at the start are normal.',
  },
} as const satisfies Readonly<Record<string, CodeText>>;
