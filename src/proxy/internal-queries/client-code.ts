/**
 * Code that the client may have written itself, and that would run as the role: a trigger or a function without a
 * search_path of its own finds whatever the session's path has under the name. Undefined where there is none.
 */
export const clientCodeSql = `
  SELECT code.name FROM (
    SELECT 1, 'the function ' OPERATOR(pg_catalog.||) p.proname
      FROM pg_catalog.pg_proc p
     WHERE p.pronamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
        OR pg_catalog.pg_has_role(session_user, p.proowner, 'USAGE')
    UNION ALL
    SELECT 2, 'the operator ' OPERATOR(pg_catalog.||) o.oprname
      FROM pg_catalog.pg_operator o
     WHERE o.oprnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
        OR pg_catalog.pg_has_role(session_user, o.oprowner, 'USAGE')
    UNION ALL
    SELECT 3, 'the type ' OPERATOR(pg_catalog.||) y.typname
      FROM pg_catalog.pg_type y
     WHERE y.typtype OPERATOR(pg_catalog.=) ANY (ARRAY['d', 'b', 'r']::pg_catalog."char"[])
       AND y.typelem OPERATOR(pg_catalog.=) 0
       AND (y.typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
        OR pg_catalog.pg_has_role(session_user, y.typowner, 'USAGE'))
    UNION ALL
    SELECT 4, CASE WHEN c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['v', 'm']::pg_catalog."char"[]) THEN 'the view ' ELSE 'the table ' END
              OPERATOR(pg_catalog.||) c.relname
      FROM pg_catalog.pg_class c
     WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'm', 'f']::pg_catalog."char"[])
       AND (c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
        OR pg_catalog.pg_has_role(session_user, c.relowner, 'USAGE'))
       AND (c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['v', 'm', 'f']::pg_catalog."char"[])
        OR c.relhasrules OR c.relhastriggers OR c.relrowsecurity
        OR EXISTS (SELECT FROM pg_catalog.pg_attrdef d WHERE d.adrelid OPERATOR(pg_catalog.=) c.oid)
        OR EXISTS (SELECT FROM pg_catalog.pg_constraint k
                    WHERE k.conrelid OPERATOR(pg_catalog.=) c.oid AND k.contype OPERATOR(pg_catalog.=) 'c')
        OR EXISTS (SELECT FROM pg_catalog.pg_index i
                    WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)))
  ) AS code(rank, name) ORDER BY code.rank LIMIT 1`;
