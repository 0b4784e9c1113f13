// The fault plan of the simulator as people write it: rules that say which requests go wrong, and how.
// Promises: a plan with an unknown word or a number out of range is refused with its place, never half understood.
// Source: none.
import { z } from 'zod';

interface ErrorFault {
  readonly code: string;
  /** HTTP status; by default the one the code has. */
  readonly status?: number | undefined;
  readonly message?: string | undefined;
}

/** What happens to a request. "Applied" says whether the service sees it. */
export type Fault =
  /** Not applied; the answer is an error. */
  | (ErrorFault & { readonly fault: 'error' })
  /** Not applied; the answer is an error's document under status 200. */
  | (ErrorFault & { readonly fault: 'errorIn200' })
  /** Not applied; the connection is reset. */
  | { readonly fault: 'refuse' }
  /** Applied; the connection is reset in place of an answer. */
  | { readonly fault: 'loseAnswer' }
  /** Applied if so said, by default not; no answer ever. */
  | { readonly fault: 'hang'; readonly applied?: boolean | undefined }
  /** Applied; the connection ends after that many bytes of the answer's body. */
  | { readonly fault: 'cut'; readonly afterBytes: number }
  /** Applied; nothing comes after that many bytes of the answer's body. */
  | { readonly fault: 'stall'; readonly afterBytes: number }
  /** Applied; the answer's body comes in pieces of so many bytes, so many milliseconds apart. */
  | { readonly fault: 'drip'; readonly bytes: number; readonly everyMs: number }
  /** Applied; one bit of that byte of the answer's body is wrong. */
  | { readonly fault: 'corrupt'; readonly atByte: number }
  /** Applied, so many milliseconds later. */
  | { readonly fault: 'delay'; readonly ms: number }
  /** Applied; the ETag in the answer is of other bytes. */
  | { readonly fault: 'wrongEtag' }
  /** Applied twice; one of the two answers is given, by default the first. */
  | { readonly fault: 'duplicate'; readonly answer?: 'first' | 'second' | undefined };

/** Requests a rule is about, and which of those it fires on. All that is said must hold. */
interface Match {
  /** Only requests to these services, e.g. `s3`. */
  readonly service?: string | readonly string[] | undefined;
  /** Only these operations, by the API's names. */
  readonly operation?: string | readonly string[] | undefined;
  readonly bucket?: string | undefined;
  /** Only keys of this form: `*` stands for any characters, `?` for one. Of Glue: `database/table`. */
  readonly key?: string | undefined;
  /** Only this one of the requests it is about, counted from 1. */
  readonly nth?: number | undefined;
  /** Only each so manieth of them. */
  readonly every?: number | undefined;
  /** Only from this one on. */
  readonly from?: number | undefined;
  /** Only up to this one. */
  readonly to?: number | undefined;
  /** Each with this probability. */
  readonly probability?: number | undefined;
}

export interface FaultRule extends Match {
  readonly do: Fault;
}

export interface FaultPlan {
  /** Decides what `probability` hits; 1 when missing. */
  readonly seed?: number | string | undefined;
  readonly rules: readonly FaultRule[];
}

/** A fault that needs no numbers may be written as its name alone. */
type PlainFault = 'refuse' | 'loseAnswer' | 'hang' | 'wrongEtag' | 'duplicate';
type FaultRuleInput = Match & { readonly do: Fault | PlainFault };

/** A plan as it may be written: an array is a plan of those rules. */
export type FaultPlanInput =
  | readonly FaultRuleInput[]
  | { readonly seed?: number | string | undefined; readonly rules: readonly FaultRuleInput[] };

/** Most rules of a plan. */
const rulesMax = 1000;

const count = z.number().int().min(1);
const size = z.number().int().min(0);
const names = z.union([z.string(), z.array(z.string()).min(1)]);
const error = {
  code: z.string().min(1),
  status: z.number().int().min(200).max(599).optional(),
  message: z.string().optional(),
};

const faultSchema: z.ZodType<Fault> = z.discriminatedUnion('fault', [
  z.strictObject({ fault: z.literal('error'), ...error }),
  z.strictObject({ fault: z.literal('errorIn200'), ...error }),
  z.strictObject({ fault: z.literal('refuse') }),
  z.strictObject({ fault: z.literal('loseAnswer') }),
  z.strictObject({ fault: z.literal('hang'), applied: z.boolean().optional() }),
  z.strictObject({ fault: z.literal('cut'), afterBytes: size }),
  z.strictObject({ fault: z.literal('stall'), afterBytes: size }),
  z.strictObject({ fault: z.literal('drip'), bytes: count, everyMs: size }),
  z.strictObject({ fault: z.literal('corrupt'), atByte: size }),
  z.strictObject({ fault: z.literal('delay'), ms: size }),
  z.strictObject({ fault: z.literal('wrongEtag') }),
  z.strictObject({
    fault: z.literal('duplicate'),
    answer: z.enum(['first', 'second']).optional(),
  }),
]);

const planSchema: z.ZodType<FaultPlan> = z.strictObject({
  seed: z.union([z.number(), z.string()]).optional(),
  rules: z
    .array(
      z.strictObject({
        service: names.optional(),
        operation: names.optional(),
        bucket: z.string().optional(),
        key: z.string().optional(),
        nth: count.optional(),
        every: count.optional(),
        from: count.optional(),
        to: count.optional(),
        probability: z.number().min(0).max(1).optional(),
        do: z.preprocess(
          (value) => (typeof value === 'string' ? { fault: value } : value),
          faultSchema,
        ),
      }),
    )
    .max(rulesMax),
});

/** Checks a plan, which may be anything. Returns it, or a sentence on what is wrong with it. */
export function parseFaultPlan(input: unknown): FaultPlan | string {
  const checked = planSchema.safeParse(Array.isArray(input) ? { rules: input } : input);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0]!;
  const where = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  return `${where}${issue.message}`;
}
