/** Who calls, and under which conditions: what a front end knows besides the request. */
export interface Caller {
  /** Of the metadata `token`, or `authorization` without its "Bearer ". */
  readonly token: string | undefined;
  /** Of a client certificate that was verified; never of requests through the JSON gateway. */
  readonly commonName: string | undefined;
  /** Metadata `hasleader: true`: refused, and streams cut, while no leader is known. */
  readonly requireLeader: boolean;
}

/** Nobody in particular: all there is while authentication is off. */
export const ANONYMOUS: Caller = {
  token: undefined,
  commonName: undefined,
  requireLeader: false,
};
