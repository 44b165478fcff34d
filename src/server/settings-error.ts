/** A setting that cannot be used: one line that names the field and the fix. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly field: string;

  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`);
    this.field = field;
  }
}
