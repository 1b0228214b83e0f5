/** Who a device says it is: by the built-in register, or by the login of its own messages. */
export interface Identity {
  readonly appid?: string;
  readonly imei?: string;
  /** What its login says, as text. */
  readonly identity?: string;
}

/** The one text that names a device. */
export const identityText = ({ identity, imei }: Identity): string => identity ?? imei ?? '';
