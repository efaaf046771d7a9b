/** Absolute paths as text: who lies in whom. Nothing here touches a file system. */

/** `folder` is `path`, or lies above it. */
export function contains(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

/** `name`, relative to `folder`; the folder itself for an empty name. */
export function within(folder: string, name: string): string {
  const rest = name.replace(/^\/+/, '');
  if (rest === '') return folder;
  return folder === '/' ? `/${rest}` : `${folder}/${rest}`;
}

export function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
