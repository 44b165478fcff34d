/** The etcd API level spoken here, as Status and /version report it. Not our own version. */
export const API_VERSION = '3.6.0';

/** The layout of a checkpoint, as Status reports it. */
export const STORAGE_VERSION = '3.6.0';
