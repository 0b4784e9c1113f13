// Conditions and updates, applied to an item.
// Promises: values of different types are never less or greater than each other; sums are exact.
// Source: Amazon DynamoDB Developer Guide, "Comparison operator and function reference", "Update expressions".

import type { AttributeValue } from '../../../schemas/attribute.js';
import type { Item } from '../item.js';
import { invalid } from './dynamodb-call.js';
import type { Comparator, Condition, Operand, Path, Term, Update } from './dynamodb-expressions.js';
import { compareNumbers, negated, sumOf } from './dynamodb-numbers.js';
import { isEqualValue } from './dynamodb-values.js';

function valueAt(item: Item, path: Path): AttributeValue | null {
  let value = item.get(path[0]) ?? null;
  for (const step of path.slice(1)) {
    if (value === null) return null;
    if (typeof step === 'number') value = 'L' in value ? (value.L[step] ?? null) : null;
    else value = 'M' in value ? (value.M.get(step) ?? null) : null;
  }
  return value;
}

function operandOf(item: Item, operand: Operand): AttributeValue | null {
  if (operand.kind === 'value') return operand.value;
  const value = valueAt(item, operand.path);
  if (operand.kind === 'path' || value === null) return value;
  const size = sizeOf(value);
  return size === null ? null : { N: `${size}` };
}

function sizeOf(value: AttributeValue): number | null {
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('B' in value) return Buffer.byteLength(value.B, 'base64');
  if ('L' in value) return value.L.length;
  if ('M' in value) return value.M.size;
  return membersOf(value)?.length ?? null;
}

function membersOf(value: AttributeValue): readonly string[] | null {
  if ('SS' in value) return value.SS;
  if ('NS' in value) return value.NS;
  return 'BS' in value ? value.BS : null;
}

/** Order of two values of one type that has an order: S and B by bytes, N by value; null for others. */
export function compareValues(left: AttributeValue, right: AttributeValue): number | null {
  if ('N' in left && 'N' in right) return compareNumbers(left.N, right.N);
  if ('S' in left && 'S' in right) return Buffer.compare(Buffer.from(left.S), Buffer.from(right.S));
  if ('B' in left && 'B' in right) {
    return Buffer.compare(Buffer.from(left.B, 'base64'), Buffer.from(right.B, 'base64'));
  }
  return null;
}

function isTrue(
  by: Comparator,
  left: AttributeValue | null,
  right: AttributeValue | null,
): boolean {
  if (left === null || right === null) return by === '<>' && left !== right;
  if (by === '=') return isEqualValue(left, right);
  if (by === '<>') return !isEqualValue(left, right);
  const order = compareValues(left, right);
  if (order === null) return false;
  if (by === '<') return order < 0;
  if (by === '<=') return order <= 0;
  return by === '>' ? order > 0 : order >= 0;
}

/** Whether a condition holds of an item; of none, when it is empty. */
export function holds(condition: Condition, item: Item): boolean {
  switch (condition.kind) {
    case 'and':
      return holds(condition.left, item) && holds(condition.right, item);
    case 'or':
      return holds(condition.left, item) || holds(condition.right, item);
    case 'not':
      return !holds(condition.of, item);
    case 'compare':
      return isTrue(
        condition.by,
        operandOf(item, condition.left),
        operandOf(item, condition.right),
      );
    case 'between': {
      const value = operandOf(item, condition.of);
      return (
        isTrue('>=', value, operandOf(item, condition.low)) &&
        isTrue('<=', value, operandOf(item, condition.high))
      );
    }
    case 'in': {
      const value = operandOf(item, condition.of);
      return condition.among.some((each) => isTrue('=', value, operandOf(item, each)));
    }
    case 'exists':
      return valueAt(item, condition.path) !== null;
    case 'missing':
      return valueAt(item, condition.path) === null;
    case 'begins':
    case 'contains':
    case 'type':
      return functionHolds(
        condition.kind,
        valueAt(item, condition.path),
        operandOf(item, condition.operand),
      );
  }
}

