/** One step of a program of this folder, with the libraries of another: run.mjs PACKAGE_JSON PROGRAM STEP URL */
import { createRequire } from 'node:module';

const [packageJson, program, step, url] = process.argv.slice(2);
const load = createRequire(packageJson);
try {
  await (await import(`./${program}`))[step](url, load);
} catch (error) {
  const { message, detail, query, sql, cause, parent } = error;
  const hint = error.hint ?? parent?.hint ?? cause?.hint;
  console.error(
    `error: ${message}; ${detail ?? parent?.detail ?? cause?.message ?? ''}; ${cause?.detail ?? ''}; ${hint ?? ''}`,
  );
  console.error(String(query ?? sql ?? '').slice(0, 300));
  process.exit(1);
}
process.exit(0);
