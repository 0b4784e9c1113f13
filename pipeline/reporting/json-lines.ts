// One JSON object per line, for programs.
// Promises that every field is present (null for what is missing), integers beyond a double and bytes are kept as strings.
// Spec: RFC 8259; DESIGN "The command".

/** A report as one line of JSON, without the line's end. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, jsonReady);
}

/**
 * A row as one line of JSON, an object by column name. The text is put together by hand, since a column may be
 * called `__proto__`, and since an object would put names that look like numbers first.
 */
export function jsonRow(names: readonly string[], row: readonly unknown[]): string {
  const members = names.map((name, at) => `${JSON.stringify(name)}:${jsonLine(row[at] ?? null)}`);
  return `{${members.join(',')}}`;
}

/** Column names with a suffix on those that repeat, so that no value hides another: `n`, `n_2`. */
export function distinctNames(names: readonly string[]): string[] {
  const taken = new Set(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let distinct = name;
    for (let n = 2; seen.has(distinct); n += 1) {
      const candidate = `${name}_${n}`;
      if (!taken.has(candidate)) distinct = candidate;
    }
    seen.add(distinct);
    return distinct;
  });
}

function jsonReady(_name: string, value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return value;
}
