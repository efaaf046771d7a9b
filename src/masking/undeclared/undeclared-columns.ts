/**
 * The columns of results that nobody declared, as detectors see them: which are looked at, and under which name they are
 * reported.
 *
 * State: the evidence for each column of one database, over all connections of a run. Must not know messages.
 */
import type { Detectable } from '../../policy/mask-kinds.js';
import type { DetectorMode, DetectorPolicy } from '../../policy/read-detectors.js';
import {
  baseColumn,
  type CatalogColumn,
  type CatalogRelation,
  type LineageCatalog,
} from '../../sql/lineage/catalog.js';
import { isMeasured } from '../../sql/lineage/measured.js';
import type { Column, Shape } from '../../sql/lineage/shape.js';
import type { RowField } from '../../wire/row-description.js';
import type { Detected } from '../detectors/detected.js';
import type { CellMask, Format } from '../kinds/cell.js';
import type { MaskLookup } from '../masked-columns.js';
import { ColumnEvidence } from './column-evidence.js';
import { readText, redaction, textIn } from './redaction.js';

/** Takes one value of a column that is looked at. */
export interface Watched {
  readonly done: boolean;
  look(value: Buffer): void;
  report(): Detected | undefined;
}

export interface OutputColumns {
  readonly count: number;
  readonly shape: Shape;
  readonly fields: readonly RowField[] | undefined;
  formatOf(at: number): Format;
  /** What is masked anyway is not looked at. */
  readonly masks: readonly (CellMask | undefined)[] | undefined;
  /** Of columns that somebody has declared, those included that a person has lifted. */
  readonly declared: MaskLookup;
}

interface Origin {
  readonly name: string;
  readonly table: string;
  readonly column: string;
  readonly tags: CatalogColumn['tags'];
  readonly type: { readonly oid: number | undefined; readonly textual: boolean };
  readonly declarable: boolean;
}

export class UndeclaredColumns {
  readonly #catalog: LineageCatalog;
  readonly #evidence = new Map<string, ColumnEvidence>();
  readonly #reported: readonly Detectable[];
  readonly #masked: readonly Detectable[];
  /** Of each result, to report. */
  readonly rows: number;

  constructor({ modes, rows }: DetectorPolicy, catalog: LineageCatalog) {
    const those = (...wanted: DetectorMode[]): Detectable[] =>
      (Object.keys(modes) as Detectable[]).filter((what) => wanted.includes(modes[what] ?? 'off'));
    this.#catalog = catalog;
    this.#reported = those('report', 'mask');
    this.#masked = those('mask');
    this.rows = rows;
  }

  /** Something is to be hidden in what passes. */
  get masks(): boolean {
    return this.#masked.length > 0;
  }

  /** For each column what hides in it, and who looks at it; undefined where nobody has to. */
  over(output: OutputColumns): (readonly [CellMask | undefined, Watched | undefined])[] {
    return Array.from({ length: output.count }, (_one, at) => {
      if (output.masks?.[at] !== undefined || isDeclared(output, at)) return [undefined, undefined];
      const origin = this.#originOf(output, at);
      const field = output.fields?.[at];
      const type = {
        oid: field?.typeOid ?? origin.type.oid,
        textual: field === undefined || field.typeOid === origin.type.oid ? origin.type.textual : false,
      };
      const where = textIn(type);
      if (where === undefined || isSettled(origin)) return [undefined, undefined];
      const hides = this.#masked.length === 0 ? undefined : redaction(this.#masked, type, output.formatOf(at));
      const evidence = this.#evidenceOf(origin);
      const watched: Watched = {
        get done() {
          return evidence.done;
        },
        look: (value) => {
          if (value.length >= shortest) evidence.look(readText(value, where));
        },
        report: () => {
          const what = evidence.report();
          return what.length === 0 ? undefined : { column: evidence.name, what, declarable: origin.declarable };
        },
      };
      return [hides, evidence.done ? undefined : watched];
    });
  }

  #evidenceOf({ name, table, column }: Origin): ColumnEvidence {
    const known = this.#evidence.get(name);
    if (known !== undefined) return known;
    const evidence = new ColumnEvidence(name, table, column, this.#reported);
    // names of computed columns are the client's to choose
    if (this.#evidence.size < columnsKept) this.#evidence.set(name, evidence);
    return evidence;
  }

  /** The column that the value comes from: as it is, or as the only one that has a part in it. */
  #originOf({ shape, fields, count }: OutputColumns, at: number): Origin {
    const field = fields?.[at];
    const column = shape.columns?.length === count ? shape.columns[at] : undefined;
    const relation = field && this.#catalog.byOid(field.tableOid);
    const own = relation?.columns.find((one) => one.number === field?.columnNumber);
    const from = column && this.#onlySource(column);
    // a view says less than the table behind it
    if (from !== undefined) return originOf(...from);
    if (relation !== undefined && own !== undefined) return originOf(relation, own);
    const name = column?.name ?? `column ${at + 1}`;
    const type = { oid: undefined, textual: false };
    return { name: `"${name}" (computed)`, table: '', column: name, tags: undefined, type, declarable: false };
  }

  #onlySource({ flow }: Column): [CatalogRelation, CatalogColumn] | undefined {
    const [only, ...more] = flow;
    if (only === undefined || more.length > 0 || isMeasured(only)) return undefined;
    const [oid, number] = only.split('.').map(Number);
    const relation = this.#catalog.byOid(oid ?? 0);
    const column = relation?.columns.find(
      (one) => baseColumn(relation.oid, one.number) === only && one.number === number,
    );
    return relation && column && [relation, column];
  }
}

/** Shorter than whatever a detector knows. */
const shortest = 6;
const columnsKept = 10_000;

function originOf(relation: CatalogRelation, { name, tags, type, textual }: CatalogColumn): Origin {
  return {
    name: `${relation.schema}.${relation.name}.${name}`,
    table: relation.name,
    column: name,
    tags,
    type: { oid: type, textual },
    declarable: true,
  };
}

function isDeclared({ shape, fields, count, declared }: OutputColumns, at: number): boolean {
  const flow = shape.columns?.length === count ? shape.columns[at]?.flow : undefined;
  const field = fields?.[at];
  if (field !== undefined && declared.get(baseColumn(field.tableOid, field.columnNumber)) !== undefined) return true;
  return flow !== undefined && declared.of(flow).length > 0;
}

/** Somebody has looked at it and said so in the database: `dbguard:mask=none`. PostgreSQL's own catalogs are no news. */
function isSettled({ tags = [], name }: Origin): boolean {
  return tags.length > 0 || /^(pg_catalog|information_schema)\./.test(name);
}
