// The commands of a page of the documents, to be run as they stand there.
// Promises: split as a shell splits them; fences of other languages are left alone.
// Source: docs/how-to.

/** What stands in the fences of one language. */
export function fences(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, body]) => body!,
  );
}

/** The commands of a page's shell, in words. */
export function commandsOf(text: string): readonly (readonly string[])[] {
  const lines = fences(text, 'sh').join('').replaceAll('\\\n', ' ').split(/\n|; /);
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) =>
      [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
        word.replace(/"([^"]*)"|'([^']*)'/g, (_, one, two) => one ?? two),
      ),
    );
}
