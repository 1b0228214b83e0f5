/** A TCP peer; `host` without brackets. */
export interface TcpAddress {
  readonly scheme: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** How a serial port is found: by path, or by what stays the same when it is plugged in again; never by index. */
export type SerialSelector =
  | { readonly by: 'path'; readonly path: string }
  /** USB vendor and product id, four lower-case hex digits each. */
  | { readonly by: 'usb'; readonly vendorId: string; readonly productId: string }
  | { readonly by: 'usb_serial'; readonly serialNumber: string }
  /** A name below `/dev/serial/by-id/`. */
  | { readonly by: 'by_id'; readonly name: string };

export interface SerialSettings {
  readonly baud: number;
  readonly dataBits: 5 | 6 | 7 | 8;
  readonly stopBits: 1 | 1.5 | 2;
  readonly parity: 'none' | 'even' | 'odd' | 'mark' | 'space';
  readonly rtscts: boolean;
  readonly xon: boolean;
  readonly xoff: boolean;
  /** Modem lines set when the port is opened; absent: left as they are. */
  readonly dtr?: boolean;
  readonly rts?: boolean;
  /** Drop the modem lines when the port is closed. */
  readonly hupcl: boolean;
}

/** A serial port and how it is spoken to. */
export interface SerialAddress {
  readonly scheme: 'serial';
  readonly port: SerialSelector;
  readonly settings: SerialSettings;
}

/** A listening TCP address; port 0 takes any free one. */
export interface ListenAddress {
  readonly scheme: 'tcp-listen';
  readonly host: string;
  readonly port: number;
}

/** A trace that is played as if it were a device. */
export interface ReplayAddress {
  readonly scheme: 'replay';
  readonly path: string;
  /** How many times as fast as it was. */
  readonly speed: number;
}

/** What a device can be dialled by. */
export type LinkAddress = TcpAddress | SerialAddress | ReplayAddress;
