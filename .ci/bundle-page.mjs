// Builds what `transcripts page` puts into a page: dist/bin/page.js, dist/bin/page.css. The verifier is the command line's
// own; what it asks of Node goes through ports (src/ed25519.ts, sha256.ts, gzip.ts), which are exchanged for WebCrypto's here.
// A part of Node that is still reached from the page fails the build.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const page = resolve(root, 'src/review/page');
const ports = new Map(
  ['ed25519', 'sha256', 'gzip'].map((name) => [resolve(root, `src/${name}.ts`), resolve(page, `${name}-web.ts`)]),
);

const exchange = {
  name: 'ports',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/(?:ed25519|sha256|gzip)\.js$/ }, ({ path, resolveDir }) => {
      const port = ports.get(resolve(resolveDir, path.replace(/\.js$/, '.ts')));
      return port === undefined ? undefined : { path: port };
    });
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'absent', sideEffects: false }));
    onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
  },
};

const style = readFileSync(resolve(page, 'view/page.css'), 'utf8');
const { metafile, outputFiles } = await build({
  entryPoints: ['page', 'page-recorded'].map((name) => resolve(page, `view/${name}.ts`)),
  outdir: resolve(root, 'dist/bin'),
  bundle: true,
  platform: 'browser',
  format: 'iife',
  globalName: 'dbguardPage',
  target: ['chrome137', 'firefox129', 'safari17'],
  plugins: [exchange],
  inject: [resolve(page, 'buffer-global.ts')],
  define: { STYLE_DIGEST: JSON.stringify(createHash('sha256').update(style).digest('base64')) },
  minifyWhitespace: true,
  minifySyntax: true,
  charset: 'ascii',
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
});
for (const { inputs } of Object.values(metafile.outputs)) {
  const reached = Object.entries(inputs).filter(([name, { bytesInOutput }]) => name.startsWith('absent:') && bytesInOutput > 0);
  if (reached.length > 0) throw new Error(`the page reaches ${reached.map(([name]) => name.slice(7)).join(', ')}, which a browser has not`);
}
mkdirSync(resolve(root, 'dist/bin'), { recursive: true });
for (const { path, text } of outputFiles) writeFileSync(path, text);
writeFileSync(resolve(root, 'dist/bin/page.css'), style);
// whose code is in it: what a release's list of parts is made from
writeFileSync(resolve(root, 'dist/bundle-page.json'), JSON.stringify(metafile));
