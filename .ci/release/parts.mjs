// For the package itself: the licences of all that is in its bundle, and the document of its parts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledPackages, installedPackages, licences, sbom } from './components.mjs';

const folder = process.argv[2];
writeFileSync(join(folder, 'licences.txt'), licences(bundledPackages()));
writeFileSync(join(folder, 'sbom.cdx.json'), sbom([...bundledPackages(), ...installedPackages()], 'npm'));
