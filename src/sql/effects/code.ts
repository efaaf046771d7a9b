/** Statements that carry code: DO, CREATE FUNCTION, ALTER FUNCTION. Their bodies are read where the language allows. */
import type { CreateFunctionStmt } from 'libpg-query';
import type { Scope } from '../conditions/scope.js';
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
    const understood = language === 'plpgsql' && plpgsqlBlock(body, walk);
    walk.add('execute-code', { opaque: !understood, detail: `language ${language}` });
  },

  CreateFunctionStmt(create, walk, scope) {
    walk.command ||= create.is_procedure === true ? 'CREATE PROCEDURE' : 'CREATE FUNCTION';
    const path = names(create.funcname);
    const target = functionTarget(path.at(-2), path.at(-1) ?? '');
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
