// Lines that are not exactly what DynamoDB writes: each is refused, with one code, whatever the columns are.
// Promises: nothing but RecordError is ever thrown, nothing hangs, no message holds content.
// Source: DynamoDB Developer Guide, "DynamoDB table exports, output format"; RFC 8259; the design, "Scan and type".

import { isUtf8 } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import {
  attributeFromParsed,
  canonicalItem,
  canonicalLine,
  canonicalNumber,
  itemFromParsed,
} from '../../pipeline/simulator/canonical.js';
import type { Item } from '../../pipeline/simulator/item.js';
import type { AttributeValue } from '../../schemas/attribute.js';
import type { ColumnType } from '../../schemas/columns.js';
import type { TypedAttribute } from '../../transforms/make-columns.js';
import { RecordError } from '../../transforms/scan-items.js';
import { emptyPlan, key, scannerOf, typesOf, writtenBack } from './any-items.js';
import { checkLane } from './beside-the-lane.js';

const long: ColumnType = { kind: 'N', number: { type: 'long' } };
const kinds: readonly ColumnType[] = [
  { kind: 'S' },
  { kind: 'B' },
  { kind: 'BOOL' },
  long,
  { kind: 'N', number: { type: 'decimal', precision: 38, scale: 38 } },
  { kind: 'SS', elementId: 0 },
  { kind: 'BS', elementId: 0 },
  { kind: 'NS', elementId: 0, number: { type: 'long' } },
  { kind: 'L', elementId: 0, element: { kind: 'S' } },
  { kind: 'L', elementId: 0, element: long },
  { kind: 'M', fields: [{ id: 0, name: 'x', attribute: 'x', type: long }] },
  { kind: 'MAP', keyId: 0, valueId: 0, value: { kind: 'S' } },
  { kind: 'JSON' },
];

/** Plans in which the attribute `v` has every kind of column, and none. */
function plansFor(wrap: (type: ColumnType) => ColumnType): (readonly TypedAttribute[])[] {
  const typed = kinds.map((type) => [...emptyPlan, { attribute: 'v', type: wrap(type) }]);
  return [emptyPlan, ...typed];
}

const places: Readonly<
  Record<string, { text: (value: string) => string; plans: (readonly TypedAttribute[])[] }>
> = {
  'an attribute': { text: (value) => value, plans: plansFor((type) => type) },
  'a list': {
    text: (value) => `{"L":[${value}]}`,
    plans: plansFor((element) => ({ kind: 'L', elementId: 0, element })),
  },
  'a map': {
    text: (value) => `{"M":{"x":${value}}}`,
    plans: plansFor((type) => ({
      kind: 'M',
      fields: [{ id: 0, name: 'x', attribute: 'x', type }],
    })),
  },
  'a dictionary': {
    text: (value) => `{"M":{"x":${value}}}`,
    plans: plansFor((value) => ({ kind: 'MAP', keyId: 0, valueId: 0, value })),
  },
};

function itemLine(rest: string): string {
  return `{"Item":{"pk":{"S":"p"},"sk":{"N":"1"}${rest}}}\n`;
}

type Outcome =
  | { readonly taken: string[] }
  | { readonly refused: string; readonly message: string };

function outcome(
  text: string | Uint8Array,
  plan: readonly TypedAttribute[] = emptyPlan,
  records: 'items' | 'changes' = 'items',
): Outcome {
  const scanner = scannerOf(plan);
  const block = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  try {
    if (records === 'items') scanner.scanItems(block);
    else scanner.scanChanges(block);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return { refused: error.code, message: error.message };
  } finally {
    // The fast lane takes none of these lines that the scanner refuses, and none otherwise than it.
    if (isUtf8(block)) checkLane(block, plan, key, records);
  }
  return { taken: writtenBack(scanner.finish().rows) };
}

function codeOf(result: Outcome): string {
  return 'refused' in result ? result.refused : 'taken';
}

