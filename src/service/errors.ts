/** Placeholder of shape; completed with the table of all errors. */
export interface ServiceError {
  /** gRPC status code number. */
  readonly code: number;
  /** etcd's exact text. */
  readonly message: string;
  /** true: the request certainly had no effect. */
  readonly definite: boolean;
}
