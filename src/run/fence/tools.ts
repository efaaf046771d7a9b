/** Which folder a tool needs besides its own: `bin` is of little use without the `lib` beside it. */
import { contains, nameOf, parentOf, within } from './paths.js';
import { sharedParents } from './places.js';

const programFolders: ReadonlySet<string> = new Set(['bin', 'sbin', '.bin']);

/** The folder to show for one that is searched for programs. Undefined for what is no absolute path. */
export function toolFolder(searched: string, home: string): string | undefined {
  const path = searched.replace(/\/+$/, '');
  if (!path.startsWith('/')) return undefined;
  const parent = parentOf(path);
  return programFolders.has(nameOf(path)) && isOneTool(parent, home) ? parent : path;
}

/** What to show for a program: its package, where it is one of npm's; what lies around it; or it alone. */
export function packageOf(program: string, home: string): string | undefined {
  const at = program.indexOf('/node_modules/');
  if (at !== -1) return program.slice(0, at + '/node_modules'.length);
  const folder = parentOf(program);
  return programFolders.has(nameOf(folder)) ? toolFolder(folder, home) : program;
}

/** Not the root, not the home folder or one above it, not a folder that holds one of everything. */
function isOneTool(folder: string, home: string): boolean {
  if (contains(folder, home) || parentOf(folder) === '/') return false;
  return !sharedParents.some((name) => within(home, name) === folder);
}