const badValues: readonly (readonly [string, string])[] = [
  ['an unknown tag', '{"X":"x"}'],
  ['an unknown long tag', '{"STRING":"x"}'],
  ['a tag in lower case', '{"s":"x"}'],
  ['an empty tag', '{"":"x"}'],
  ['two tags', '{"S":"x","N":"1"}'],
  ['the same tag twice', '{"S":"x","S":"x"}'],
  ['no tag', '{}'],
  ['no object', '"x"'],
  ['a bare number', '5'],
  ['a bare null', 'null'],
  ['an array instead of a value', '[{"S":"x"}]'],
  ['a trailing comma after the tag', '{"S":"x",}'],
  ['a missing colon', '{"S" "x"}'],
  ['a missing brace', '{"S":"x"'],
  ['a brace too many', '{"S":"x"}}'],
  ['a number as S', '{"S":5}'],
  ['null as S', '{"S":null}'],
  ['an array as S', '{"S":["x"]}'],
  ['an object as S', '{"S":{}}'],
  ['S without a value', '{"S":}'],
  ['S in single quotes', '{"S":\'x\'}'],
  ['a bare number as N', '{"N":5}'],
  ['a word as N', '{"N":"abc"}'],
  ['an empty N', '{"N":""}'],
  ['a minus alone as N', '{"N":"-"}'],
  ['a point alone as N', '{"N":"."}'],
  ['two points in N', '{"N":"1.2.3"}'],
  ['two signs in N', '{"N":"--1"}'],
  ['a space before N', '{"N":" 1"}'],
  ['a space after N', '{"N":"1 "}'],
  ['a comma in N', '{"N":"1,5"}'],
  ['NaN', '{"N":"NaN"}'],
  ['Infinity', '{"N":"Infinity"}'],
  ['a hexadecimal N', '{"N":"0x10"}'],
  ['an exponent without digits', '{"N":"1E"}'],
  ['an exponent with a point', '{"N":"1E1.5"}'],
  ['39 digits', `{"N":"${'1'.repeat(39)}"}`],
  ['39 digits with a point', `{"N":"1.${'0'.repeat(37)}1"}`],
  ['too large a number', '{"N":"1E126"}'],
  ['too small a number', '{"N":"1E-131"}'],
  ['an exponent of five digits', '{"N":"1E00001"}'],
  ['a number of 500 zeros', `{"N":"${'0'.repeat(500)}"}`],
  ['digits of another script', '{"N":"١٢"}'],
  ['base64 of a wrong length', '{"B":"YQ"}'],
  ['base64 with padding bits set, one byte', '{"B":"YR=="}'],
  ['base64 with padding bits set, two bytes', '{"B":"YWJ="}'],
  ['base64 with padding in the middle', '{"B":"YQ==YQ=="}'],
  ['base64 of padding alone', '{"B":"===="}'],
  ['base64 with three paddings', '{"B":"Y==="}'],
  ['base64 of the URL alphabet', '{"B":"-_-_"}'],
  ['base64 with a space', '{"B":"YQ= "}'],
  ['base64 with a line feed', '{"B":"YWJj\\nYWJj"}'],
  ['base64 with a letter beyond ASCII', '{"B":"éYJ"}'],
  ['a bare number as B', '{"B":5}'],
  ['a text as BOOL', '{"BOOL":"true"}'],
  ['a number as BOOL', '{"BOOL":1}'],
  ['null as BOOL', '{"BOOL":null}'],
  ['a misspelt BOOL', '{"BOOL":tru}'],
  ['BOOL in capitals', '{"BOOL":True}'],
  ['BOOL that goes on', '{"BOOL":truely}'],
  ['NULL that is false', '{"NULL":false}'],
  ['NULL that is null', '{"NULL":null}'],
  ['NULL that is a text', '{"NULL":"true"}'],
  ['an empty SS', '{"SS":[]}'],
  ['an empty NS', '{"NS":[]}'],
  ['an empty BS', '{"BS":[]}'],
  ['an SS that is no array', '{"SS":"x"}'],
  ['an SS with a number', '{"SS":["x",5]}'],
  ['an SS with a value', '{"SS":[{"S":"x"}]}'],
  ['an SS with null', '{"SS":[null]}'],
  ['an SS with a trailing comma', '{"SS":["x",]}'],
  ['a member twice in an SS', '{"SS":["x","y","x"]}'],
  ['a member twice in an SS, once escaped', '{"SS":["x","\\u0078"]}'],
  [
    'a member twice in an SS of 40',
    `{"SS":[${Array.from({ length: 40 }, (_, i) => `"${i % 39}"`)}]}`,
  ],
  ['a number twice in an NS', '{"NS":["1","2","1"]}'],
  ['1 and 1.0 in an NS', '{"NS":["1","1.0"]}'],
  ['100 and 1E2 in an NS', '{"NS":["100","1E2"]}'],
  ['0 and -0 in an NS', '{"NS":["0","-0"]}'],
  ['0.5 and .50 in an NS', '{"NS":["0.5",".50"]}'],
  ['a word in an NS', '{"NS":["1","x"]}'],
  ['a bare number in an NS', '{"NS":[1]}'],
  ['an NS that is no array', '{"NS":"1"}'],
  ['a binary twice in a BS', '{"BS":["YQ==","YQ=="]}'],
  ['bad base64 in a BS', '{"BS":["YQ"]}'],
  ['padding bits set in a BS', '{"BS":["YR=="]}'],
  ['an L that is an object', '{"L":{}}'],
  ['an L that is a text', '{"L":"x"}'],
  ['an L with a bare text', '{"L":["x"]}'],
  ['an L with a trailing comma', '{"L":[{"S":"x"},]}'],
  ['an L with a comma first', '{"L":[,{"S":"x"}]}'],
  ['an L without a comma', '{"L":[{"S":"x"}{"S":"y"}]}'],
  ['an L closed by a brace', '{"L":[{"S":"x"}}}'],
  ['an M that is an array', '{"M":[]}'],
  ['an M with a bare text', '{"M":{"x":"y"}}'],
  ['an M with a trailing comma', '{"M":{"x":{"S":"y"},}}'],
  ['an M with a bare name', '{"M":{x:{"S":"y"}}}'],
  ['an M closed by a bracket', '{"M":{"x":{"S":"y"}]}'],
  ['a name twice in an M', '{"M":{"x":{"S":"y"},"x":{"S":"y"}}}'],
  ['a name twice in an M, once escaped', '{"M":{"x":{"S":"y"},"\\u0078":{"S":"y"}}}'],
  ['a name twice in an M, numbers', '{"M":{"x":{"N":"1"},"x":{"N":"1"}}}'],
  ['a name twice in an M, NULLs', '{"M":{"x":{"NULL":true},"x":{"NULL":true}}}'],
  ['an unknown name twice in an M', '{"M":{"q":{"S":"y"},"x":{"N":"1"},"q":{"S":"y"}}}'],
  ['an unknown name twice in an M, NULLs', '{"M":{"q":{"NULL":true},"q":{"NULL":true}}}'],
  ['a name twice deep in an M', '{"M":{"x":{"M":{"y":{"N":"1"},"y":{"N":"1"}}}}}'],
  ['a name twice in an M in an L', '{"L":[{"M":{"x":{"N":"1"},"x":{"N":"2"}}}]}'],
  [
    'a name twice in an M among misfits',
    '{"L":[{"BOOL":true},{"M":{"x":{"N":"1"},"x":{"S":"2"}}}]}',
  ],
  ['a bare line feed in a text', '{"S":"a\nb"}'],
  ['a bare tab in a text', '{"S":"a\tb"}'],
  ['a bare NUL in a text', '{"S":"a\u0000b"}'],
  ['a bare control character in a text', '{"S":"a\u001fb"}'],
  ['an unknown escape', '{"S":"\\x41"}'],
  ['an escape of a quote mark', '{"S":"\\\'"}'],
  ['a short \\u escape', '{"S":"\\u12"}'],
  ['a \\u escape that is no number', '{"S":"\\u12g4"}'],
  ['a \\U escape', '{"S":"\\U0041"}'],
  ['a high half of a pair alone', '{"S":"\\ud83d"}'],
  ['a high half and a letter', '{"S":"\\ud83dx"}'],
  ['a high half and another escape', '{"S":"\\ud83d\\n"}'],
  ['two high halves', '{"S":"\\ud83d\\ud83d"}'],
  ['a low half alone', '{"S":"\\ude00"}'],
  ['halves in the wrong order', '{"S":"\\ude00\\ud83d"}'],
  ['half a pair in a name', '{"M":{"\\ud83d":{"S":"x"}}}'],
  ['half a pair in a set', '{"SS":["\\ud83d"]}'],
  ['a text that does not end', '{"S":"x}'],
  ['a text that ends in a backslash', '{"S":"x\\'],
];

