/** What an exploration finds, and which findings are the same failure mode. */

export interface Finding {
  readonly checker: string;
  /** One sentence, with names and numbers. */
  readonly sentence: string;
}

/** So many words of a sentence tell modes apart; what follows depends on the run. */
const WORDS_MAX = 14;

/**
 * The words of a sentence without what differs from run to run: numbers, ids, names, paths, keys.
 * Two findings of one checker with the same signature are one failure mode.
 */
export function signatureOf(sentence: string): string {
  const plain = sentence
    .toLowerCase()
    .replaceAll(/process \d+'s [\w-]+ \(op \d+\)/g, '#')
    .replaceAll(/\d{4}[-/]\d\d[-/]\d\d[t ][\d:.]+z?/g, '#')
    // What a decoder trips over first in damaged bytes is chance.
    .replace(/\bproto: .*$/s, 'proto: malformed')
    .replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, '#')
    .replaceAll(/(?:[\w.-]*\/)+[\w.-]*/g, '#')
    .replaceAll(/\b0x[\da-f]+\b/g, '#')
    .replaceAll(/\b(?=[\da-f]*\d)[\da-f]{8,}\b/g, '#')
    .replaceAll(/\b(?:alice|bob|root)\b/g, '#')
    .replaceAll(/\b(?:put|delete)s?\b/g, 'change')
    .replaceAll(/[a-z]*-?\d+(?:[.:]\d+)*[a-z]*/g, '#')
    .replaceAll(/#(?:[\s,;.:–-]*#)+/g, '#');
  const words = plain.split(/\s+/).filter((word) => word !== '');
  return words
    .slice(0, WORDS_MAX)
    .join(' ')
    .replace(/[,;:.]$/, '');
}

/** The name of a mode: the same for all findings that are the same. */
export function modeOf({ checker, sentence }: Finding): string {
  return `${checker}: ${signatureOf(sentence)}`;
}

/** The first finding of each mode. */
export function distinct(findings: readonly Finding[]): Finding[] {
  const seen = new Map<string, Finding>();
  for (const finding of findings) {
    const mode = modeOf(finding);
    if (!seen.has(mode)) seen.set(mode, finding);
  }
  return [...seen.values()];
}
