// Amazon Athena in the simulator: workgroups, named queries, prepared statements, and queries that run on an engine
// given from outside. Promises: the actions below answer as Athena does, to any AWS SDK; others are answered as unknown.
// Source: Amazon Athena API Reference, "Actions".

import type { Clock, Ids } from '../../ports.js';
import { AthenaFault, answerOf, faultAnswer, readCall } from './athena-call.js';
import { AthenaExecutions, type RunSql } from './athena-executions.js';
import { AthenaSaved } from './athena-saved.js';
import { AthenaWorkGroups } from './athena-workgroups.js';
import type { SimDocuments, SimService } from './service.js';

export interface AthenaServiceOptions {
  readonly documents: SimDocuments;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly runSql: RunSql;
}

type Action = (input: unknown) => Promise<object>;

/** The service `athena`. Calls that change something run one after the other. */
export function createAthenaService(options: AthenaServiceOptions): SimService {
  const { ids } = options;
  const actions = actionsOf(options);
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    name: 'athena',
    async handle(request) {
      const requestId = ids.uuid();
      try {
        const { action, input } = await readCall(request);
        const run = actions.get(action);
        if (run === undefined) {
          throw new AthenaFault('UnknownOperationException', `the simulator has no ${action}`);
        }
        return answerOf(await inTurn(() => run(input)), requestId);
      } catch (error) {
        if (error instanceof AthenaFault) return faultAnswer(error, requestId);
        throw error;
      }
    },
  };
}

function actionsOf(options: AthenaServiceOptions): ReadonlyMap<string, Action> {
  const { documents, clock, ids, runSql } = options;
  const groups = new AthenaWorkGroups(documents, clock);
  const saved = new AthenaSaved({ documents, workGroups: groups, clock, ids });
  const queries = new AthenaExecutions({
    documents,
    workGroups: groups,
    saved,
    clock,
    ids,
    runSql,
  });
  const removeAll = async (names: readonly string[]): Promise<void> => {
    for (const name of names) await documents.remove(name);
  };
  return new Map<string, Action>([
    ['CreateWorkGroup', (input) => groups.create(input)],
    ['GetWorkGroup', (input) => groups.get(input)],
    ['ListWorkGroups', (input) => groups.list(input)],
    ['UpdateWorkGroup', (input) => groups.update(input)],
    ['DeleteWorkGroup', (input) => groups.delete(input, (name) => saved.heldBy(name), removeAll)],
    ['CreateNamedQuery', (input) => saved.createNamed(input)],
    ['GetNamedQuery', (input) => saved.getNamed(input)],
    ['BatchGetNamedQuery', (input) => saved.batchGetNamed(input)],
    ['ListNamedQueries', (input) => saved.listNamed(input)],
    ['UpdateNamedQuery', (input) => saved.updateNamed(input)],
    ['DeleteNamedQuery', (input) => saved.deleteNamed(input)],
    ['CreatePreparedStatement', (input) => saved.createStatement(input)],
    ['GetPreparedStatement', (input) => saved.getStatement(input)],
    ['BatchGetPreparedStatement', (input) => saved.batchGetStatements(input)],
    ['ListPreparedStatements', (input) => saved.listStatements(input)],
    ['UpdatePreparedStatement', (input) => saved.updateStatement(input)],
    ['DeletePreparedStatement', (input) => saved.deleteStatement(input)],
    ['StartQueryExecution', (input) => queries.start(input)],
    ['GetQueryExecution', (input) => queries.get(input)],
    ['BatchGetQueryExecution', (input) => queries.batchGet(input)],
    ['ListQueryExecutions', (input) => queries.list(input)],
    ['StopQueryExecution', (input) => queries.stop(input)],
    ['GetQueryResults', (input) => queries.results(input)],
  ]);
}