describe('a value that DynamoDB does not write is refused', () => {
  it.each(badValues)('%s', (_, value) => {
    for (const [place, { text, plans }] of Object.entries(places)) {
      const line = itemLine(`,"v":${text(value)}`);
      const codes = new Set(plans.map((plan) => codeOf(outcome(line, plan))));
      expect({ place, codes: [...codes] }).toEqual({ place, codes: ['REFUSED_RECORD'] });
    }
  });
});

const badLines: readonly (readonly [string, string, string])[] = [
  ['an empty line', '\n', 'REFUSED_RECORD'],
  ['spaces alone', '   \n', 'REFUSED_RECORD'],
  ['no JSON', 'hello\n', 'REFUSED_RECORD'],
  ['an array', '[]\n', 'REFUSED_RECORD'],
  ['an empty object', '{}\n', 'REFUSED_RECORD'],
  ['another name than Item', '{"item":{"pk":{"S":"p"},"sk":{"N":"1"}}}\n', 'REFUSED_RECORD'],
  ['an Item that is no object', '{"Item":[]}\n', 'REFUSED_RECORD'],
  ['Item and something else', '{"Item":{"pk":{"S":"p"},"sk":{"N":"1"}},"x":1}\n', 'REFUSED_RECORD'],
  ['garbage after the record', `${itemLine('').trim()} x\n`, 'REFUSED_RECORD'],
  ['two records on a line', `${itemLine('').trim()}${itemLine('')}`, 'REFUSED_RECORD'],
  ['a comma after the record', `${itemLine('').trim()},\n`, 'REFUSED_RECORD'],
  ['a record over two lines', '{"Item":\n{"pk":{"S":"p"},"sk":{"N":"1"}}}\n', 'REFUSED_RECORD'],
  ['a byte order mark', `\ufeff${itemLine('')}`, 'REFUSED_RECORD'],
  ['an empty Item', '{"Item":{}}\n', 'REFUSED_KEY'],
  ['no partition key', '{"Item":{"sk":{"N":"1"},"v":{"S":"x"}}}\n', 'REFUSED_KEY'],
  ['no sort key', '{"Item":{"pk":{"S":"p"}}}\n', 'REFUSED_KEY'],
  ['an empty partition key', '{"Item":{"pk":{"S":""},"sk":{"N":"1"}}}\n', 'REFUSED_KEY'],
  ['a NULL partition key', '{"Item":{"pk":{"NULL":true},"sk":{"N":"1"}}}\n', 'REFUSED_KEY'],
  ['a number as partition key', '{"Item":{"pk":{"N":"1"},"sk":{"N":"1"}}}\n', 'REFUSED_KEY'],
  ['a list as partition key', '{"Item":{"pk":{"L":[]},"sk":{"N":"1"}}}\n', 'REFUSED_KEY'],
  ['a text as sort key', '{"Item":{"pk":{"S":"p"},"sk":{"S":"1"}}}\n', 'REFUSED_KEY'],
  ['a NULL sort key', '{"Item":{"pk":{"S":"p"},"sk":{"NULL":true}}}\n', 'REFUSED_KEY'],
  ['a sort key that is no number', '{"Item":{"pk":{"S":"p"},"sk":{"N":"x"}}}\n', 'REFUSED_RECORD'],
  ['the key twice', itemLine(',"pk":{"S":"p"}'), 'REFUSED_RECORD'],
  ['an attribute twice', itemLine(',"v":{"S":"x"},"v":{"S":"x"}'), 'REFUSED_RECORD'],
  [
    'an attribute twice, once escaped',
    itemLine(',"v":{"S":"x"},"\\u0076":{"S":"x"}'),
    'REFUSED_RECORD',
  ],
  [
    'an attribute twice, as misfits',
    itemLine(',"v":{"BS":["YQ=="]},"v":{"L":[{"BOOL":true}]}'),
    'REFUSED_RECORD',
  ],
  ['an attribute twice, once NULL', itemLine(',"v":{"NULL":true},"v":{"S":"x"}'), 'REFUSED_RECORD'],
  ['an attribute twice, NULLs', itemLine(',"v":{"NULL":true},"v":{"NULL":true}'), 'REFUSED_RECORD'],
  ['__proto__ twice', itemLine(',"__proto__":{"S":"x"},"__proto__":{"S":"x"}'), 'REFUSED_RECORD'],
  ['a comma before the brace', itemLine(','), 'REFUSED_RECORD'],
  ['two commas', itemLine(',,"v":{"S":"x"}'), 'REFUSED_RECORD'],
  ['an attribute without a value', itemLine(',"v"'), 'REFUSED_RECORD'],
  ['an attribute with nothing after the colon', itemLine(',"v":'), 'REFUSED_RECORD'],
  ['101 levels', itemLine(`,"v":${'{"L":['.repeat(101)}${']}'.repeat(101)}`), 'REFUSED_LIMIT'],
  [
    '101 levels of maps',
    itemLine(`,"v":${'{"M":{"x":'.repeat(101)}{"S":""}${'}}'.repeat(101)}`),
    'REFUSED_LIMIT',
  ],
  ['100,000 levels', itemLine(`,"v":${'{"L":['.repeat(100_000)}`), 'REFUSED_LIMIT'],
];

