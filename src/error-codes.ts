/** What a code means, and what to do about it. */
export type CodeText = { readonly meaning: string; readonly fix: string };

/** Every code that Heartwire reports; the tables of `docs/reference/errors.md` are made from it. */
export const ERROR_CODES = {
  bad_fault: {
    meaning: 'The simulator does not know a fault that was asked for, or the fault cannot have that value.',
    fix: 'Use one of the faults that `heartwire simulate --help` lists, with a value within its bounds.',
  },
  bad_argument: {
    meaning: 'A function of the library was called with a value that it cannot take.',
    fix: 'Read the message: it names the argument, the value and what is possible. The mistake is in the calling program.',
  },
  bad_declaration: {
    meaning: 'A declaration of messages contradicts itself, or refers to something that does not exist.',
    fix: 'Check the file with `heartwire check`, which says where.',
  },
  config_unreadable: {
    meaning: 'The configuration file could not be read.',
    fix: 'Check the path and its permissions, and that it is a regular file; `heartwire check FILE` names the file that was tried.',
  },
  config_invalid: {
    meaning: 'The configuration has one or more problems; each is listed with file, line and column.',
    fix: 'Run `heartwire check FILE` and fix the problems it lists, from the top.',
  },
  config_bad_duration: {
    meaning: 'A duration in the configuration has no unit, is not a duration, or is out of bounds.',
    fix: 'Write a number and a unit: `250ms`, `3s`, `15m`, `24h`.',
  },
  config_bad_key: {
    meaning: 'The file of a key for encryption could not be read, or holds no key.',
    fix: 'A key is 32 bytes in base64; make one with `heartwire key > FILE`.',
  },
  config_bad_link: {
    meaning: 'A link in the configuration could not be understood.',
    fix: 'Write `tcp:HOST:PORT`, `/dev/ttyUSB0`, `COM3` or `tcp-listen:HOST:PORT`; `docs/reference/links.md` has all forms.',
  },
  config_bad_type: {
    meaning: 'A value in the configuration is of another type than its key expects.',
    fix: 'Give a value of the type that the message names; the usual cause is a missing indentation.',
  },
  config_bad_value: {
    meaning: 'A value in the configuration is not a possible one.',
    fix: 'Use one of the values that the message lists.',
  },
  config_conflict: {
    meaning: 'Two parts of the configuration contradict each other.',
    fix: 'Keep the part that you mean and remove the other.',
  },
  config_duplicate_id: {
    meaning: 'Two devices of the configuration have the same id.',
    fix: 'Give each device an id of its own.',
  },
  config_duplicate_key: {
    meaning: 'A key of the configuration is given twice.',
    fix: 'Remove one of the two; YAML would silently keep only one.',
  },
  config_missing_key: {
    meaning: 'A required key is missing from the configuration.',
    fix: 'Add the key that the message names.',
  },
  config_reader_failed: {
    meaning: 'The configuration was not read again: the thread that reads it failed, or took too long.',
    fix: 'The bridge goes on with the configuration that it has. Check the size of the file and the free memory, then save the file again.',
  },
  config_insecure: {
    meaning: 'Every machine that reaches the bridge over the network could use it without a token.',
    fix: 'Add a token below `access:` (`heartwire token` makes one), serve 127.0.0.1 only, or spell out `insecure: true`; see `docs/reference/security.md`.',
  },
  config_key_unreadable: {
    meaning: 'The key that checks signed tokens could not be read, or the file holds no key.',
    fix: 'Check the path, the permissions and the kind of the file below `access.jwt`.',
  },
  config_no_effect: {
    meaning: 'A key of the configuration has no effect where it stands.',
    fix: 'Remove the key, or move it to where it counts; the message says where.',
  },
  config_not_registered: {
    meaning: 'A device of the protocol with a registration has no `register` in the configuration.',
    fix: 'Add `register: { appid: ..., imei: "..." }` to the device, or to `defaults`.',
  },
  config_overlap: {
    meaning: 'More than one device of the configuration matches the same peer.',
    fix: 'Make the `match` of one device narrower, so that a peer matches only one of them.',
  },
  config_syntax: {
    meaning: 'The configuration is not valid YAML.',
    fix: 'Fix the line that is named; YAML allows no tabs, and a text with a colon needs quotes.',
  },
  config_busy: {
    meaning: 'Another change of the configuration is being made.',
    fix: 'Ask again in a moment.',
  },
  config_changed: {
    meaning: 'The configuration is not the one of which the change was shown; nothing was written.',
    fix: 'Ask for the change again with `dry_run`, look at it, and send it with the new `base`.',
  },
  config_names_file: {
    meaning:
      'An entry that came over the feed names a file, or opens a place on this machine, that the configuration does not name already; nothing was written.',
    fix: 'Use `pack:NAME` or messages that the file names already, or add the entry to the file with an editor.',
  },
  config_not_a_file: {
    meaning: 'The bridge was not started from a configuration file, so there is none to be changed.',
    fix: 'Start it with `heartwire run FILE`.',
  },
  config_not_editable: {
    meaning:
      'The list in the configuration is written in a way to which no entry can be added by itself (all of the file in brackets, or the list behind an alias).',
    fix: 'Add the lines to the file with an editor.',
  },
  config_unwritable: {
    meaning: 'The configuration file could not be written; it is as it was.',
    fix: 'Let the user of the bridge write the file and its folder; a file that is mounted read-only, or by itself, is changed where it comes from.',
  },
  config_too_large: {
    meaning: 'The configuration is too large, or too deeply nested.',
    fix: 'Check that the file is the right one: `devices.yaml` has at most 4 MiB, a file of messages 1 MiB. Split a file that a program generates.',
  },
  config_unknown_key: {
    meaning: 'The configuration holds a key that does not exist in that place.',
    fix: 'Correct the spelling; the message names the nearest key that exists.',
  },
  config_unlikely: {
    meaning: 'A value of the configuration is possible, but probably a mistake.',
    fix: 'This is a warning: check the value, and leave it if it is right.',
  },
  config_unquoted: {
    meaning: 'A value of the configuration needs quotes, because YAML reads it as another type.',
    fix: 'Put it in double quotes, as in `imei: "869858030720693"`.',
  },
  decoder_reentered: {
    meaning: 'A frame decoder was fed from inside the sink that it was calling.',
    fix: 'Feed the decoder after its sink has returned. The mistake is in the calling program.',
  },
  bad_address: {
    meaning: 'A link address could not be understood.',
    fix: 'Write `tcp:HOST:PORT`, `/dev/ttyUSB0`, `COM3` or `tcp-listen:HOST:PORT`; the message names the part that is wrong.',
  },
  address_in_use: {
    meaning: 'Another program listens on this host and port.',
    fix: "Stop the other program, or choose another port (`--port`, or `server.port` and the listener's `link`).",
  },
  address_unavailable: {
    meaning: 'The host of a listening address does not belong to this machine.',
    fix: 'Use an address of this machine, or `0.0.0.0` for all of them.',
  },
  listen_failed: {
    meaning: 'The operating system refused to listen on an address.',
    fix: 'Read the detail; ports below 1024 need a privilege on most systems.',
  },
  connect_refused: {
    meaning: 'The host answered, but nothing listens on that port.',
    fix: 'Check that the device is switched on and that the port is right; Heartwire keeps trying.',
  },
  connect_timeout: {
    meaning: 'The host did not answer in time.',
    fix: 'Check cable, address and firewall; Heartwire keeps trying.',
  },
  connect_unreachable: {
    meaning: 'The network has no route to the host.',
    fix: "Check this machine's network and routes; Heartwire keeps trying.",
  },
  connect_failed: {
    meaning: 'The link could not be opened.',
    fix: 'Read the detail, which holds the message of the operating system; Heartwire keeps trying.',
  },
  host_unknown: {
    meaning: 'There is no host with that name.',
    fix: 'Check the spelling, add the name to the name server or the hosts file, or use the IP address.',
  },
  name_not_resolved: {
    meaning: 'No name server could give the address of a host name.',
    fix: 'Check the name servers of this machine (`/etc/resolv.conf`) and the way to them, or use the IP address. No connection was tried; Heartwire keeps trying.',
  },
  link_closed: {
    meaning: 'The other side closed the link.',
    fix: "Nothing, if the device was switched off or speaks in short connections; otherwise look at the device's own log.",
  },
  link_ended: {
    meaning: 'The bridge closed the link itself.',
    fix: 'Nothing: the reason stands beside it, in the state or in the log.',
  },
  link_reset: {
    meaning: 'The other side, or the network between, reset the link.',
    fix: 'Look for a device that restarted, or for a firewall that drops idle connections.',
  },
  link_error: {
    meaning: 'Reading from or writing to the link failed.',
    fix: 'Read the detail; on a serial line check the cable.',
  },
  link_not_open: {
    meaning: 'Bytes were sent over a link that is not open.',
    fix: 'Send when the device is `online`; nothing is queued for later.',
  },
  link_queue_full: {
    meaning:
      'More than 1,024 frames, or 16 MiB, wait to be written to the link; the other side does not read.',
    fix: 'Send less, or find out why the device does not read.',
  },
  com_port_refused: {
    meaning:
      'The serial server took the connection and does not set its line over it (RFC 2217): it refuses, does not answer, or closes.',
    fix: 'Switch RFC 2217 on for that port of the server; or write `tcp:HOST:PORT` with `line: serial` and set the line at the server itself.',
  },
  datagram_too_long: {
    meaning: 'A frame is longer than one datagram can be, and a link over UDP sends each frame in one.',
    fix: 'Send shorter frames (at most 65,507 bytes), or reach the device over TCP.',
  },
  expose_failed: {
    meaning: 'A place at which other programs may use the port of a device (`expose`) could not be made.',
    fix: 'Read the detail: the path of a pty must be free, and its folder be there. The device goes on without it; it is tried again every 5 s.',
  },
  accept_failed: {
    meaning: 'A peer that dialled in could not be accepted; the listener continues.',
    fix: 'Read the detail; the usual cause is the limit on open files (`ulimit -n`).',
  },
  open_file_limit: {
    meaning: 'The process has no file descriptor left; its limit on open files is too low.',
    fix: 'Raise the limit (`ulimit -n 65536`, or `LimitNOFILE=` in the service file).',
  },
  port_missing: {
    meaning: 'The serial port does not exist now.',
    fix: 'Plug the adapter in; `heartwire ports` lists the ports that exist. Heartwire keeps looking.',
  },
  port_ambiguous: {
    meaning: 'More than one serial port matches the selector.',
    fix: 'Name the port by `usb_serial` or `by_id`, which is different for each port; `heartwire ports` prints selectors to paste.',
  },
  port_permission: {
    meaning: 'This user may not open the serial port.',
    fix: 'On Linux: `sudo usermod -aG dialout $USER`, then log in again.',
  },
  port_busy: {
    meaning: 'Another device of the bridge, or another program, has the serial port open.',
    fix: 'Close the other program; `heartwire doctor` names it where the operating system reports which one it is.',
  },
  port_not_serial: {
    meaning: 'The path does not name a serial port.',
    fix: 'Correct the path; `heartwire ports` lists the serial ports.',
  },
  port_settings: {
    meaning: 'The driver does not support the requested line settings.',
    fix: 'Choose a baud rate and a parity that the adapter supports.',
  },
  pty_unavailable: {
    meaning: 'The system, or this installation, has no pseudo-terminals.',
    fix: 'They exist on Linux and macOS, with the optional package `@lydell/node-pty`.',
  },
  port_unplugged: {
    meaning: 'The serial port vanished while it was in use.',
    fix: 'Plug it in again; Heartwire finds it, also under another name if it is selected by its identity.',
  },
  port_failed: {
    meaning: 'The serial port could not be opened, or failed while it was in use.',
    fix: 'Read the detail, which holds the message of the driver; Heartwire keeps trying.',
  },
  serial_unavailable: {
    meaning: 'The native part of the serial library could not be loaded on this machine.',
    fix: 'Install again with `npm ci` on this machine; TCP devices work meanwhile.',
  },
  bridge_refused: {
    meaning: 'The bridge does not accept this connection or this request.',
    fix: 'Read the message, which holds the answer of the bridge; the usual cause is an Origin or a Host that the bridge does not allow.',
  },
  bridge_unreachable: {
    meaning: 'No bridge answers at this address.',
    fix: 'Start it with `heartwire run`, or name another one with `--url` or `HEARTWIRE_URL`. If the bridge went away before it answered, the device may have done what was requested: look at its state first.',
  },
  bad_request: {
    meaning: 'An HTTP request could not be understood, was too large, or did not arrive in time.',
    fix: 'Correct the request; `docs/reference/feed.md` describes the requests that the bridge answers.',
  },
  device_unknown: {
    meaning: 'No device has this name.',
    fix: 'Check the id; `GET /api/devices` lists the known devices.',
  },
  host_not_allowed: {
    meaning: 'The request names a host that does not belong to the bridge; this keeps foreign web pages out.',
    fix: 'Open the page by the address that `heartwire run` prints, or add the name to `server.hosts`.',
  },
  metrics_failed: {
    meaning: 'The metrics could not be collected.',
    fix: 'Report it with the message: this is a defect of Heartwire.',
  },
  method_not_allowed: {
    meaning: 'The HTTP method is not possible on this path.',
    fix: 'Use one of the methods in the `Allow` header of the answer.',
  },
  not_found: {
    meaning: 'There is nothing at this path.',
    fix: 'Check the path; `docs/reference/feed.md` lists the paths that exist.',
  },
  origin_not_allowed: {
    meaning: 'The web page that sent the request belongs to an origin that may not use the bridge.',
    fix: 'Add the origin (`https://host:port`) to `server.origins` if you trust that page.',
  },
  pack_unknown: {
    meaning: 'No pack of this name came with Heartwire, and none is installed beside the configuration.',
    fix: 'Use one of the packs that `heartwire packs` lists; another one is an npm package called `heartwire-pack-NAME`.',
  },
  pack_failed: {
    meaning: 'A pack is not as it says: a frame, a value or the output of a trace differs.',
    fix: 'Read the message: it names the file and what differs. For a pack that came with Heartwire, report it.',
  },
  page_unreadable: {
    meaning: 'The built-in page could not be read.',
    fix: 'Install Heartwire again: a file of the package is missing.',
  },
  proxy_not_trusted: {
    meaning: 'The request came through a proxy on this machine that the configuration does not name.',
    fix: 'Add the address of the proxy to `server.trusted_proxies`, so that its clients do not count as programs on this machine.',
  },
  too_many_connections: {
    meaning: 'One address holds too many connections to the bridge, or opens them too fast.',
    fix: 'Close some and come back after the seconds that `Retry-After` says, or raise `server.max_connections_per_address`.',
  },
  too_many_requests: {
    meaning: 'One address, or one token, sends more HTTP requests than the bridge answers.',
    fix: 'Ask again after the seconds that `Retry-After` says, ask less often, or follow the feed instead; or raise `server.max_requests_per_second`. Behind a proxy, name it in `server.trusted_proxies`, so that its clients are counted one by one.',
  },
  tls_unreadable: {
    meaning: 'The file of the certificate or of its key could not be read.',
    fix: 'Check the path in `server.tls` and that the user of the bridge may read the file. A pair that was served before still is.',
  },
  tls_invalid: {
    meaning: 'The file of the certificate, or of its key, holds nothing that can be served.',
    fix: 'Name PEM files; a key must not be locked with a passphrase. The bridge goes on serving the pair that it served before.',
  },
  tls_mismatch: {
    meaning: 'The key does not belong to the certificate.',
    fix: 'Name the two files of one certificate; its own certificate stands first in a file with a chain.',
  },
  tls_expired: {
    meaning: 'The certificate is not valid now, and browsers refuse it.',
    fix: 'Renew it (the new one is served without a restart), or check the clock of this machine.',
  },
  too_busy: {
    meaning: 'More connections arrive than the bridge accepts at once, or the bridge is stopping.',
    fix: 'Come back after the seconds that `Retry-After` says.',
  },
  forbidden: {
    meaning: 'The token does not allow this.',
    fix: 'Use a token with the role and the topics that the message names.',
  },
  token_in_address: {
    meaning: 'A token stood in the address of a request, where logs and histories keep it.',
    fix: 'Send it as `Authorization: Bearer`, as a subprotocol or as the first message, and replace the token: it may have been written down.',
  },
  too_many_tries: {
    meaning: 'Too many wrong tokens came from one address.',
    fix: 'Come back after the seconds that `Retry-After` says, with a valid token.',
  },
  unauthorized: {
    meaning: 'A token is needed, or the given one is not accepted.',
    fix: 'Send a valid token; `docs/reference/security.md` says how.',
  },
  upgrade_required: {
    meaning: 'The path is a WebSocket, and the request was a plain HTTP request.',
    fix: 'Connect with a WebSocket: `new WebSocket("ws://127.0.0.1:8080/ws")`.',
  },
  bad_field_value: {
    meaning: 'A message to send has an unknown field, or a value that its field cannot carry.',
    fix: 'The message names the field, its type and the given value.',
  },
  message_unknown: {
    meaning: 'A command names a message that cannot be sent.',
    fix: "Send `heartbeat`, `datetime`, or a message that the device's messages.yaml declares from the host.",
  },
  device_not_online: {
    meaning: 'A request was made to a device that is not online; nothing was sent.',
    fix: 'Wait for `status: online` and send again; nothing is queued for later.',
  },
  request_not_allowed: {
    meaning: 'The bridge sends this message itself; a client cannot request it.',
    fix: 'Nothing: the bridge registers by itself, as the configuration says.',
  },
  request_busy: {
    meaning:
      'A request is in flight on the link, or its late reply is still awaited, and its reply may look like the reply to this one.',
    fix: 'Wait for the answer to the earlier request; a device answers one at a time.',
  },
  request_timeout: {
    meaning: 'The device did not answer a request in time.',
    fix: 'Check that the device knows this request; the late reply is delivered as `late` if it still comes.',
  },
  request_rejected: {
    meaning: 'The device refused a request; the text names the reason that the device gave.',
    fix: 'Read the reason: an address that the device does not have, a value out of its range, or a device that is busy.',
  },
  request_expired: {
    meaning: 'The line was not free for a request before its time-out; the request was not sent.',
    fix: 'Poll less often, or give the command a longer time-out.',
  },
  invalid_reply: {
    meaning: 'The device answered a request with content that does not match the declaration.',
    fix: 'Look at the bytes in the message; the device may speak another version of the protocol.',
  },
  link_lost: {
    meaning: 'The link was lost while a request was in flight; it is not sent again.',
    fix: 'Send it again once the device is online, if the device may do it twice.',
  },
  trace_invalid: {
    meaning: 'A trace holds a line that is not valid; the message names file, line and column.',
    fix: 'Fix the line; `docs/reference/traces.md` describes the format. A recording whose checksum does not match was changed and should be made again.',
  },
  trace_unreadable: {
    meaning: 'A trace could not be read from the disk, or could not be unpacked.',
    fix: 'Check the path and its permissions; fetch a damaged `.gz` again.',
  },
  trace_unfit: {
    meaning: 'A trace does not say enough about its device to be replayed.',
    fix: 'Add what the message names to the `#meta` line of the trace.',
  },
  trace_ended: {
    meaning: 'A link that replays a trace has reached its end.',
    fix: 'Nothing: the trace begins again after the pause of the back-off.',
  },
  capture_invalid: {
    meaning: 'The file is not a capture that can be imported, or it is damaged.',
    fix: 'Read the message, which names the offset; capture again, and name the port with `--port`.',
  },
  recording_failed: {
    meaning:
      'The disk did not take the recording of a device; the bridge goes on, and tries again every minute.',
    fix: 'Free space, raise the limit on open files or change the permissions, as the detail says; recording goes on by itself, and a note in the trace says what is missing.',
  },
  recording_budget: {
    meaning:
      'The recordings use their whole budget on the disk, and no recording is left to remove for a new one.',
    fix: 'Raise `recording.budget_mb` or `recording.max_files`, or record fewer devices.',
  },
  recording_behind: {
    meaning: 'The disk is slower than the recording; the recording is interrupted.',
    fix: 'Record to a faster disk, or record fewer devices; the bridge tries again every minute.',
  },
  recording_off: {
    meaning: 'A note was made for a device that is not recorded, and of which nothing is kept for incidents.',
    fix: 'Record the device: `record: true` in its entry, or `heartwire run --record DIR`; or let the black box keep it (`black_box`).',
  },
  incident_not_saved: {
    meaning: 'The trace of an incident could not be written.',
    fix: 'Read the detail: the folder of `black_box.dir` needs room and write permission. What is kept in memory goes on.',
  },
  incident_budget: {
    meaning: 'The folder of the incidents is full, and nothing in it can be removed.',
    fix: 'Raise `black_box.disk_mb` or `black_box.max_files`.',
  },
  known_devices_unreadable: {
    meaning: 'The file of known devices could not be read, or its content is damaged.',
    fix: 'Look at the file that the log names; the bridge starts without it, and keeps a damaged file as `.broken`.',
  },
  known_devices_unwritable: {
    meaning: 'The file of known devices could not be written.',
    fix: 'Let the user of the bridge write into its folder, or set `known_devices.file` to another one; the bridge tries again every minute.',
  },
  history_off: {
    meaning: 'This bridge keeps no history.',
    fix: 'Remove `history: false` from devices.yaml, and start the bridge again.',
  },
  history_unavailable: {
    meaning:
      'The history cannot be kept or read now: this Node has no SQLite, its thread failed, or it is not open yet.',
    fix: 'Run Node 22.13 or later, or install the optional package `libsql`; the log says more.',
  },
  history_unwritable: {
    meaning: 'The folder or the file of the history could not be made, opened or written.',
    fix: 'Let the user of the bridge write there, or set `history.dir` to another folder; the bridge tries again every 30 s.',
  },
  history_disk_full: {
    meaning: 'The disk of the history is full; what comes meanwhile is lost to it, and shown as a gap.',
    fix: 'Free space, or lower `history.budget_mb`; the history goes on by itself.',
  },
  history_overrun: {
    meaning:
      'Values came faster than the disk takes them; some of them are not in the history, and shown as a gap.',
    fix: 'Put `history.dir` on a faster disk, or keep fewer values.',
  },
  history_locked: {
    meaning: 'Another process writes this history already.',
    fix: 'Stop the other bridge, or give each its own `history.dir`; the bridge tries again every 30 s.',
  },
  history_newer: {
    meaning: 'The history was written by a later version of Heartwire, and is left as it is.',
    fix: 'Run that version again, or set `history.dir` to another folder.',
  },
  history_damaged: {
    meaning: 'The file of the history was damaged. It was set aside, and a new one begun.',
    fix: 'Look at the disk; the file that the log names may be read with `sqlite3 FILE .recover`.',
  },
  history_busy: {
    meaning: 'Too many queries of the history wait already.',
    fix: 'Ask again after a few seconds, and for less at once.',
  },
  history_failed: {
    meaning:
      'The database of the history refused a write or a query; what was not written is shown as a gap.',
    fix: 'Look at the detail in the log; the history goes on with the next write.',
  },
  field_unknown: {
    meaning: 'The history knows no field of this name of the device.',
    fix: 'Ask `GET /api/history/devices?device=ID` which fields there are.',
  },
  too_many_new_devices: {
    meaning: 'One address makes more new devices known than it may.',
    fix: 'Find out what dials in there, or raise `max_new_per_minute`.',
  },
  link_replaced: {
    meaning: 'A newer link of the same device took over while a request was in flight.',
    fix: 'Send it again, if the device may do it twice.',
  },
  internal_error: {
    meaning:
      'Heartwire itself has a defect. Only the device or the connection that met it is affected; all others go on.',
    fix: 'Report it with the line of the log, whose `err.stack` says where, and with a recording of the device; the device is dialled again after a pause, and a subscriber may come back.',
  },
  file_not_written: {
    meaning: 'A file could not be written, or it exists already and must not be overwritten.',
    fix: 'Name another one, or check the folder, its permissions and the free space on the disk; `init --force` overwrites.',
  },
  file_not_stored: {
    meaning: 'A piece of a file that a device sent could not be written to the disk.',
    fix: 'Check the folder `files.dir`, its permissions, the free space on its disk, and `files.budget_mb`, `files.max_files` and `files.device_share`; the device got error -1.',
  },
  output_unreachable: {
    meaning: 'The other side of an output does not answer, or ended the connection.',
    fix: 'Check the address and whether the service runs; what waits is sent once it answers, within the bound of the buffer.',
  },
  output_refused: {
    meaning: 'The other side of an output refused what was sent, or the login.',
    fix: 'Read the detail in `bridge/status`: check the token or the password, the bucket, and the rights.',
  },
  output_buffer_unusable: {
    meaning:
      'What waits for an output could not be written to or read from its folder on the disk; it waits in memory meanwhile.',
    fix: 'Make room on the disk, or check the folder `buffer_dir` and its permissions; it is tried again.',
  },
  output_buffer_full: {
    meaning:
      'More waits for an output than its buffer holds, because its other side is away or slow; the oldest were dropped and counted.',
    fix: 'Bring the other side back, or give the buffer more room: `buffer_mb`, `buffer_dir` and `disk_mb` of `influx`.',
  },
  output_secret_unreadable: {
    meaning: 'The file of a password, a token, a secret or a certificate of an output could not be read.',
    fix: 'Check the path, which counts from the configuration file, and the permissions.',
  },
  backplane_lost: {
    meaning: 'The server that the instances share does not answer; what other instances say is not known.',
    fix: 'Check `backplane.url`, and whether Redis or Valkey runs; all goes on by itself once it answers.',
  },
  backplane_refused: {
    meaning: 'The server that the instances share refuses what it is asked for.',
    fix: 'Read the detail in `bridge/status`: check the password and the rights of the user, and the memory of the server.',
  },
  backplane_unsuited: {
    meaning: 'The server that the instances share is too old, is a cluster, or may throw away what it holds.',
    fix: 'Take Redis 7 or later or Valkey, without cluster mode, with `maxmemory-policy noeviction` and room for all devices.',
  },
  owner_lost: {
    meaning: 'The instance that had the device is gone, and no other one has it yet.',
    fix: 'Start that instance again, or add the device to the configuration of another one.',
  },
  outcome_unknown: {
    meaning: 'The instance that has the device did not answer after the command was sent to it.',
    fix: 'Look at the values of the device: it may have carried out the command. It is not sent again by itself.',
  },
  instance_superseded: {
    meaning: 'Another process runs under the name of this instance, and has its devices.',
    fix: 'Give every instance a name of its own in `backplane.instance`, and start this one again.',
  },
  wrong_device: {
    meaning: 'A frame of a device came over a bus, and that device was not asked.',
    fix: 'Look for two devices with one address, a device that speaks unasked, or a second host on the line; `buses/<id>/state` counts such frames.',
  },
  transfer_refused: {
    meaning: 'The device refused a chunk of a file.',
    fix: 'Its error code says why; check that the file is meant for this device.',
  },
  transfer_stalled: {
    meaning: 'No chunk of a file was acknowledged for too long; the transfer was aborted.',
    fix: "Look at the device's state, then send the file again.",
  },
} as const satisfies Readonly<Record<string, CodeText>>;

/** A stable, documented code. */
export type ErrorCode = keyof typeof ERROR_CODES;
