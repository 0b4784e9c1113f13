// How many requests are under way: never more than the bound, fewer after a slow-down, and more again later.

import { describe, expect, it } from 'vitest';
import { RequestSlots } from '../../pipeline/aws/request-slots.js';

/** Takes as many slots as there are, and returns what frees them. */
async function fill(slots: RequestSlots, count: number): Promise<(() => void)[]> {
  return Promise.all(Array.from({ length: count }, () => slots.take()));
}

describe('slots for requests', () => {
  it('are no more than the bound, and come in the order they were asked for', async () => {
    const slots = new RequestSlots(2);
    const held = await fill(slots, 2);
    const order: number[] = [];
    const later = [1, 2, 3].map(async (n) => {
      const release = await slots.take();
      order.push(n);
      return release;
    });
    held[0]!();
    held[0]!(); // freed once, whatever is called
    const first = await later[0]!;
    expect(order).toEqual([1]);
    first();
    (await later[1]!)();
    await later[2]!;
    expect(order).toEqual([1, 2, 3]);
  });

  it('halve once for a wave of slow-downs, and again for the next', async () => {
    const slots = new RequestSlots(16);
    await fill(slots, 16);
    for (let i = 0; i < 16; i++) slots.slowDown();
    expect(slots.limit).toBe(8);
    slots.slowDown();
    expect(slots.limit).toBe(4);
  });

  it('never fall below one, and grow back to the bound and not beyond', () => {
    const slots = new RequestSlots(8);
    for (let i = 0; i < 50; i++) slots.slowDown();
    expect(slots.limit).toBe(1);
    for (let i = 0; i < 1000; i++) slots.answered();
    expect(slots.limit).toBe(8);
  });

  it('let those who wait in as the bound grows', async () => {
    const slots = new RequestSlots(4);
    slots.slowDown();
    slots.slowDown();
    expect(slots.limit).toBe(1);
    await slots.take();
    const waiting = slots.take();
    for (let i = 0; i < 10; i++) slots.answered();
    await waiting;
  });
});