describe('a line that DynamoDB does not write is refused', () => {
  it.each(badLines)('%s', (_, line, code) => {
    const codes = places['an attribute']!.plans.map((plan) => codeOf(outcome(line, plan)));
    expect([...new Set(codes)]).toEqual([code]);
  });

  it('names the line, from 0 in its block, and none of its content', () => {
    const scanner = scannerOf(emptyPlan);
    const block = itemLine('') + itemLine('') + itemLine(',"secret-name":{"S":"secret","x":1}');
    let caught: unknown;
    try {
      scanner.scanItems(Buffer.from(block));
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(RecordError);
    expect((caught as RecordError).line).toBe(2);
    expect((caught as RecordError).message).not.toContain('secret');
  });
});

const at = '"Metadata":{"WriteTimestampMicros":{"N":"1700000000000001"}}';
const keys = '"Keys":{"pk":{"S":"p"},"sk":{"N":"1"}}';
const image = '{"pk":{"S":"p"},"sk":{"N":"1"},"v":{"S":"x"}}';

const badChanges: readonly (readonly [string, string, string])[] = [
  ['an empty record', '{}', 'REFUSED_RECORD'],
  ['an item of a full export', `{"Item":${image}}`, 'REFUSED_RECORD'],
  ['no Keys', `{${at},"NewImage":${image}}`, 'REFUSED_KEY'],
  ['no Metadata', `{${keys},"NewImage":${image}}`, 'REFUSED_RECORD'],
  ['an unknown part', `{${at},${keys},"Image":${image}}`, 'REFUSED_RECORD'],
  ['Keys twice', `{${at},${keys},${keys}}`, 'REFUSED_RECORD'],
  ['Metadata twice', `{${at},${at},${keys}}`, 'REFUSED_RECORD'],
  ['NewImage twice', `{${at},${keys},"NewImage":${image},"NewImage":${image}}`, 'REFUSED_RECORD'],
  ['OldImage twice', `{${at},${keys},"OldImage":${image},"OldImage":${image}}`, 'REFUSED_RECORD'],
  ['one key too few', `{${at},"Keys":{"pk":{"S":"p"}}}`, 'REFUSED_KEY'],
  ['no keys', `{${at},"Keys":{}}`, 'REFUSED_KEY'],
  [
    'one key too many',
    `{${at},"Keys":{"pk":{"S":"p"},"sk":{"N":"1"},"z":{"N":"1"}}}`,
    'REFUSED_KEY',
  ],
  ['other keys', `{${at},"Keys":{"pk":{"S":"p"},"z":{"N":"1"}}}`, 'REFUSED_KEY'],
  ['a key of another type', `{${at},"Keys":{"pk":{"S":"p"},"sk":{"S":"1"}}}`, 'REFUSED_KEY'],
  ['an empty key', `{${at},"Keys":{"pk":{"S":""},"sk":{"N":"1"}}}`, 'REFUSED_KEY'],
  ['a NULL key', `{${at},"Keys":{"pk":{"NULL":true},"sk":{"N":"1"}}}`, 'REFUSED_KEY'],
  ['a key twice', `{${at},"Keys":{"pk":{"S":"p"},"pk":{"S":"p"}}}`, 'REFUSED_RECORD'],
  [
    'Keys unlike NewImage',
    `{${at},"Keys":{"pk":{"S":"p"},"sk":{"N":"2"}},"NewImage":${image}}`,
    'REFUSED_KEY',
  ],
  [
    'Keys unlike OldImage',
    `{${at},"Keys":{"pk":{"S":"q"},"sk":{"N":"1"}},"OldImage":${image}}`,
    'REFUSED_KEY',
  ],
  [
    'NewImage unlike Keys, before them',
    `{"NewImage":${image},${at},"Keys":{"pk":{"S":"q"},"sk":{"N":"1"}}}`,
    'REFUSED_KEY',
  ],
  ['a NewImage without its key', `{${at},${keys},"NewImage":{"pk":{"S":"p"}}}`, 'REFUSED_KEY'],
  ['an empty NewImage', `{${at},${keys},"NewImage":{}}`, 'REFUSED_KEY'],
  ['an OldImage without its key', `{${at},${keys},"OldImage":{"sk":{"N":"1"}}}`, 'REFUSED_KEY'],
  [
    'an attribute twice in NewImage',
    `{${at},${keys},"NewImage":{"pk":{"S":"p"},"sk":{"N":"1"},"v":{"S":"x"},"v":{"S":"x"}}}`,
    'REFUSED_RECORD',
  ],
  [
    'an attribute twice in OldImage',
    `{${at},${keys},"OldImage":{"pk":{"S":"p"},"sk":{"N":"1"},"v":{"S":"x"},"v":{"S":"x"}}}`,
    'REFUSED_RECORD',
  ],
  [
    'a bad value in OldImage',
    `{${at},${keys},"OldImage":{"pk":{"S":"p"},"sk":{"N":"1"},"v":{"S":5}}}`,
    'REFUSED_RECORD',
  ],
  ['NewImage null', `{${at},${keys},"NewImage":null}`, 'REFUSED_RECORD'],
  ['unknown metadata', `{"Metadata":{"Time":{"N":"1"}},${keys}}`, 'REFUSED_RECORD'],
  ['empty metadata', `{"Metadata":{},${keys}}`, 'REFUSED_RECORD'],
  [
    'a time that is a text',
    `{"Metadata":{"WriteTimestampMicros":{"S":"1"}},${keys}}`,
    'REFUSED_RECORD',
  ],
  [
    'a time with a fraction',
    `{"Metadata":{"WriteTimestampMicros":{"N":"1.5"}},${keys}}`,
    'REFUSED_RECORD',
  ],
  ['a negative time', `{"Metadata":{"WriteTimestampMicros":{"N":"-1"}},${keys}}`, 'REFUSED_RECORD'],
  [
    'a time beyond 2^53',
    `{"Metadata":{"WriteTimestampMicros":{"N":"9007199254740993"}},${keys}}`,
    'REFUSED_RECORD',
  ],
  ['an empty time', `{"Metadata":{"WriteTimestampMicros":{"N":""}},${keys}}`, 'REFUSED_RECORD'],
  [
    'a time of letters',
    `{"Metadata":{"WriteTimestampMicros":{"N":"now"}},${keys}}`,
    'REFUSED_RECORD',
  ],
  [
    'two times',
    `{"Metadata":{"WriteTimestampMicros":{"N":"1"},"WriteTimestampMicros":{"N":"1"}},${keys}}`,
    'REFUSED_RECORD',
  ],
  ['garbage after the record', `{${at},${keys}} x`, 'REFUSED_RECORD'],
];

describe('a change record that DynamoDB does not write is refused', () => {
  it.each(badChanges)('%s', (_, line, code) => {
    const plans = places['an attribute']!.plans;
    const codes = plans.map((plan) => codeOf(outcome(`${line}\n`, plan, 'changes')));
    expect([...new Set(codes)]).toEqual([code]);
  });
});

describe('a change record that DynamoDB does write is taken', () => {
  it.each([
    ['{"WriteTimestampMicros":{"N":"1700000000000001"}}'],
    ['{"WriteTimestampMicros":"1700000000000001"}'],
    ['{"WriteTimestampMicros":1700000000000001}'],
    ['{ "WriteTimestampMicros" : { "N" : "1700000000000001" } }'],
  ])('with its time as %s', (metadata) => {
    for (const parts of [
      [`"Metadata":${metadata}`, keys, `"NewImage":${image}`],
      [`"NewImage":${image}`, `"OldImage":${image}`, keys, `"Metadata":${metadata}`],
    ]) {
      const scanner = scannerOf(emptyPlan);
      scanner.scanChanges(Buffer.from(`{${parts.join(',')}}\n`));
      const { rows } = scanner.finish();
      expect(rows.writtenAt.bigintAt(0)).toBe(1700000000000001n);
      expect(rows.lives.flags[0]).toBe(1);
      expect(writtenBack(rows)).toEqual([canonicalLine(`{"Item":${image}}`)]);
    }
  });

  it('as a deletion when it has no NewImage, with its key in the columns', () => {
    const scanner = scannerOf(emptyPlan);
    const dead = `{${at},"Keys":{"sk":{"N":"1.50"},"pk":{"S":"é\\n"}},"OldImage":{"pk":{"S":"é\\u000a"},"sk":{"N":"15E-1"},"w":{"N":"1"}}}`;
    scanner.scanChanges(Buffer.from(`{${at},${keys},"NewImage":${image}}\n${dead}\n`));
    const { rows } = scanner.finish();
    expect([...rows.lives.flags.subarray(0, 2)]).toEqual([1, 0]);
    expect(writtenBack(rows)[1]).toBe(
      canonicalLine('{"Item":{"pk":{"S":"é\\n"},"sk":{"N":"1.5"}}}'),
    );
  });
});

// ---- one rich line, cut and altered at every byte

const rich =
  '{"Item":{"pk":{"S":"p\\u00e9"},"sk":{"N":"-12.50"},"n":{"N":"7"},"b":{"B":"YWI\\u003d"},"t":{"BOOL":true},' +
  '"z":{"NULL":true},"ss":{"SS":["q","p"]},"ns":{"NS":["10","9.5"]},"bs":{"BS":["YQ==","\\/w=="]},' +
  '"l":{"L":[{"M":{"x":{"N":"1"},"y":{"S":"\\ud83d\\ude00"}}},{"M":{"x":{"NULL":true}}}]},' +
  '"m":{"M":{"k1":{"N":"1E2"},"k2":{"L":[]}}}, "\\u0064" : { "M" : { } } ,"c":{"M":{"u":{"N":"3"}}}}}';
const dictionaryType: ColumnType = { kind: 'MAP', keyId: 0, valueId: 0, value: long };
const richItem = itemFromParsed((JSON.parse(rich) as { Item: unknown }).Item);
const richPlan: readonly TypedAttribute[] = typesOf([richItem]).map((column) =>
  column.attribute === 'c' ? { attribute: 'c', type: dictionaryType } : column,
);
const jsonPlan: readonly TypedAttribute[] = typesOf([richItem]).map((column, i) =>
  i < 2 ? column : { attribute: column.attribute, type: { kind: 'JSON' } },
);

/** How many names of objects a text of JSON has, and how many its parsed form has: fewer when one stands twice. */
function hasDoubles(text: string, parsed: unknown): boolean {
  const count = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 0;
    return Object.values(value).reduce<number>(
      (sum, one) => sum + count(one),
      Array.isArray(value) ? 0 : Object.keys(value).length,
    );
  };
  const names = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter((match) => match[1]);
  return names.length !== count(parsed);
}

