import type { BigIntStats } from 'node:fs';

/** Names one version of a file: another text behind the same path has another stamp, also where its size is the same. */
export type FileStamp = string;

export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileStamp {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
