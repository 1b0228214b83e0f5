/** A terminal that a command may draw on and take keys from; `bin/` makes it. */
export interface Terminal {
  /** In characters; changes as people pull at the window. */
  size(): { readonly columns: number; readonly rows: number };
  /** Calls after every change of the size until the returned function is called. */
  onResize(callback: () => void): () => void;
  /**
   * Every key goes to `callback`, Ctrl-C too, and none is shown, until the returned function is called. Text may hold
   * several keys.
   */
  onKeys(callback: (text: string) => void): () => void;
  /** Puts the process to sleep as Ctrl-Z does, and calls once it goes on. */
  suspend(resumed: () => void): void;
}
