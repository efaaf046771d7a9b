/** The JSON schema of dbguard.yaml against the reader of dbguard.yaml: over documents that either of them might take. */
import { createRequire } from 'node:module';
import fc from 'fast-check';
import t from 'tap';
import { checkConfig } from '../../src/policy/config.js';
import { configSchema, type JsonSchema } from '../../src/policy/schema.js';

interface Validator {
  (document: unknown): boolean;
  readonly errors?: readonly { readonly instancePath: string; readonly message?: string }[] | null;
}

// a validator that others wrote: the MCP SDK brings it
const nearSdk = createRequire(createRequire(import.meta.url).resolve('@modelcontextprotocol/sdk/server/mcp.js'));
const { default: Ajv } = nearSdk('ajv/dist/2020.js') as {
  default: new (options: object) => { compile(schema: object): Validator };
};
const schema = JSON.parse(JSON.stringify(configSchema())) as JsonSchema;
const valid = new Ajv({ strict: false, allErrors: false }).compile(schema);

/** Texts that some key takes: a document with nothing but wrong ones would say little. */
const texts = [
  ...['postgresql://app@db.example.com/shop', 'host=db dbname=shop', 'file:./transcripts', 's3://audit/dbguard'],
  ...['https://login.example.com', '60s', '12h', '90d', '1MiB', '10%', '> 1000', '22:00-06:00', 'Europe/Berlin'],
  ...[
    'public.orders',
    'public.customers.ssn',
    'main',
    'on-request',
    'any',
    '$.ssn',
    '***-####',
    'off',
    'null',
    'group:leads',
  ],
  ...['ada@example.com', '127.0.0.1:6432', 'registry.example.com', '/srv/data', 'READONLY_DATABASE_URL', 'x y'],
];
const anything = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, 7, -1, 1.5, '', [], {}, ['main'], { nope: 1 }),
  fc.constantFrom(...texts),
);

/** Documents of a schema, each part of them now and then something else. */
function documents(of: JsonSchema | boolean, depth = 0): fc.Arbitrary<unknown> {
  const made = of === true ? anything : of === false ? anything : madeBy(of, depth);
  return fc.oneof({ weight: 40, arbitrary: made }, { weight: 1, arbitrary: anything });
}

function madeBy(of: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const variants = (of.anyOf ?? of.oneOf) as readonly JsonSchema[] | undefined;
  if (variants !== undefined) return fc.oneof(...variants.map((one) => documents(one, depth)));
  if (of.enum !== undefined) return fc.constantFrom(...(of.enum as unknown[]));
  if ('const' in of) return fc.constant(of.const);
  switch (of.type) {
    case 'null':
      return fc.constant(null);
    case 'string':
      return fc.constantFrom(...texts);
    case 'integer':
      return fc.integer({ min: of.minimum as number, max: of.maximum as number });
    case 'number':
      return fc.oneof(fc.integer({ min: -5, max: 2000 }), fc.constantFrom(0.5, 2.25));
    case 'array':
      return fc.array(documents(of.items as JsonSchema, depth + 1), { maxLength: 2 });
    default:
      return mapping(of, depth);
  }
}

function mapping(of: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const {
    properties,
    additionalProperties,
    required = [],
  } = of as {
    properties?: Record<string, JsonSchema | boolean>;
    additionalProperties: JsonSchema | boolean;
    required?: string[];
  };
  if (properties === undefined)
    return fc.dictionary(fc.constantFrom('main', 'staging', 'readonly'), documents(additionalProperties, depth + 1), {
      maxKeys: 2,
    });
  const known = Object.entries(properties);
  return fc
    .tuple(
      fc.subarray(known, { maxLength: Math.min(known.length, depth === 0 ? 4 : 3) }),
      fc.integer({ min: 0, max: 30 }),
    )
    .chain(([some, slip]) => {
      const chosen = new Map([...known.filter(([key]) => required.includes(key) && slip !== 1), ...some]);
      const parts = Object.fromEntries([...chosen].map(([key, one]) => [key, documents(one, depth + 1)]));
      return fc.record(slip === 0 ? { ...parts, [`${known[0]?.[0]}s`]: anything } : parts);
    });
}

/** What is wrong with the shape of a document, in the reader's words: all of that an editor has to show. */
const aboutShape =
  /unknown key|^the key ".*" is missing|^expected one of |found (?:nothing|an? (?:mapping|list|number)|true|false|something)|^expected a whole number|^expected either|, not both$|goes with .* only$|the list is empty|^expected subject, group/;
/** The reader sees more than a schema can say: it looks at several keys together. */
const together =
  /"as" goes with|"as" needs|"timezone" goes with|needs either "hide" or "show"|is for s3:\/\/ buckets only|"password_command" or "rds_iam"|"password_command" goes with|"issuer" goes with/;

t.test('it refuses nothing that the reader takes, and lets nothing through whose shape the reader refuses', (t) => {
  let [taken, refused] = [0, 0];
  fc.assert(
    fc.property(documents(schema), (document) => {
      const { problems } = checkConfig(JSON.stringify(document), 'dbguard.yaml');
      const shape = problems.filter(({ message }) => aboutShape.test(message) && !together.test(message));
      const fits = valid(document);
      if (fits) taken++;
      else refused++;
      if (problems.length === 0 && !fits) throw new Error(`refused: ${JSON.stringify(valid.errors?.[0])}`);
      if (fits && shape.length > 0) throw new Error(`let through: ${shape[0]?.path}: ${shape[0]?.message}`);
    }),
    { numRuns: 4000 },
  );
  t.ok(taken > 300 && refused > 300, `${taken} taken, ${refused} refused`);
  t.end();
});
