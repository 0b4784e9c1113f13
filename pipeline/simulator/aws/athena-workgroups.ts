// Athena's workgroups in the simulator: made, changed, listed, removed; `primary` is there from the beginning.
// Promises: what a workgroup enforces is what queries get. Source: Amazon Athena API Reference, WorkGroup and
// WorkGroupConfiguration.

import { z } from 'zod';
import type { Clock } from '../../ports.js';
import { checked, form, invalid, pageForm, pageOf } from './athena-call.js';
import type { SimDocuments } from './service.js';

/** What a workgroup prescribes; what is not named here is kept. */
export interface WorkGroupConfiguration {
  ResultConfiguration?: { readonly OutputLocation?: string | undefined } | undefined;
  readonly EnforceWorkGroupConfiguration?: boolean | undefined;
  readonly BytesScannedCutoffPerQuery?: number | undefined;
}

/** A workgroup, in Athena's own words. */
export interface WorkGroup {
  readonly Name: string;
  readonly State: 'ENABLED' | 'DISABLED';
  readonly Description?: string | undefined;
  readonly Configuration: WorkGroupConfiguration;
  /** Seconds since the epoch. */
  readonly CreationTime: number;
}

const configurationForm: z.ZodType<WorkGroupConfiguration> = z.looseObject({
  ResultConfiguration: z.looseObject({ OutputLocation: z.string().optional() }).optional(),
  EnforceWorkGroupConfiguration: z.boolean().optional(),
  BytesScannedCutoffPerQuery: z.number().int().min(10_000_000).optional(),
});

const workGroupForm: z.ZodType<WorkGroup> = z.object({
  Name: form.workGroup,
  State: z.enum(['ENABLED', 'DISABLED']),
  Description: z.string().optional(),
  Configuration: configurationForm,
  CreationTime: z.number(),
});

const engineVersion = {
  SelectedEngineVersion: 'Athena engine version 3',
  EffectiveEngineVersion: 'Athena engine version 3',
};
const prefix = 'athena/workgroups/';

export class AthenaWorkGroups {
  readonly #documents: SimDocuments;
  readonly #clock: Clock;

  constructor(documents: SimDocuments, clock: Clock) {
    this.#documents = documents;
    this.#clock = clock;
  }

  /** The workgroup a call means. Throws InvalidRequestException when there is none. */
  async named(name: string | undefined): Promise<WorkGroup> {
    const wanted = name ?? 'primary';
    const found = await this.#documents.get(prefix + wanted);
    if (found !== null) return workGroupForm.parse(found);
    if (wanted !== 'primary')
      throw invalid(`WorkGroup ${wanted} is not found.`, 'WORKGROUP_NOT_FOUND');
    return { Name: wanted, State: 'ENABLED', Configuration: {}, CreationTime: 0 };
  }

  async create(input: unknown): Promise<object> {
    const { Name, Description, Configuration } = checked(
      z.object({
        Name: form.workGroup,
        Description: z.string().max(1024).optional(),
        Configuration: configurationForm.optional(),
      }),
      input,
    );
    const exists = Name === 'primary' || (await this.#documents.get(prefix + Name)) !== null;
    if (exists) throw invalid(`WorkGroup ${Name} is already created.`, 'WORKGROUP_ALREADY_EXISTS');
    await this.#put({
      Name,
      State: 'ENABLED',
      ...(Description === undefined ? {} : { Description }),
      Configuration: Configuration ?? {},
      CreationTime: this.#clock.nowMs() / 1000,
    });
    return {};
  }

  async get(input: unknown): Promise<object> {
    const { WorkGroup } = checked(z.object({ WorkGroup: form.workGroup }), input);
    const found = await this.named(WorkGroup);
    const Configuration = { EngineVersion: engineVersion, ...found.Configuration };
    return { WorkGroup: { ...found, Configuration } };
  }

  async list(input: unknown): Promise<object> {
    const page = checked(
      z.object({ NextToken: form.nextToken.optional(), MaxResults: pageForm(50).optional() }),
      input,
    );
    const names = await this.#documents.names(prefix);
    const all = await Promise.all(
      [...new Set(['primary', ...names.map((name) => name.slice(prefix.length))])].map((name) =>
        this.named(name),
      ),
    );
    const { items, next } = pageOf(all, page, 50);
    const WorkGroups = items.map(({ Configuration: _, ...summary }) => ({
      ...summary,
      EngineVersion: engineVersion,
    }));
    return { WorkGroups, ...next };
  }

  async update(input: unknown): Promise<object> {
    const { WorkGroup, ConfigurationUpdates, ...changes } = checked(
      z.object({
        WorkGroup: form.workGroup,
        Description: z.string().max(1024).optional(),
        State: z.enum(['ENABLED', 'DISABLED']).optional(),
        ConfigurationUpdates: z
          .looseObject({
            ResultConfigurationUpdates: z
              .object({
                OutputLocation: z.string().optional(),
                RemoveOutputLocation: z.boolean().optional(),
              })
              .optional(),
          })
          .optional(),
      }),
      input,
    );
    const before = await this.named(WorkGroup);
    const { ResultConfigurationUpdates: result, ...plain } = ConfigurationUpdates ?? {};
    const Configuration: WorkGroupConfiguration = { ...before.Configuration, ...plain };
    if (result?.RemoveOutputLocation === true) delete Configuration.ResultConfiguration;
    if (result?.OutputLocation !== undefined) {
      Configuration.ResultConfiguration = { OutputLocation: result.OutputLocation };
    }
    const given = Object.fromEntries(
      Object.entries(changes).filter(([, value]) => value !== undefined),
    );
    await this.#put({ ...before, ...given, Configuration });
    return {};
  }

  /** Removes a workgroup; `contents` says what it holds, and `empty` removes that. */
  async delete(
    input: unknown,
    contents: (workGroup: string) => Promise<readonly string[]>,
    empty: (documents: readonly string[]) => Promise<void>,
  ): Promise<object> {
    const { WorkGroup, RecursiveDeleteOption } = checked(
      z.object({ WorkGroup: form.workGroup, RecursiveDeleteOption: z.boolean().optional() }),
      input,
    );
    if (WorkGroup === 'primary') throw invalid('The primary workgroup cannot be deleted.');
    await this.named(WorkGroup);
    const held = await contents(WorkGroup);
    if (held.length > 0 && RecursiveDeleteOption !== true) {
      throw invalid(`WorkGroup ${WorkGroup} is not empty`, 'WORKGROUP_NOT_EMPTY');
    }
    await empty(held);
    await this.#documents.remove(prefix + WorkGroup);
    return {};
  }

  async #put(workGroup: WorkGroup): Promise<void> {
    await this.#documents.put(prefix + workGroup.Name, workGroup);
  }
}
