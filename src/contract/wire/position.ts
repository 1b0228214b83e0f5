/** How far a feed has been followed: the last `rev` by the `epoch` of its publisher. */
export type Position = Readonly<Record<string, number>>;
