/** A piece of the page. */
export interface View {
  /** What stands on the page. */
  readonly element: HTMLElement;
  /** Shows the present state; called after every change. */
  update?(): void;
  /** Called when the piece is taken off the page. */
  stop?(): void;
}
