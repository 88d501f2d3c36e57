/** Tells listeners that something has changed; they look for themselves what. */
export class Emitter {
  readonly #listeners = new Set<() => void>();

  /** Calls `listener` after every change until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells everybody. */
  protected changed(): void {
    for (const listener of [...this.#listeners]) {
      listener();
    }
  }
}
