// validate_manifests.mjs: checks Kubernetes objects, a JSON list on standard input, against the schemas of the npm package kubernetes-models,
// which lies in the working directory's node_modules. Prints one line for each fault; unknown fields are none to it.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

let faults = 0;
for (const object of JSON.parse(readFileSync(0, 'utf8'))) {
  const where = `${object.kind} ${object.metadata?.name}`;
  const models = join(process.cwd(), 'node_modules', 'kubernetes-models', object.apiVersion, 'index.js');
  const Model = (await import(pathToFileURL(models)))[object.kind];
  try {
    const model = new Model(object);
    model.validate();
  } catch (error) {
    faults++;
    console.log(`${where}: ${error.message}`);
  }
}
process.exit(faults ? 1 : 0);