function functionHolds(
  kind: 'begins' | 'contains' | 'type',
  value: AttributeValue | null,
  operand: AttributeValue | null,
): boolean {
  if (value === null || operand === null) return false;
  if (kind === 'type') return 'S' in operand && operand.S in value;
  if ('S' in value && 'S' in operand) {
    return kind === 'begins' ? value.S.startsWith(operand.S) : value.S.includes(operand.S);
  }
  if ('B' in value && 'B' in operand) {
    const at = Buffer.from(value.B, 'base64').indexOf(Buffer.from(operand.B, 'base64'));
    return kind === 'begins' ? at === 0 : at >= 0;
  }
  if (kind === 'begins') return false;
  if ('L' in value) return value.L.some((each) => isEqualValue(each, operand));
  const tag = Object.keys(operand)[0]!;
  const member = Object.values(operand)[0] as unknown;
  return `${tag}S` in value && typeof member === 'string' && membersOf(value)!.includes(member);
}

/** The item after an update. Throws ValidationException when the update does not fit it. */
export function updatedItem(before: Item, update: Update): Item {
  // All terms are of the item as it was.
  const set = update.set.map(({ name, term }) => ({ name, value: termOf(before, term) }));
  const after = new Map(before);
  for (const { name, value } of set) after.set(name, value);
  for (const name of update.remove) after.delete(name);
  for (const { name, value } of update.add) after.set(name, added(before.get(name), value));
  for (const { name, value } of update.delete) {
    const left = without(before.get(name), value);
    if (left === null) after.delete(name);
    else after.set(name, left);
  }
  return after;
}

function termOf(item: Item, term: Term): AttributeValue {
  switch (term.kind) {
    case 'ifMissing':
      return valueAt(item, term.path) ?? needed(operandOf(item, term.otherwise));
    case 'append': {
      const left = termOf(item, term.left);
      const right = termOf(item, term.right);
      if (!('L' in left) || !('L' in right)) throw wrongOperand('list_append');
      return { L: [...left.L, ...right.L] };
    }
    case 'sum':
    case 'difference': {
      const left = termOf(item, term.left);
      const right = termOf(item, term.right);
      if (!('N' in left) || !('N' in right)) throw wrongOperand(term.kind === 'sum' ? '+' : '-');
      return { N: sumOf(left.N, term.kind === 'sum' ? right.N : negated(right.N)) };
    }
    default:
      return needed(operandOf(item, term));
  }
}

function needed(value: AttributeValue | null): AttributeValue {
  if (value !== null) return value;
  throw invalid('The provided expression refers to an attribute that does not exist in the item');
}

function wrongOperand(operator: string): Error {
  return invalid(
    `Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: ${operator}`,
  );
}

function mismatch(): Error {
  return invalid('An operand in the update expression has an incorrect data type');
}

function added(before: AttributeValue | undefined, value: AttributeValue): AttributeValue {
  if ('N' in value) {
    if (before === undefined) return value;
    if (!('N' in before)) throw mismatch();
    return { N: sumOf(before.N, value.N) };
  }
  const more = membersOf(value);
  if (more === null) throw wrongOperand('ADD');
  if (before === undefined) return value;
  const members = sameSet(before, value);
  return setLike(value, [...new Set([...members, ...more])]);
}

function without(before: AttributeValue | undefined, value: AttributeValue): AttributeValue | null {
  const gone = membersOf(value);
  if (gone === null) throw wrongOperand('DELETE');
  if (before === undefined) return null;
  const left = sameSet(before, value).filter((member) => !gone.includes(member));
  return left.length === 0 ? null : setLike(value, left);
}

function sameSet(before: AttributeValue, value: AttributeValue): readonly string[] {
  const members = membersOf(before);
  if (members === null || Object.keys(before)[0] !== Object.keys(value)[0]) throw mismatch();
  return members;
}

function setLike(value: AttributeValue, members: readonly string[]): AttributeValue {
  if ('SS' in value) return { SS: members };
  return 'NS' in value ? { NS: members } : { BS: members };
}