function wellFormedNumber(text: string): boolean {
  if (!/^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$/.test(text)) return false;
  const plainText = canonicalNumber(text).replace('-', '');
  const [whole = '', fraction = ''] = plainText.split('.');
  const all = (whole + fraction).replace(/^0+|0+$/g, '');
  if (all === '') return true;
  const magnitude = whole === '0' ? -(/^0*/.exec(fraction)![0].length + 1) : whole.length - 1;
  return all.length <= 38 && magnitude <= 125 && magnitude >= -130;
}

function wellFormedText(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}

function distinct(members: readonly string[]): boolean {
  return members.length > 0 && new Set(members).size === members.length;
}

function base64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text;
}

function wellFormed(value: AttributeValue): boolean {
  if ('S' in value) return wellFormedText(value.S);
  if ('N' in value) return wellFormedNumber(value.N);
  if ('B' in value) return base64(value.B);
  if ('SS' in value) return distinct(value.SS) && value.SS.every(wellFormedText);
  if ('NS' in value)
    return value.NS.every(wellFormedNumber) && distinct(value.NS.map(canonicalNumber));
  if ('BS' in value) return value.BS.every(base64) && distinct(value.BS);
  if ('L' in value) return value.L.every(wellFormed);
  if ('M' in value) return wellFormedItem(value.M);
  return true;
}

