// Finds a name of an object by its bytes: first the ones that followed the last name before, then by hash.

@unmanaged
export class Name {
  /** The name in quotes and a colon behind it, as it stands in JSON; length 0: not looked for (it would be escaped). */
  bytes: usize;
  length: i32;
}

@unmanaged
export class Names {
  count: i32;
  names: usize;
  /** Two names for every place (0: the start, i + 1: behind name i): those that came next there the last times; or -1. */
  after: usize;
  /** Positions of names by hash, -1 where there is none. */
  buckets: usize;
  mask: u32;
}

function nameAt(names: Names, index: i32): Name {
  return changetype<Name>(names.names + index * offsetof<Name>());
}

/** Whether a name stands at `at`. */
function isAt(at: usize, name: Name): bool {
  const length = name.length;
  const bytes = name.bytes;
  if (length < 8) {
    if (length < 4) return false;
    return (
      load<u32>(at) === load<u32>(bytes) &&
      load<u32>(at + length - 4) === load<u32>(bytes + length - 4)
    );
  }
  const last = length - 8;
  for (let i = 0; i < last; i += 8) {
    if (load<u64>(at + i) !== load<u64>(bytes + i)) return false;
  }
  return load<u64>(at + last) === load<u64>(bytes + last);
}

/** Which name stands at `at` (its opening quote), behind name `last` (-1: first); -1: none of them. */
export function findName(names: Names, at: usize, last: i32): i32 {
  const place = names.after + ((last + 1) << 3);
  const first = load<i32>(place);
  if (first < 0) return lookUp(names, at, place);
  if (isAt(at, nameAt(names, first))) return first;
  const second = load<i32>(place, 4);
  if (second < 0 || !isAt(at, nameAt(names, second))) return lookUp(names, at, place);
  store<i32>(place, second);
  store<i32>(place, first, 4);
  return second;
}

function lookUp(names: Names, at: usize, place: usize): i32 {
  if (load<u8>(at) !== 34) return -1;
  let end = at + 1;
  let hash: u32 = 0x811c9dc5;
  for (;;) {
    const c = load<u8>(end);
    if (c === 34) break;
    if (c < 32 || c === 92) return -1;
    hash = (hash ^ c) * 0x01000193;
    end++;
  }
  const length = <i32>(end + 2 - at);
  let bucket = (hash ^ (hash >> 15)) & names.mask;
  let index = load<i32>(names.buckets + (bucket << 2));
  while (index >= 0) {
    const name = nameAt(names, index);
    if (name.length === length && isAt(at, name)) {
      store<i32>(place, load<i32>(place), 4);
      store<i32>(place, index);
      return index;
    }
    bucket = (bucket + 1) & names.mask;
    index = load<i32>(names.buckets + (bucket << 2));
  }
  return -1;
}

/** Length of a name with its quotes and colon. */
export function nameLength(names: Names, index: i32): i32 {
  return nameAt(names, index).length;
}
