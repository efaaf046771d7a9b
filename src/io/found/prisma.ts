/** Prisma: the datasource of schema.prisma, or of prisma.config.ts, read as text. */
import type { Project, Raw } from './found.js';

const schemas = ['prisma/schema.prisma', 'schema.prisma', 'db/schema.prisma'] as const;
const configs = ['prisma.config.ts', 'prisma.config.js', 'prisma.config.mjs', '.config/prisma.ts'] as const;

export function prisma(project: Project): Raw[] {
  const named = /"schema"\s*:\s*"([^"]+)"/.exec(
    /"prisma"\s*:\s*\{[^}]*\}/.exec(project.read('package.json') ?? '')?.[0] ?? '',
  );
  const paths = [...(named?.[1] ? [named[1].replace(/^\.\//, '')] : []), ...schemas];
  const schema = paths.flatMap((path) => {
    const text = project.read(path)?.replace(/^\s*\/\/.*$/gm, '');
    const block = /\bdatasource\s+\w+\s*\{([^}]*)\}/.exec(text ?? '')?.[1];
    return block === undefined ? [] : fromText(project, path, block, /^\s*url\s*=\s*(.*)$/m);
  });
  const config = configs.flatMap((path) => {
    const text = project.read(path)?.replace(/^\s*\/\/.*$/gm, '');
    const block = /\bdatasource\s*:\s*\{([^}]*)\}/.exec(text ?? '')?.[1];
    return block === undefined ? [] : fromText(project, path, block, /\burl\s*:\s*([^,\n]*)/);
  });
  return [...schema, ...config];
}

function fromText(project: Project, path: string, block: string, assignment: RegExp): Raw[] {
  const value = assignment.exec(block)?.[1]?.trim() ?? '';
  const literal = /^["'`]([^"'`$]+)["'`]/.exec(value)?.[1];
  if (literal !== undefined) return [{ says: path, source: path, file: path, text: literal }];
  const name = /^(?:env(?:<\w+>)?\(\s*["'`](\w+)["'`]|process\.env\.(\w+)|process\.env\[["'`](\w+)["'`]\])/.exec(value);
  const variable = name?.[1] ?? name?.[2] ?? name?.[3];
  const found = variable === undefined ? undefined : project.variable(variable);
  if (variable === undefined || found === undefined) return [];
  const { value: text, file } = found;
  return [
    {
      says: `${path} (${variable} in ${file ?? 'the environment'})`,
      source: path,
      text,
      ...(file === undefined ? {} : { file }),
    },
  ];
}
