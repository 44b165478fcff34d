import { describe, expect, test } from 'vitest';
import { clip, formatCount, formatNs, formatValue } from '../../reports/format.ts';
import { html, jsonScript, trusted } from '../../reports/html.ts';

describe('html', () => {
  test('escapes texts for elements and for quoted attributes', () => {
    const evil = `"><img src=x onerror='a&b'>`;
    const escaped = '&quot;&gt;&lt;img src=x onerror=&#39;a&amp;b&#39;&gt;';
    const { markup } = html`<p title="${evil}">${evil}</p>`;
    expect(markup).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  test('keeps markup, joins lists, makes nothing of undefined and false', () => {
    const items = ['a', '<'].map((text) => html`<li>${text}</li>`);
    const { markup } = html`<ul>${items}</ul>${undefined}${false}${0}${trusted('<hr>')}`;
    expect(markup).toBe('<ul><li>a</li><li>&lt;</li></ul>0<hr>');
  });

  test('keeps a dollar sign in a text as it is', () => {
    expect(html`a${'$&'}b${'$1'}`.markup).toBe('a$&amp;b$1');
  });

  test('data cannot end its script, and comes back as it was', () => {
    const data = { text: '</script><!--<script>', list: [1, null] };
    const { markup } = jsonScript('data', data);
    const json = markup.slice(markup.indexOf('>') + 1, markup.lastIndexOf('</script>'));
    expect(json).not.toContain('<');
    expect(JSON.parse(json)).toEqual(data);
  });
});

describe('formats', () => {
  test.each([
    [0, '0 ns'],
    [1_234, '1.23 µs'],
    [12_345_678, '12.3 ms'],
    [999_000_000, '999 ms'],
    [1_500_000_000, '1.5 s'],
    [4_321e9, '4,321 s'],
  ])('%d ns', (ns, text) => expect(formatNs(ns)).toBe(text));

  test.each([
    [7, '7'],
    [1_000, '1,000'],
    [1_234_567, '1,234,567'],
  ])('%d', (count, text) => expect(formatCount(count)).toBe(text));

  test('values without the noise of JSON, long lists by their length', () => {
    expect(formatValue({ key: 'r1', value: null })).toBe('key=r1 value=null');
    expect(formatValue([1, 2, 3, 4, 5, 6])).toBe('[1 2 3 4 and 2 more]');
  });

  test('clips to a length, sign included', () => {
    expect(clip('abcdef', 6)).toBe('abcdef');
    expect(clip('abcdefg', 6)).toBe('abcde…');
  });
});
