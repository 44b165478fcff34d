/** Stormraft's own version, as in package.json; the API level is service/api-version.ts. */
export const SERVER_VERSION = '0.3.0';
