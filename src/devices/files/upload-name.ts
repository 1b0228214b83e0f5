/** What the name of a file in the spool says. */
export interface UploadName {
  readonly device: string;
  /** Whatever number the field of the message can hold, a negative one too. */
  readonly transfer: number;
}

const NAME = /^([A-Za-z0-9._-]{1,64})\.\d{8}T\d{9}Z-(-?\d{1,16})(?:-\d+)?\.bin$/;

/** Names are ours, never the device's. `attempt` counts from 1, for names that are taken. */
export function uploadName({ device, transfer }: UploadName, wallMs: number, attempt: number): string {
  const stamp = new Date(wallMs).toISOString().replace(/[-:.]/g, '');
  return `${device}.${stamp}-${transfer}${attempt === 1 ? '' : `-${attempt}`}.bin`;
}

/** Undefined where the file is not one of ours; it is left alone then. */
export function readUploadName(name: string): UploadName | undefined {
  const [, device, transfer] = NAME.exec(name) ?? [];
  return device === undefined ? undefined : { device, transfer: Number(transfer) };
}
