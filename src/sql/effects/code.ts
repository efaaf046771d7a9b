/**
 * Statements that carry code: DO, CREATE FUNCTION, ALTER FUNCTION. Their bodies are read where the language allows; a
 * body that runs and was read to its end has said all by its own effects.
 */
import type { CreateFunctionStmt } from 'libpg-query';
import type { Scope } from '../conditions/scope.js';
import type { Target } from '../facts.js';
import { as, names, optionText } from '../grammar/tree.js';
import type { Handlers, Walk } from './effect-walk.js';
import { functionTarget } from './functions.js';
import { pathTarget } from './objects.js';
import { plpgsqlBlock, plpgsqlBody } from './plpgsql.js';

export const codeHandlers: Handlers = {
  DoStmt(block, walk) {
    walk.command ||= 'DO';
    const language = optionText(block.args, 'language') ?? 'plpgsql';
    const body = optionText(block.args, 'as') ?? '';
    if (language === 'plpgsql' && plpgsqlBlock(body, walk)) walk.add('read');
    else walk.add('execute-code', { opaque: true, detail: `language ${language}` });
  },

  CreateFunctionStmt(create, walk, scope) {
    walk.command ||= create.is_procedure === true ? 'CREATE PROCEDURE' : 'CREATE FUNCTION';
    const path = names(create.funcname);
    const target = functionTarget(path.at(-2), path.at(-1) ?? '');
    if (path.length === 2 && path[0] === 'pg_temp' && createTemporary(create, target, walk, scope)) return;
    const replace = create.replace === true;
    walk.add(replace ? 'alter' : 'create', { targets: [target], ...(replace ? { detail: 'or replace' } : {}) });

    const language = optionText(create.options, 'language') ?? 'sql';
    let understood = false;
    walk.in('define', () => {
      understood = readBody(create, language, walk, scope);
      for (const parameter of create.parameters ?? []) walk.visitBelow(as(parameter, 'FunctionParameter'), scope);
    });
    const words = [`language ${language}`, isSecurityDefiner(create) ? 'security definer' : ''].filter(Boolean);
    walk.add('execute-code', { targets: [target], opaque: !understood, detail: `${words.join(', ')}, in definition` });
  },

  AlterFunctionStmt(alter, walk) {
    walk.command ||= alter.objtype === 'OBJECT_PROCEDURE' ? 'ALTER PROCEDURE' : 'ALTER FUNCTION';
    walk.add('alter', { targets: [pathTarget('function', names(alter.func?.objname))] });
  },

  ReturnStmt: (statement, walk, scope) => walk.visit(statement.returnval, scope),
};

/**
 * Sequelize's findOrCreate makes such a function and calls it in the same text. Nobody finds it who does not say
 * pg_temp, and it is gone with the session; what it does counts as done here, so that no later call does more.
 */
function createTemporary(create: CreateFunctionStmt, target: Target, walk: Walk, scope: Scope): boolean {
  const options = (create.options ?? []).map((node) => as(node, 'DefElem')?.defname ?? '');
  if (create.is_procedure === true || walk.mode !== 'run' || !options.every((one) => plainOptions.has(one)))
    return false;
  const parameters = (create.parameters ?? []).map((node) => as(node, 'FunctionParameter'));
  const inner = walk.apart();
  inner.variables = new Set([...parameters.flatMap((one) => one?.name ?? []), target.name]);
  for (const parameter of parameters) inner.visitBelow(parameter, scope);
  if (!readBody(create, optionText(create.options, 'language') ?? 'sql', inner, scope)) return false;
  walk.add('create', { targets: [target], temporary: true, detail: 'temporary' });
  walk.absorb(inner);
  if (parameters.every((one) => one?.mode === 'FUNC_PARAM_OUT')) walk.madeBefore?.set(target.name, inner);
  return true;
}

/** No SECURITY DEFINER, no SET, no SUPPORT: those do more than the body says. */
const plainOptions: ReadonlySet<string> = new Set([
  'language',
  'as',
  'volatility',
  'strict',
  'cost',
  'rows',
  'parallel',
]);

function readBody(create: CreateFunctionStmt, language: string, walk: Walk, scope: Scope): boolean {
  if (create.sql_body !== undefined) {
    walk.visit(create.sql_body, scope);
    return true;
  }
  const body = optionText(create.options, 'as');
  if (body === undefined) return false;
  if (language === 'sql') return walk.text(body);
  return language === 'plpgsql' && plpgsqlBody(walk.source, walk);
}

function isSecurityDefiner(create: CreateFunctionStmt): boolean {
  return (create.options ?? []).some((node) => {
    const option = as(node, 'DefElem');
    return option?.defname === 'security' && as(option.arg, 'Boolean')?.boolval === true;
  });
}