function wellFormedItem(item: Item): boolean {
  return [...item].every(([name, value]) => wellFormedText(name) && wellFormed(value));
}

/** The oracle: the canonical text of a line, or null when it is to be refused. */
function judged(text: string): string | null {
  if (text.includes('\n')) return null;
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>;
    if (Object.keys(parsed).join() !== 'Item' || hasDoubles(text, parsed)) return null;
    const item = itemFromParsed(parsed.Item);
    if (!wellFormedItem(item)) return null;
    for (const { name, tag } of key) {
      const value = item.get(name) as Record<string, unknown> | undefined;
      if (value === undefined || !(tag in value) || value[tag] === '') return null;
    }
    return canonicalItem(item);
  } catch {
    return null;
  }
}

describe('one rich line', () => {
  const plans = [emptyPlan, richPlan, jsonPlan];

  it('is taken as it stands, with spaces anywhere, and with escapes anywhere', () => {
    const expected = canonicalItem(richItem);
    const spaced = rich.replace(/(?<=[{}[\],:"])(?=[{}[\],:"])/g, (_, index: number) => {
      // Not inside a string: count the quotes before.
      const before = rich.slice(0, index).replace(/\\./g, '').split('"').length - 1;
      return before % 2 === 0 ? ' \t\r ' : '';
    });
    const escaped = rich.replace(/(?<!\\)"((?:[^"\\]|\\.)*)"/g, (_, inside: string) => {
      const letters = inside.replace(/\\.[^\\]*|[\s\S]/g, (c) =>
        c.length > 1 ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`,
      );
      return `"${letters}"`;
    });
    expect(canonicalItem(itemFromParsed((JSON.parse(spaced) as { Item: unknown }).Item))).toBe(
      expected,
    );
    expect(canonicalItem(itemFromParsed((JSON.parse(escaped) as { Item: unknown }).Item))).toBe(
      expected,
    );
    expect(escaped).not.toBe(rich);
    for (const plan of plans) {
      for (const text of [rich, spaced, escaped, `${rich} \r\n`, ` ${rich}\n`]) {
        expect(outcome(text, plan)).toEqual({ taken: [expected] });
      }
    }
  });

  it('is refused when cut at any byte', () => {
    const bytes = Buffer.from(rich);
    for (const plan of plans) {
      for (let end = 1; end < bytes.length; end++) {
        for (const tail of ['', '\n']) {
          const cut = Buffer.concat([bytes.subarray(0, end), Buffer.from(tail)]);
          const code = codeOf(outcome(cut, plan));
          expect({ end, tail, code }).toEqual({ end, tail, code: 'REFUSED_RECORD' });
        }
      }
    }
  });

  it('with any one byte altered is either what the oracle reads, or refused as by the oracle', () => {
    const others = '"\\{}[]:, \n\u00010.-EunSNMx=';
    for (let at = 0; at < rich.length; at++) {
      for (const other of others) {
        if (rich[at] === other) continue;
        const text = rich.slice(0, at) + other + rich.slice(at + 1);
        const expected = judged(text);
        for (const plan of (at * 31 + other.charCodeAt(0)) % 5 === 0 ? plans : [richPlan]) {
          const result = outcome(text, plan);
          const read = 'taken' in result ? result.taken[0]! : null;
          if (read !== expected) expect({ at, other, text, result }).toEqual({ expected });
        }
      }
    }
  });

  it('with any one byte left out or doubled is what the oracle reads, or refused', () => {
    for (let at = 0; at < rich.length; at++) {
      for (const text of [
        rich.slice(0, at) + rich.slice(at + 1),
        rich.slice(0, at) + rich.slice(at - 1),
      ]) {
        const result = outcome(text, richPlan);
        const read = 'taken' in result ? result.taken[0]! : null;
        if (read !== judged(text)) expect({ at, text, result }).toEqual({ expected: judged(text) });
      }
    }
  });
});

describe('values at the edge that DynamoDB does write', () => {
  const edges: readonly (readonly [string, string])[] = [
    ['100 levels', `${'{"L":['.repeat(100)}${']}'.repeat(100)}`],
    ['100 levels with a text', `${'{"L":['.repeat(100)}{"S":"x"}${']}'.repeat(100)}`],
    ['32 levels of maps', `${'{"M":{"x":'.repeat(32)}{"N":"1"}${'}}'.repeat(32)}`],
    ['an empty text', '{"S":""}'],
    ['an empty binary', '{"B":""}'],
    ['an empty list', '{"L":[]}'],
    ['an empty map', '{"M":{}}'],
    ['a set of an empty text', '{"SS":[""]}'],
    ['38 digits', `{"N":"${'9'.repeat(38)}"}`],
    ['the largest number', `{"N":"${'9'.repeat(38)}E+88"}`],
    ['the smallest number', '{"N":"1E-130"}'],
    ['minus zero', '{"N":"-0"}'],
    ['a number with a capital exponent', '{"N":"1.5E+10"}'],
    ['a list of thousands', `{"L":[${Array.from({ length: 5000 }, () => '{"NULL":true}')}]}`],
    [
      'every control character',
      `{"S":"${Array.from({ length: 32 }, (_, i) => `\\u${i.toString(16).padStart(4, '0')}`).join('')}"}`,
    ],
    ['a long escaped text', `{"S":"${'\\n\\"\\\\\\/\\b\\f\\r\\t'.repeat(5000)}"}`],
    ['a binary of 100 KB', `{"B":"${Buffer.alloc(100_000, 0xfb).toString('base64')}"}`],
    [
      'a binary of 100 KB with escaped slashes',
      `{"B":"${Buffer.alloc(99_999, 0xff).toString('base64').replaceAll('/', '\\/')}"}`,
    ],
    ['spaces before literals', '{"BOOL" : true}'],
    ['a space after the colon of BOOL', '{"BOOL": false}'],
    ['a space after the colon of N', '{"N": "1"}'],
    ['spaces in sets', '{"SS": [ "a" , "b" ] }'],
    ['a line separator in a text', '{"S":"\u2028\u2029\ufeff"}'],
  ];

  it.each(edges)('%s', (_, value) => {
    const line = itemLine(`,"v":${value}`);
    const expected = canonicalItem(
      new Map<string, AttributeValue>([
        ['pk', { S: 'p' }],
        ['sk', { N: '1' }],
        ['v', attributeFromParsed(JSON.parse(value))],
      ]),
    );
    const parsed = itemFromParsed((JSON.parse(line) as { Item: unknown }).Item);
    for (const plan of [...places['an attribute']!.plans, typesOf([parsed])]) {
      expect(outcome(line, plan)).toEqual({ taken: [expected] });
    }
  });
});
