// Names of attributes in comments: one line, few bytes, and never two for one.
// Source: RFC 3629 (bytes of characters), Unicode general categories.
import { describe, expect, it } from 'vitest';
import { cutText } from '../../transforms/cut-text.js';

describe('a text that is cut', () => {
  it('stays as it is when it fits to the byte', () => {
    expect(cutText('ä'.repeat(10), 20)).toBe('ä'.repeat(10));
    expect(cutText('', 20)).toBe('');
  });

  it('ends in a hash of all of it, within the bytes, between characters', () => {
    for (const letter of ['a', 'ä', '€', '😀']) {
      const cut = cutText(letter.repeat(65_535), 255);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(255);
      expect(Buffer.byteLength(cut)).toBeGreaterThan(255 - 4);
      expect(cut).toMatch(new RegExp(`^(${letter})+…#[0-9a-f]{8}$`, 'u'));
    }
  });

  it('is another one for another text that begins alike', () => {
    const start = 'x'.repeat(1000);
    expect(cutText(`${start}a`, 180)).not.toBe(cutText(`${start}b`, 180));
    expect(cutText(`${start}a`, 180)).toBe(cutText(`${start}a`, 180));
  });

  it('has no control characters, nothing invisible that turns the line around, no half characters', () => {
    expect(cutText('a\u0000b\nc\u007fd\u0085e\u202ef\u2028g\uFFFFh\uD800i', 99)).toBe(
      'a b c d e f g h\uFFFDi',
    );
  });
});
