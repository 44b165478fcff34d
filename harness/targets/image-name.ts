/** Names of container images, as `--target etcd:IMAGE` has them. */

const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const HOST = '[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\\d+)?/';
const NAME = new RegExp(
  `^(?:${HOST})?${PART}(?:/${PART})*(?::[\\w][\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
);

/** Whether a daemon could have an image of that name; a path that begins with `/` or `.` it is not. */
export function isImageName(text: string): boolean {
  return text.length <= 400 && NAME.test(text);
}
