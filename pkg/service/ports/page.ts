/** Newest first by (tm_create, id), starting after the token's place. */
export interface Page {
  /** 1 to 1,000 */
  readonly size: number;
  /**
   * Token of the last item seen; absent: from the newest. `tm_create` alone means: strictly older than that;
   * with an id behind a `~` the order of ids decides between items of that time.
   */
  readonly after?: { readonly tm_create: string; readonly id?: string };
}
