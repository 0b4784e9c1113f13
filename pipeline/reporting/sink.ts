// Where reporters and renderers write: any place that takes text.
// Promises nothing about when the text is seen.
// Spec: none.

export interface TextSink {
  write(text: string): void;
  /** Width in characters when the place is a terminal, else null. */
  readonly columns: number | null;
}
