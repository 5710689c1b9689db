/** Who calls over HTTP, as a signed token says. */
export interface User {
  /** Claim `org`: a UUID in lower case. */
  readonly customer_id: string;
  /** Claim `sub`: any text, unique within the customer. */
  readonly id: string;
  /** Ids of teams: any text. */
  readonly teams: readonly string[];
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  /** Until when its token is taken (claim `exp` and some tolerance), in ms by this process's clock. */
  readonly expires_at: number;
}
