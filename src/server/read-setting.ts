import { FLAGS, type FlagName, type FlagValues } from './flags.ts';
import { parseGoDuration } from './go-duration.ts';
import { SettingsError } from './settings-error.ts';

/** One setting from its text: what was given, else the fallback. Wrong text throws SettingsError. */

export function textOf(values: FlagValues, field: FlagName): string {
  return values[field] ?? FLAGS[field].fallback;
}

/** Undefined if it is empty. */
export function pathOf(values: FlagValues, field: FlagName): string | undefined {
  return textOf(values, field) || undefined;
}

/** Parts between commas; none if it is empty. */
export function listOf(values: FlagValues, field: FlagName): readonly string[] {
  const parts = textOf(values, field).split(',');
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

export function positiveOf(values: FlagValues, field: FlagName): number {
  const value = wholeOf(values, field);
  if (value === undefined || value <= 0) {
    throw wrong(values, field, 'is not a positive whole number');
  }
  return value;
}

/** Zero is allowed, where it has a meaning of its own. */
export function countOf(values: FlagValues, field: FlagName): number {
  const value = wholeOf(values, field);
  if (value === undefined || value < 0) throw wrong(values, field, 'is not a whole number');
  return value;
}

/** May be negative. */
export function integerOf(values: FlagValues, field: FlagName): number {
  const value = wholeOf(values, field);
  if (value === undefined) throw wrong(values, field, 'is not a whole number');
  return value;
}

/** Milliseconds, from what Go takes for a duration. */
export function durationMsOf(values: FlagValues, field: FlagName): number {
  const value = parseGoDuration(textOf(values, field));
  if (value === undefined || value < 0) {
    throw wrong(values, field, 'is not a duration; write 500ms, 10s, 5m or 1h30m');
  }
  return value;
}

export function switchOf(values: FlagValues, field: FlagName): boolean {
  const value = parseSwitch(textOf(values, field));
  if (value === undefined) throw wrong(values, field, 'is not true or false');
  return value;
}

export function choiceOf<Value extends string>(
  values: FlagValues,
  field: FlagName,
  allowed: readonly Value[],
): Value {
  const text = textOf(values, field);
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw wrong(values, field, `is not one of ${allowed.join(', ')}`);
  return found;
}

/** The spellings of Go; undefined for any other. */
export function parseSwitch(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  return undefined;
}

function wholeOf(values: FlagValues, field: FlagName): number | undefined {
  const text = textOf(values, field);
  const value = Number(text);
  return /^-?\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

function wrong(values: FlagValues, field: FlagName, problem: string): SettingsError {
  return new SettingsError(field, `${JSON.stringify(textOf(values, field))} ${problem}`);
}
