// Text that is safe to print on a terminal: names and values come from strangers.
// Promises that no control character, escape sequence or direction override reaches the screen, and knows how wide text is.
// Spec: ECMA-48 (C0, C1 and escape sequences); Unicode TR9 (explicit directional characters) and TR11 (East Asian width).

const esc = '\u001b';
const bell = '\u0007';
// Whole escape sequences go (cursor and colour, then titles and links, then the two-character ones), so that no half
// of one is left behind as text.
const escapeSequences = new RegExp(
  `${esc}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${bell}${esc}]*(?:${bell}|${esc}\\\\)?|[@-Z\\\\-_])`,
  'g',
);
const lineBreaksAndTabs = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
const controls = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const ordinary = /^[ -~]*$/;

/** Text on one line without control characters: line breaks and tabs become a space, the others vanish. */
export function plainText(text: string): string {
  if (ordinary.test(text)) return text;
  return text.replace(escapeSequences, '').replace(lineBreaksAndTabs, ' ').replace(controls, '');
}

/** How many terminal columns plain text takes: wide characters two, combining marks none. */
export function textWidth(text: string): number {
  if (ordinary.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Plain text cut to at most `widthMax` columns; what was cut ends in an ellipsis. */
export function cutText(text: string, widthMax: number): string {
  if (textWidth(text) <= widthMax) return text;
  if (widthMax <= 0) return '';
  let width = 0;
  let kept = '';
  for (const character of text) {
    const next = characterWidth(character);
    if (width + next > widthMax - 1) break;
    width += next;
    kept += character;
  }
  return `${kept}…`;
}

const combining = /^(?:\p{Mn}|\p{Me}|\u200b|\u200c|\u200d)$/u;
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;

function characterWidth(character: string): number {
  if (combining.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}
